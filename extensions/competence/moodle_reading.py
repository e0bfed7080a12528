"""Read Moodle's competency framework CSV as a tree, and as a draft in our form.

Law: what Moodle's own importer loses without a word (a row without ID number or
short name, a doubled ID number, a parent that is not there) is refused here, by row.
Cross-references are no order in Moodle, so none is made of them.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import SOURCE_LANGUAGE, _
from bioskills.competence.draft_building import (
    ForeignFramework,
    ForeignItem,
    ForeignUnit,
    draft_of,
)
from bioskills.competence.framework_model import OutcomeType
from bioskills.competence.moodle import COLUMNS, Row, related_codes
from bioskills.competence.tables import csv_rows

_FACTS = re.compile(r"EQF (\d); (\d+) ECVET points")
_TYPES: Mapping[str, OutcomeType] = {"K": "knowledge", "S": "skill", "A": "autonomy"}


def read_rows(content: bytes) -> list[Row]:
    """Return the rows of the file: the framework's first, then those of competencies.

    Raises:
        InputError: With everything that Moodle would lose, or that is no such file.
    """
    found = list(_numbered(content))
    problems = list(_row_faults(found)) + list(_tree_faults(found))
    if problems:
        raise InputError(problems)
    return sorted((row for _n, row in found), key=lambda row: not row.is_framework)


def _numbered(content: bytes) -> Iterator[tuple[int, Row]]:
    for number, cells in csv_rows(content, "CSV")[1:]:
        # As Moodle: by place; what is missing at the end is empty.
        padded = [*cells, *[""] * len(COLUMNS)][: len(COLUMNS)]
        yield number, Row(*(cell.strip() for cell in padded))


def _row_faults(rows: Sequence[tuple[int, Row]]) -> Iterator[Problem]:
    heads = [n for n, row in rows if row.is_framework]
    if len(heads) != 1:
        text = _("has {n} rows with Is framework = 1.").format(n=len(heads))
        step = _("Keep exactly one.")
        yield Problem("CSV", text, _("A file holds one framework."), step)
    for number, row in rows:
        if not row.id or not row.short_name:
            text = _("has no ID number or no short name.")
            rule = _("Moodle leaves such a row out without a word.")
            yield Problem(f"CSV:{number}", text, rule, _("Give it both."))
    ids = Counter(row.id for _n, row in rows if not row.is_framework and row.id)
    for number, row in rows:
        if ids[row.id] > 1 and not row.is_framework:
            text = _("has the ID number {id}, which another row has too.").format(id=row.id)
            rule = _("Moodle keeps the last of them.")
            yield Problem(f"CSV:{number}", text, rule, _("Give each its own."))


def _tree_faults(rows: Sequence[tuple[int, Row]]) -> Iterator[Problem]:
    parents = {row.id: row.parent for _n, row in rows if not row.is_framework}
    for number, row in rows:
        if row.parent and row.parent not in parents:
            text = _("has the parent {id}, which no row has as ID number.").format(id=row.parent)
            rule = _("Moodle leaves such a row out without a word.")
            yield Problem(f"CSV:{number}", text, rule, _("Name a row that is there."))
        elif not row.is_framework and _circles(row.id, parents):
            text = _("is below itself: {id}.").format(id=row.id)
            step = _("Give it another parent.")
            yield Problem(f"CSV:{number}", text, _("A tree has no circle."), step)
        for code in related_codes(row.related):
            if code not in parents:
                text = _("refers to {id}, which no row has as ID number.").format(id=code)
                yield Problem(f"CSV:{number}", text, next=_("Name a row that is there."))


def _circles(code: str, parents: Mapping[str, str]) -> bool:
    seen = set[str]()
    while code:
        if code in seen:
            return True
        seen.add(code)
        code = parents.get(code, "")
    return False


def moodle_draft(content: bytes, name: str, version: str, today: date) -> dict[str, bytes]:
    """Return the draft that a CSV file makes.

    Args:
        content: The file.
        name: What the framework is to be called here: ``ACME``.
        version: Of the draft.
        today: The day that the draft is dated.

    Raises:
        InputError: With everything that is wrong with the file.
    """
    head, *rows = read_rows(content)
    below: dict[str, list[Row]] = {}
    for row in rows:
        below.setdefault(row.parent, []).append(row)
    # A competency whose children have none themselves is a unit; groups above it fall away.
    units = [row for row in rows if any(child.id not in below for child in below.get(row.id, ()))]
    if not units:
        text = _("has no competency with others below it.")
        step = _("Group the competencies into units first.")
        raise InputError([Problem("CSV", text, next=step)])
    return draft_of(
        ForeignFramework(
            id=name,
            version=version,
            title={SOURCE_LANGUAGE: head.short_name},
            creator="",
            units=[_unit(row, below) for row in units],
            source=f"Moodle, {head.id}",
            source_kind="MOODLE",
        ),
        today,
    )


def _unit(row: Row, below: Mapping[str, Sequence[Row]]) -> ForeignUnit:
    facts = _FACTS.search(row.description)
    leaves = [child for child in below[row.id] if child.id not in below]
    return ForeignUnit(
        item=ForeignItem(row.id, {SOURCE_LANGUAGE: row.short_name}),
        outcomes=[_outcome(row, child) for child in leaves],
        eqf=int(facts[1]) if facts else 0,
        points=int(facts[2]) if facts else 0,
    )


def _outcome(unit: Row, row: Row) -> ForeignItem:
    letter = re.fullmatch(rf"{re.escape(unit.id)}-([KSA])\d+", row.id)
    words = plain_text(row.description) or row.short_name
    return ForeignItem(row.id, {SOURCE_LANGUAGE: words}, type=_TYPES[letter[1]] if letter else None)


def plain_text(markup: str) -> str:
    """Return the words of a description that Moodle keeps as HTML."""
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", " ", markup)).split())
