"""Say which ESCO skills our outcomes have to do with, by a table that people check.

Law: the table ships empty and nothing is guessed. A row counts only where the
official ESCO file that the operator supplies has its address with this very label.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.competence.framework_model import Framework
from bioskills.competence.tables import csv_bytes, csv_rows

COLUMNS = ("outcome_id", "esco_uri", "preferred_label", "match", "checked_by", "checked_on")
EMPTY = Path(__file__).parent / "frameworks" / "esco.csv"
MATCHES = ("exact", "close", "broad")
MAX_SKILLS_BYTES = 64 * 2**20

_URI = re.compile(r"http://data\.europa\.eu/esco/(skill|isced-f|occupation)/[A-Za-z0-9.-]+")
_OFFICIAL = ("conceptUri", "preferredLabel")


class EscoRow(NamedTuple):
    """One row of the table."""

    outcome_id: str
    esco_uri: str
    preferred_label: str
    match: Literal["exact", "close", "broad"]
    checked_by: str
    checked_on: str


def official_skills(content: bytes) -> dict[str, str]:
    """Return the label of each address in the official file (`skills_en.csv`).

    Raises:
        InputError: It is not that file.
    """
    rows = [row for _line, row in csv_rows(content, "ESCO", MAX_SKILLS_BYTES)]
    head = rows[0] if rows else []
    if not set(_OFFICIAL) <= set(head):
        text = _("has no columns {columns}.").format(columns=", ".join(_OFFICIAL))
        step = _("Give the file of skills from the ESCO download, in CSV.")
        raise InputError([Problem("ESCO", text, next=step)])
    uri, label = (head.index(name) for name in _OFFICIAL)
    return {row[uri]: row[label] for row in rows[1:] if len(row) > max(uri, label)}


def read_esco(
    content: bytes, framework: Framework, skills: Mapping[str, str], today: date
) -> list[EscoRow]:
    """Return the rows of a table, after holding each against the official file.

    Args:
        content: The table, as CSV.
        framework: Whose outcomes it names.
        skills: What `official_skills` returned.
        today: No row may have been checked later.

    Raises:
        InputError: With every fault of every row.
    """
    cells = csv_rows(content, "esco.csv")
    problems: list[Problem] = []
    if not cells or tuple(cells[0][1]) != COLUMNS:
        step = _("Give exactly these columns: {columns}").format(columns=",".join(COLUMNS))
        raise InputError([Problem("esco.csv:1", _("has other columns."), next=step)])
    found: list[EscoRow] = []
    for number, row in cells[1:]:
        faults = list(_faults(row, framework, skills, today))
        if not faults and (row[0], row[1]) in {(one[0], one[1]) for one in found}:
            faults = [(_("is there twice."), _("Take one of them out."))]
        problems += [Problem(f"esco.csv:{number}", text, next=step) for text, step in faults]
        if not faults:
            found.append(EscoRow(*row))  # type: ignore[arg-type]  # `match` was just looked at
    if problems:
        raise InputError(problems)
    return found


def _faults(
    row: list[str], framework: Framework, skills: Mapping[str, str], today: date
) -> Iterator[tuple[str, str]]:
    if len(row) != len(COLUMNS):
        yield _("has {n} cells, not {most}.").format(n=len(row), most=len(COLUMNS)), ""
        return
    outcome, uri, label, match, by, on = row
    if outcome not in framework.outcomes:
        text = _("names {code}, which is no outcome of {ref}.")
        yield text.format(code=outcome, ref=framework.ref), _("Name an outcome.")
    yield from _uri_faults(uri, label, skills)
    if match not in MATCHES:
        text = _("has the match {word}.").format(word=match)
        yield text, _("Write one of: {words}").format(words=", ".join(MATCHES))
    if not by or not _is_day(on, today):
        yield _("does not say who checked it, and when."), _("Write a name and a day: 2027-01-31")


def _uri_faults(uri: str, label: str, skills: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    step = _("Copy address and label from the official file; leave the row out if there is none.")
    if not _URI.fullmatch(uri):
        yield _("has {uri}, which is no address of ESCO.").format(uri=uri or "-"), step
    elif uri not in skills:
        yield _("has {uri}, which the official file does not hold.").format(uri=uri), step
    elif skills[uri] != label:
        text = _("calls it {label}; the official file says {known}.")
        yield text.format(label=label, known=skills[uri]), step


def _is_day(text: str, today: date) -> bool:
    try:
        return date.fromisoformat(text) <= today
    except ValueError:
        return False


def esco_bytes(rows: list[EscoRow]) -> bytes:
    """Return a table as a file holds it."""
    return csv_bytes(COLUMNS, rows)
