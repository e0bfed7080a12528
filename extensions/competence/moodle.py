"""Write a framework as Moodle's competency framework CSV (tool_lpimportcsv), and read one.

Law: Moodle says nothing when it drops a row, so what it would drop, cut or
confuse is never written, and is refused by name when it is read. Columns go by
place, not by name, as Moodle reads them.
"""

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.competence.framework_model import Framework, Outcome, Unit
from bioskills.competence.tables import csv_text

COLUMNS = (
    "Parent ID number",
    "ID number",
    "Short name",
    "Description",
    "Description format",
    "Scale values",
    "Scale configuration",
    "Rule type (optional)",
    "Rule outcome (optional)",
    "Rule config (optional)",
    "Cross-referenced competency ID numbers",
    "Exported ID (optional)",
    "Is framework",
    "Taxonomy",
)
MOST_CHARACTERS = 100
"""Where Moodle cuts an ID number and a short name."""

RULE_ALL = r"core_competency\competency_rule_all"
NO_OUTCOME, COMPLETE = "0", "2"
"""Of Moodle's class `competency`: in `course_competency` 2 means *recommend* and 3 *complete*."""

SCALE = ("Not yet", "Developing", "Achieved", "Exceeded")
SCALE_CONFIGURATION = (
    '[{"scaleid":"1"},{"id":1,"scaledefault":1,"proficient":0},'
    '{"id":2,"scaledefault":0,"proficient":0},{"id":3,"scaledefault":0,"proficient":1},'
    '{"id":4,"scaledefault":0,"proficient":1}]'
)
TAXONOMY = "competency,outcome,competency,competency"
HTML = "1"


class Row(NamedTuple):
    """One row, in the order of `COLUMNS`."""

    parent: str = ""
    id: str = ""
    short_name: str = ""
    description: str = ""
    description_format: str = HTML
    scale: str = ""
    scale_configuration: str = ""
    rule_type: str = ""
    rule_outcome: str = ""
    rule_config: str = ""
    related: str = ""
    exported_id: str = ""
    is_framework: str = ""
    taxonomy: str = ""


def moodle_csv(framework: Framework, language: str = "") -> str:
    """Return the CSV file.

    Args:
        framework: What is written.
        language: Of the texts; English where none is given or a text has no other.

    Raises:
        InputError: With every text that Moodle would cut or drop.
    """
    rows = list(_rows(framework, language or "en"))
    problems = [problem for row in rows for problem in _dropped(row)]
    if problems:
        raise InputError(problems)
    return csv_text(COLUMNS, rows)


def _rows(framework: Framework, language: str) -> Iterator[Row]:
    yield Row(
        id=f"{framework.id}-{framework.version}",
        short_name=framework.title_in(language),
        scale=",".join(SCALE),
        scale_configuration=SCALE_CONFIGURATION,
        is_framework="1",
        taxonomy=TAXONOMY,
    )
    for unit in framework.units:
        yield _unit_row(framework, unit, language)
        for outcome in unit.outcomes:
            yield _outcome_row(outcome, language)


def _unit_row(framework: Framework, unit: Unit, language: str) -> Row:
    after = (then for first, then in framework.precedes if first == unit.code)
    return Row(
        id=unit.code,
        short_name=unit.title_in(language),
        description=f"EQF {unit.eqf}; {unit.points} ECVET points",
        rule_type=RULE_ALL,
        rule_outcome=COMPLETE,
        rule_config="null",
        related=related_cell(after),
        exported_id=unit.code,
    )


def _outcome_row(outcome: Outcome, language: str) -> Row:
    statement = outcome.statement_in(language)
    return Row(
        parent=outcome.unit,
        id=outcome.id,
        short_name=shortened(statement),
        description=html.escape(statement, quote=False),
        rule_outcome=NO_OUTCOME,
        rule_config="null",
        exported_id=outcome.id,
    )


def related_cell(codes: Iterator[str] | Sequence[str]) -> str:
    """Return ID numbers as Moodle separates them: a comma inside one is written `%2C`."""
    return ",".join(code.replace(",", "%2C") for code in codes)


def related_codes(cell: str) -> list[str]:
    """Return the ID numbers in a cell of related ones."""
    return [code.replace("%2C", ",") for code in cell.split(",") if code]


def shortened(text: str) -> str:
    """Return a text within Moodle's limit, cut between words by us and not by Moodle."""
    # Moodle takes what looks like a tag out.
    plain = text.replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}").replace(
        ">", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
    )
    if len(plain) <= MOST_CHARACTERS:
        return plain
    cut = plain[: MOST_CHARACTERS - 1]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:(") + "…"


def _dropped(row: Row) -> Iterator[Problem]:
    """Find what Moodle would cut or leave out without a word."""
    where = row.id or row.short_name
    for name, text in ((COLUMNS[1], row.id), (COLUMNS[2], row.short_name)):
        # PHP takes the text "0" for empty.
        if text in {"", "0"}:
            fault = _("has no {column}; Moodle would leave it out without a word.")
            yield Problem(where, fault.format(column=name), next=_("Give it one."))
        if len(text) > MOST_CHARACTERS:
            fault = _("has a {column} of {n} characters; Moodle cuts at {most}.").format(
                column=name, n=len(text), most=MOST_CHARACTERS
            )
            yield Problem(where, fault, next=_("Shorten it."))
    if re.match(r"[=+\-@\t\r]", row.short_name):
        fault = _("begins as a spreadsheet's formula does.")
        yield Problem(where, fault, next=_("Begin with a word."))
