"""Say everything that is wrong with a framework before it is published.

Law: all faults at once, each with file and line, the value, the rule and the
next step. What a framework must be is decided here, once (competence study, 3.4).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import SOURCE_LANGUAGE, _
from bioskills.competence.framework_form import HEAD, UnitForm
from bioskills.competence.framework_lint_texts import text_faults
from bioskills.competence.framework_lint_ways import way_faults
from bioskills.competence.framework_model import RULE
from bioskills.competence.framework_reading import TARGETS, Draft, read_draft
from bioskills.competence.framework_targets import Targets, known_targets
from bioskills.competence.framework_writing import unit_file_name

LEAST_OUTCOMES, MOST_OUTCOMES = 3, 6
LEVELS = range(1, 9)
LETTERS = {"knowledge": "K", "skill": "S", "autonomy": "A"}


def check_files(files: dict[str, bytes]) -> Draft:
    """Return the draft in these files.

    Raises:
        InputError: With every fault of it.
    """
    draft = read_draft(files)
    problems: list[Problem] = []
    try:
        targets = known_targets(files.get(TARGETS))
    except InputError as error:
        problems, targets = list(error.problems), known_targets(None)
    problems += lint_draft(draft, targets)
    if problems:
        raise InputError(problems)
    return draft


def lint_draft(draft: Draft, targets: Targets) -> list[Problem]:
    """Return every fault of a draft whose files have the right form."""
    parts = (_head_faults(draft), _unit_faults(draft), text_faults(draft))
    found = chain(*parts, way_faults(draft), _crosswalk_faults(draft, targets))
    return list(found)


def _head_faults(draft: Draft) -> Iterator[Problem]:
    head = draft.head
    if head.mastery_rule != RULE:
        text = _("is {rule}; this version decides by {known}.")
        yield Problem(
            draft.where(HEAD, "mastery_rule"),
            text.format(rule=head.mastery_rule, known=RULE),
            next=_("Write {known}.").format(known=RULE),
        )
    if SOURCE_LANGUAGE not in head.languages.complete:
        yield Problem(
            draft.where(HEAD, "languages", "complete"),
            _("does not name {language}.").format(language=SOURCE_LANGUAGE),
            _("Who reads a language that is not there reads English."),
            _("Add `en`, and the English texts."),
        )
    yield from _points_fault(draft)
    yield from _listed_faults(draft)


def _points_fault(draft: Draft) -> Iterator[Problem]:
    total = sum(form.points for _name, form in draft.units)
    if total != draft.head.points:
        yield Problem(
            draft.where(HEAD, "points"),
            _("is {stated}, but the units have {total} points together.").format(
                stated=draft.head.points, total=total
            ),
            _("The points of a qualification are those of its units."),
            _("Correct it, or the points of a unit."),
        )


def _listed_faults(draft: Draft) -> Iterator[Problem]:
    """Find units that are listed without a file, files without a unit, and wrong file names."""
    files = {form.code: name for name, form in draft.units}
    for number, code in enumerate(draft.head.units):
        if code not in files:
            yield Problem(
                draft.where(HEAD, "units", number),
                _("names {code}, which no file holds.").format(code=code),
                next=_("Write {file}, or take the line out.").format(file=unit_file_name(code)),
            )
    for name, form in draft.units:
        if form.code not in draft.head.units:
            yield Problem(
                draft.where(name, "code"),
                _("is {code}, which `units` in framework.yaml does not name.").format(
                    code=form.code
                ),
                next=_("Add it there, or remove the file."),
            )
        if name != unit_file_name(form.code):
            yield Problem(
                draft.where(name, "code"),
                _("is {code}.").format(code=form.code),
                next=_("Rename the file: {file}").format(file=unit_file_name(form.code)),
            )
    yield from _twice(draft, HEAD, "units", draft.head.units)


def _twice(draft: Draft, file: str, key: str, codes: Iterable[str]) -> Iterator[Problem]:
    for code, n in Counter(codes).items():
        if n > 1:
            text = _("holds {code} {n} times.").format(code=code, n=n)
            step = _("Give each its own code.")
            yield Problem(draft.where(file, key), text, _("A code means one thing."), step)


def _unit_faults(draft: Draft) -> Iterator[Problem]:
    for name, form in draft.units:
        yield from _code_faults(draft, name, form)
        yield from _number_faults(draft, name, form)
        yield from _outcome_faults(draft, name, form)
    every = [outcome.id for _name, form in draft.units for outcome in form.outcomes]
    doubled = {code for code, n in Counter(every).items() if n > 1}
    for name, form in draft.units:
        for number, outcome in enumerate(form.outcomes):
            if outcome.id in doubled:
                yield Problem(
                    draft.where(name, "outcomes", number, "id"),
                    _("is {id}, which another outcome has too.").format(id=outcome.id),
                    _("A code means one thing."),
                    _("Give each its own code."),
                )


def _code_faults(draft: Draft, name: str, form: UnitForm) -> Iterator[Problem]:
    if not re.fullmatch(rf"{draft.head.id}-[A-Z0-9]{{1,8}}", form.code):
        yield Problem(
            draft.where(name, "code"),
            _("is {code}.").format(code=form.code),
            _("A unit is named {id}- and up to eight capitals or digits.").format(id=draft.head.id),
            _("Write {id}-U01, for example.").format(id=draft.head.id),
        )
    for number, outcome in enumerate(form.outcomes):
        letter = LETTERS[outcome.type]
        if not re.fullmatch(rf"{re.escape(form.code)}-{letter}[1-9]\d?", outcome.id):
            yield Problem(
                draft.where(name, "outcomes", number, "id"),
                _("is {id}, with the type {type}.").format(id=outcome.id, type=outcome.type),
                _("An outcome is named after its unit, with K, S or A for its type and a number."),
                _("Write {code}-{letter}1, for example.").format(code=form.code, letter=letter),
            )


def _number_faults(draft: Draft, name: str, form: UnitForm) -> Iterator[Problem]:
    if form.eqf not in LEVELS:
        text = _("is {n}; the European Qualifications Framework has levels 1 to 8.")
        step = _("Write the level of the unit.")
        yield Problem(draft.where(name, "eqf"), text.format(n=form.eqf), next=step)
    if form.points < 1:
        text = _("is {n}; a unit brings at least one point.").format(n=form.points)
        yield Problem(draft.where(name, "points"), text, next=_("Write the points of the unit."))
    expected = form.points * draft.head.point_hours
    if form.hours != expected:
        yield Problem(
            draft.where(name, "hours"),
            _("is {n}; {points} points are {expected} hours.").format(
                n=form.hours, points=form.points, expected=expected
            ),
            _("A point is {n} hours, by `point_hours` in framework.yaml.").format(
                n=draft.head.point_hours
            ),
            _("Correct the hours or the points."),
        )


def _outcome_faults(draft: Draft, name: str, form: UnitForm) -> Iterator[Problem]:
    where, n = draft.where(name, "outcomes"), len(form.outcomes)
    if not LEAST_OUTCOMES <= n <= MOST_OUTCOMES:
        text = _("holds {n} outcomes.").format(n=n)
        rule = _("A unit has {least} to {most} outcomes.").format(
            least=LEAST_OUTCOMES, most=MOST_OUTCOMES
        )
        yield Problem(where, text, rule, _("Split the unit, or join outcomes."))
    if not any(outcome.type == "autonomy" for outcome in form.outcomes):
        rule = _("A unit has at least one outcome of responsibility and autonomy.")
        text = _("holds no outcome of the type autonomy.")
        yield Problem(where, text, rule, _("Add what the learner answers for."))
    if not form.criteria:
        text = _("is empty.")
        rule = _("A unit says by what it is assessed.")
        yield Problem(draft.where(name, "criteria"), text, rule, _("Add at least one criterion."))


def _crosswalk_faults(draft: Draft, targets: Targets) -> Iterator[Problem]:
    ours = {form.code for _name, form in draft.units}
    ours |= {outcome.id for _name, form in draft.units for outcome in form.outcomes}
    for number, row in enumerate(draft.head.crosswalks):
        if row.source not in ours:
            yield Problem(
                draft.where(HEAD, "crosswalks", number, "source"),
                _("is {code}, which is no unit and no outcome here.").format(code=row.source),
                next=_("Name one of this framework."),
            )
        target = targets.get((row.framework, row.version, row.code))
        name = f"{row.framework} {row.version} {row.code}"
        if target is None:
            yield Problem(
                draft.where(HEAD, "crosswalks", number),
                _("names {name}, which the table of other frameworks does not hold.").format(
                    name=name
                ),
                _("Nothing is claimed about an entry that nobody has looked up."),
                _("Look it up and add a row to targets.csv in this folder, or take it out."),
            )
        elif (row.uri or "") != target.uri:
            yield Problem(
                draft.where(HEAD, "crosswalks", number, "uri"),
                _("is {uri}; the table says {known} for {name}.").format(
                    uri=row.uri or "null", known=target.uri or "null", name=name
                ),
                _("An address is copied, never made up."),
                _("Write {known}.").format(known=target.uri or "null"),
            )
