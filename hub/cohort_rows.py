"""Read the rows of a cohort file, whatever its form.

Law: a row keeps where it stands in the file, so that every later fault can
name its line. Values are stripped text here; nothing is judged but the form.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bioskills.base.problems import InputError, Problem, nearest
from bioskills.base.text import _
from bioskills.hub.cohort_columns import (
    COHORT_KEYS,
    CSV_KEYS,
    PERSON_KEYS,
    RUN_KEYS,
    TABLES,
)
from bioskills.hub.cohort_limits import LAB_LIMITS
from bioskills.hub.cohort_wish import Fault, shortened
from bioskills.hub.formula_guard import unguarded

_PART = r"""(?:"[^"\n]*"|'[^'\n]*'|[\w-]++)"""
DEEP_NAME = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{12}}")
"""A dotted name of more parts than any table here has; reading a very long one takes quadratic time."""
Numbered = tuple[int, Sequence[str]]
"""A line's number and its values."""
ONCE = ("title", "seats", "environment", *LAB_LIMITS)
"""What is said once for the cohort, although a CSV file has it in each row."""


@dataclass
class Row:
    """One row with its place in the file."""

    where: str
    values: dict[str, str]
    line: int = 0


@dataclass
class Sheet:
    """All rows of a file: the cohort's own, its people, its runs, its limits."""

    cohort: Row
    people: list[Row] = field(default_factory=list)
    runs: list[Row] = field(default_factory=list)
    limits: Row = field(default_factory=lambda: Row("", {}))


def rows_below(
    table: Sequence[Numbered], keys: Sequence[str], file: str, problems: list[Problem]
) -> list[Row]:
    """Return the rows below the first, named by it; what has no column is a problem."""
    if not table:
        return []
    first, header = table[0][0], [name.strip().lower() for name in table[0][1]]
    where = _("{file}, line {n}").format(file=file, n=first)
    problems += [_unknown(where, name, keys, first) for name in header if name and name not in keys]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    problems += [_double(where, name, first) for name in twice]
    rows = []
    for line, values in table[1:]:
        where = _("{file}, line {n}").format(file=file, n=line)
        if any(value.strip() for value in values[len(header) :]):
            problems.append(_surplus(where, len(header), line))
        named = {
            key: unguarded(tidy(value))
            for key, value in zip(header, values, strict=False)
            if key in keys
        }
        if any(named.values()):
            rows.append(Row(where, named, line))
    return rows


def tidy(value: str) -> str:
    """Return a text without spaces around it, its accents written one way (NFC)."""
    return unicodedata.normalize("NFC", value.strip())


def sheet_from_table(table: Sequence[Numbered], file: str, problems: list[Problem]) -> Sheet:
    """Return the rows of one table that holds everything, as a CSV file does."""
    rows = rows_below(table, CSV_KEYS, file, problems)
    if not rows:
        step = _("First line: name,display_name,email,roles,cohort")
        raise InputError([*problems, Fault(file, _("holds no people."), next=step)])
    first = rows[0]
    cohort = Row(first.where, {"slug": first.values.get("cohort", "")}, first.line)
    limits = Row(first.where, {}, first.line)
    for key in ONCE:
        said = _said_once(rows, key, problems)
        if said is not None:
            (limits if key in LAB_LIMITS else cohort).values[key] = said
    return Sheet(cohort, [_person(row) for row in rows], _runs(rows), limits)


def _said_once(rows: list[Row], key: str, problems: list[Problem]) -> str | None:
    given = [(row, row.values[key]) for row in rows if row.values.get(key)]
    for row, value in given[1:]:
        if value != given[0][1]:
            what = _("{key} is {value!r}, and {first!r} in an earlier row.")
            told = what.format(key=key, value=shortened(value), first=shortened(given[0][1]))
            rule = _("It is the cohort's, so it is the same in each row, or in one alone.")
            problems.append(Fault(row.where, told, rule, "", row.line, key, value))
    return given[0][1] if given else None


def _person(row: Row) -> Row:
    chosen = {key: row.values.get(key, "") for key in (*PERSON_KEYS, "cohort", "time_zone")}
    return Row(row.where, chosen, row.line)


def _runs(rows: list[Row]) -> list[Row]:
    runs: dict[tuple[str, ...], Row] = {}
    for row in rows:
        if row.values.get("course"):
            values = {"slug": row.values.get("run", "")}
            values |= {key: row.values.get(key, "") for key in RUN_KEYS[1:]}
            runs.setdefault(tuple(values.values()), Row(row.where, values, row.line))
    return list(runs.values())


