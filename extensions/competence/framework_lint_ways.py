"""Say what is wrong with the ways through a framework: order, roles, carries.

Law: every role says what it asks of every unit, and can be completed.
"""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from bioskills.base.problems import Problem
from bioskills.base.text import _
from bioskills.competence.framework_form import HEAD, RoleForm, UnitForm
from bioskills.competence.framework_reading import Draft

CAPSTONE_UNITS = 2
"""Mandatory units whose autonomy outcomes a capstone shows (R6)."""


def way_faults(draft: Draft) -> Iterator[Problem]:
    """Yield every fault of order, roles and carries."""
    yield from _order_faults(draft)
    units = {form.code: form for _name, form in draft.units}
    codes = [role.code for role in draft.head.roles]
    for number, role in enumerate(draft.head.roles):
        yield from _role_faults(draft, number, role, units)
        if codes.index(role.code) != number:
            text = _("is {code}, which another role has too.").format(code=role.code)
            where = draft.where(HEAD, "roles", number, "code")
            yield Problem(where, text, next=_("Give each its own code."))
    yield from _carry_faults(draft, units)


def _order_faults(draft: Draft) -> Iterator[Problem]:
    known, sorter = set(draft.head.units), TopologicalSorter[str]()
    for number, (first, then) in enumerate(draft.head.precedes):
        for place, code in enumerate((first, then)):
            if code not in known:
                yield Problem(
                    draft.where(HEAD, "precedes", number, place),
                    _("is {code}, which is no unit here.").format(code=code),
                    next=_("Name a unit of this framework."),
                )
        sorter.add(then, first)
    try:
        sorter.prepare()
    except CycleError as error:
        yield Problem(
            draft.where(HEAD, "precedes"),
            _("goes in a circle: {way}.").format(way=" → ".join(error.args[1])),
            _("A unit cannot come before itself."),
            _("Take one of these pairs out."),
        )


def _role_faults(
    draft: Draft, number: int, role: RoleForm, units: dict[str, UnitForm]
) -> Iterator[Problem]:
    where = draft.where(HEAD, "roles", number, "units")
    missing = [code for code in draft.head.units if code not in role.units]
    if missing:
        yield Problem(
            where,
            _("of {role} says nothing about {codes}.").format(
                role=role.code, codes=", ".join(missing)
            ),
            _("A role says what it asks of every unit."),
            _("Add them: mandatory, knowledge-only, elective or none."),
        )
    for code, mode in role.units.items():
        place = draft.where(HEAD, "roles", number, "units", code)
        if code not in draft.head.units:
            text = _("is no unit of this framework.")
            yield Problem(place, text, next=_("Take the line out."))
        elif mode == "knowledge-only" and code in units and not _has_knowledge(units[code]):
            text = _("asks for the knowledge of a unit that has none.")
            yield Problem(place, text, next=_("Write mandatory, elective or none."))
    yield from _reach_faults(draft, number, role, units)


def _reach_faults(
    draft: Draft, number: int, role: RoleForm, units: dict[str, UnitForm]
) -> Iterator[Problem]:
    elective = [units[c].points for c, m in role.units.items() if m == "elective" and c in units]
    if sum(elective) < role.elective_points:
        yield Problem(
            draft.where(HEAD, "roles", number, "elective_points"),
            _("is {n}; the elective units of {role} have {total} points together.").format(
                n=role.elective_points, role=role.code, total=sum(elective)
            ),
            _("Every role can be completed."),
            _("Ask for less, or offer more."),
        )
    mandatory = sum(mode == "mandatory" for mode in role.units.values())
    if mandatory < CAPSTONE_UNITS:
        yield Problem(
            draft.where(HEAD, "roles", number, "units"),
            _("of {role} names {n} mandatory units.").format(role=role.code, n=mandatory),
            _("The capstone of a role shows autonomy in {n} mandatory units.").format(
                n=CAPSTONE_UNITS
            ),
            _("Make more units mandatory."),
        )


def _has_knowledge(unit: UnitForm) -> bool:
    return any(outcome.type == "knowledge" for outcome in unit.outcomes)


def _carry_faults(draft: Draft, units: dict[str, UnitForm]) -> Iterator[Problem]:
    ours = {outcome.id for unit in units.values() for outcome in unit.outcomes}
    if draft.head.carries and not draft.head.replaces:
        text = _("is there, but `replaces` does not say which version came before.")
        step = _("Add: replaces: {id}@1.0.0").format(id=draft.head.id)
        yield Problem(draft.where(HEAD, "carries"), text, next=step)
    for number, carry in enumerate(draft.head.carries):
        if carry.target not in ours:
            yield Problem(
                draft.where(HEAD, "carries", number, "target"),
                _("is {code}, which is no outcome here.").format(code=carry.target),
                next=_("Name an outcome of this version."),
            )
        if (carry.relation == "replacedBy") != bool(carry.missing):
            yield Problem(
                draft.where(HEAD, "carries", number),
                _("is {relation}.").format(relation=carry.relation),
                _(
                    "`replacedBy` says in `missing` what must still be shown; `exactMatchOf` has nothing missing."
                ),
                _("Add the text, take it out, or change the relation."),
            )
