"""Read the rows of a cohort file, whatever its form.

Law: a row keeps where it stands in the file, so that every later fault can
name its line. Values are stripped text here; nothing is judged but the form.
"""

import csv
import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bioskills.base.problems import InputError, Problem, nearest
from bioskills.base.text import _
from bioskills.hub.cohort_limits import LAB_LIMITS

PERSON_KEYS = ("name", "display_name", "email", "roles")
RUN_KEYS = ("slug", "course", "version", "opens", "closes", "time_zone")
COHORT_KEYS = ("slug", "title")
TABLES = ("cohort", "people", "runs", "limits")
SURPLUS = "\0surplus"
"""Where the csv module puts values that no column names; no header can spell it."""
CSV_KEYS = ("cohort", "title", *PERSON_KEYS, "run", *RUN_KEYS[1:])


@dataclass
class Row:
    """One row with its place in the file."""

    where: str
    values: dict[str, str]


@dataclass
class Sheet:
    """All rows of a file: the cohort's own, its people, its runs, its limits."""

    cohort: Row
    people: list[Row] = field(default_factory=list)
    runs: list[Row] = field(default_factory=list)
    limits: Row = field(default_factory=lambda: Row("", {}))


def sheet_from_csv(text: str, file: str, problems: list[Problem]) -> Sheet:
    """Return the rows of a CSV text; unknown columns are added to the problems."""
    reader = csv.DictReader(io.StringIO(text), restkey=SURPLUS, skipinitialspace=True)
    header = [name.strip().lower() for name in reader.fieldnames or []]
    reader.fieldnames = header
    problems += [
        _unknown(f"{file}, line 1", name, CSV_KEYS) for name in header if name not in CSV_KEYS
    ]
    rows = []
    for found in reader:
        where, values = f"{file}, line {reader.line_num}", _strip(found)
        if found.get(SURPLUS):
            problems.append(_surplus(where, len(header)))
        if any(values.values()):
            rows.append(Row(where, values))
    if not rows:
        raise InputError(
            [
                Problem(
                    file,
                    _("holds no people."),
                    next=_("First line: name,display_name,email,roles,cohort"),
                )
            ]
        )
    return _sheet_of(rows)


def _sheet_of(rows: list[Row]) -> Sheet:
    first = rows[0]
    slug, title = first.values.get("cohort", ""), first.values.get("title", "")
    sheet = Sheet(Row(first.where, {"slug": slug, "title": title}))
    runs: dict[tuple[str, ...], Row] = {}
    for row in rows:
        sheet.people.append(
            Row(
                row.where,
                {key: row.values.get(key, "") for key in PERSON_KEYS}
                | {"cohort": row.values.get("cohort", "")},
            )
        )
        if row.values.get("course"):
            values = {"slug": row.values.get("run", "")} | {
                key: row.values.get(key, "") for key in RUN_KEYS[1:]
            }
            runs.setdefault(tuple(values.values()), Row(row.where, values))
    sheet.runs = list(runs.values())
    return sheet


def _strip(row: Mapping[str, str | None]) -> dict[str, str]:
    return {key: (value or "").strip() for key, value in row.items() if key != SURPLUS}


def _surplus(where: str, columns: int) -> Problem:
    what = _("there are more values than the {n} columns of line 1.").format(n=columns)
    return Problem(where, what, next=_('Put a value that holds a comma into "quotes".'))


def sheet_from_toml(text: str, file: str, problems: list[Problem]) -> Sheet:
    """Return the rows of a TOML text; unknown keys are added to the problems."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([Problem(file, _("is not TOML: {error}.").format(error=error))]) from error
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
            what = _("{name} is {value!r}.").format(name=name, value=tables[name])
            step = _("Write it as a table below a line [{name}].").format(name=name)
            yield Problem(file, what, next=step)
    for name in ("people", "runs"):
        found = tables.get(name, [])
        if not isinstance(found, list) or not all(isinstance(body, dict) for body in found):
            what = _("{name} is {value!r}.").format(name=name, value=found)
            step = _("Write each as a table below a line [[{name}]].").format(name=name)
            yield Problem(file, what, next=step)
        elif name == "people" and not found:
            # An empty list would end every seat of the cohort: surely a slip.
            yield Problem(
                file, _("holds no people."), next=_("Write each below a line [[people]].")
            )


def _toml_rows(tables: dict[str, object], name: str, text: str, file: str) -> list[Row]:
    lines = [
        number for number, line in enumerate(text.splitlines(), 1) if line.strip() == f"[[{name}]]"
    ]
    found = tables.get(name, [])
    bodies = [body for body in found if isinstance(body, dict)] if isinstance(found, list) else []
    where = [f"{file}, line {number}" for number in lines] + [file] * len(bodies)
    return [Row(place, _texts(body)) for place, body in zip(where, bodies, strict=False)]


def _texts(body: object) -> dict[str, str]:
    if not isinstance(body, dict):
        return {}
    return {
        key: " ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in body.items()
    }


def _unknown(where: str, key: str, known: Iterable[str]) -> Problem:
    near = nearest(key, known)
    hint = (
        _("Did you mean {near}?").format(near=near)
        if near
        else _("Known: {known}.").format(known=", ".join(known))
    )
    return Problem(where, _("there is no column or key {key!r}.").format(key=key), next=hint)