def sheet_from_book(
    tables: Mapping[str, Sequence[Numbered]], file: str, problems: list[Problem]
) -> Sheet:
    """Return the rows of a workbook: sheets named as our tables, or one that holds everything."""
    known = {name.strip().lower(): rows for name, rows in tables.items()}
    if "people" not in known or "cohort" not in known:
        name, rows = next(iter(tables.items()))
        return sheet_from_table(rows, f"{file}, {name}", problems)

    def read(name: str, keys: Sequence[str]) -> list[Row]:
        return rows_below(known.get(name, ()), keys, f"{file}, {name}", problems)

    people, runs = read("people", (*PERSON_KEYS, "time_zone")), read("runs", RUN_KEYS)
    cohorts, limits = read("cohort", (*COHORT_KEYS, *LAB_LIMITS)), read("limits", LAB_LIMITS)
    if not people:
        problems.append(Fault(file, _("holds no people."), next=_("Write them into people.")))
    for extra in [*cohorts[1:], *limits[1:]]:
        what = _("one file holds one cohort.")
        problems.append(Fault(extra.where, what, next=_("Take this row out."), line=extra.line))
    cohort = cohorts[0] if cohorts else Row(f"{file}, cohort", {})
    own = {key: value for key, value in cohort.values.items() if key in LAB_LIMITS and value}
    said = {key: value for row in limits[:1] for key, value in row.values.items() if value}
    return Sheet(cohort, people, runs, Row(cohort.where, own | said, cohort.line))


def sheet_from_toml(text: str, file: str, problems: list[Problem]) -> Sheet:
    """Return the rows of a TOML text; unknown keys are added to the problems."""
    tables = _tables(text, file)
    problems += [_unknown(file, key, TABLES) for key in tables if key not in TABLES]
    problems += _wrong_tables(tables, file)
    cohort = Row(f"{file}, [cohort]", _texts(tables.get("cohort", {})))
    people, runs = (_toml_rows(tables, name, text, file) for name in ("people", "runs"))
    limits = Row(f"{file}, [limits]", _texts(tables.get("limits", {})))
    sheet = Sheet(cohort, people, runs, limits)
    for row, keys in (
        (cohort, COHORT_KEYS),
        (limits, LAB_LIMITS),
        *((r, PERSON_KEYS) for r in sheet.people),
        *((r, RUN_KEYS) for r in sheet.runs),
    ):
        problems += [_unknown(row.where, key, keys) for key in row.values if key not in keys]
    return sheet


def _wrong_tables(tables: Mapping[str, object], file: str) -> Iterator[Problem]:
    for name in ("cohort", "limits"):
        if not isinstance(tables.get(name, {}), dict):
            what = _("{name} is {value}.").format(name=name, value=_shown(tables[name]))
            step = _("Write it as a table below a line [{name}].").format(name=name)
            yield Fault(file, what, next=step)
    for name in ("people", "runs"):
        found = tables.get(name, [])
        if not isinstance(found, list) or not all(isinstance(body, dict) for body in found):
            what = _("{name} is {value}.").format(name=name, value=_shown(found))
            step = _("Write each as a table below a line [[{name}]].").format(name=name)
            yield Fault(file, what, next=step)
        elif name == "people" and not found:
            # An empty list would end every seat of the cohort: surely a slip.
            yield Fault(file, _("holds no people."), next=_("Write each below a line [[people]]."))


def _toml_rows(tables: dict[str, object], name: str, text: str, file: str) -> list[Row]:
    lines = [
        number for number, line in enumerate(text.splitlines(), 1) if line.strip() == f"[[{name}]]"
    ]
    found = tables.get(name, [])
    bodies = [body for body in found if isinstance(body, dict)] if isinstance(found, list) else []
    known = [(_("{file}, line {n}").format(file=file, n=line), line) for line in lines]
    places = known + [(file, 0)] * len(bodies)
    return [
        Row(where, _texts(body), line) for (where, line), body in zip(places, bodies, strict=False)
    ]


def _texts(body: object) -> dict[str, str]:
    if not isinstance(body, dict):
        return {}
    return {
        key: tidy(" ".join(map(_text, value)) if isinstance(value, list) else _text(value))
        for key, value in body.items()
    }


def _tables(text: str, file: str) -> dict[str, object]:
    deep, step = _("is nested too deeply."), _("Write plain tables, as in the template.")
    if DEEP_NAME.search(text):
        raise InputError([Fault(file, deep, next=step)])
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError([Fault(file, deep, next=step)]) from None
    except ValueError as error:
        what = _("is not TOML: {error}.").format(error=shortened(str(error)))
        raise InputError([Fault(file, what)]) from error


def _text(value: object) -> str:
    try:
        return str(value)
    except ValueError:
        # A number of more digits than Python writes out; no column takes one.
        return hex(value) if isinstance(value, int) else type(value).__name__


def _shown(value: object) -> str:
    try:
        return shortened(repr(value))
    except ValueError:
        return type(value).__name__


def _unknown(where: str, key: str, known: Iterable[str], line: int = 0) -> Problem:
    near = nearest(key, known)
    hint = (
        _("Did you mean {near}?").format(near=near)
        if near
        else _("Known: {known}.").format(known=", ".join(known))
    )
    what = _("there is no column or key {key!r}.").format(key=shortened(key))
    return Fault(where, what, "", hint, line, shortened(key), shortened(key))


def _double(where: str, name: str, line: int) -> Problem:
    what = _("there are two columns {name}.").format(name=name)
    return Fault(where, what, "", _("Take one of them out."), line, name, name)


def _surplus(where: str, columns: int, line: int) -> Problem:
    what = _("there are more values than the {n} columns of line 1.").format(n=columns)
    step = _('Put a value that holds a comma into "quotes".')
    return Fault(where, what, next=step, line=line)
