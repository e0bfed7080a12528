"""Read a cohort from a file a person wrote: CSV, TOML, XLSX or ODS.

Law: pure but for reading the file; every fault of every row is reported at
once with its line; a file with a fault gives nothing.
"""

import re
from pathlib import Path

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import PLATFORM
from bioskills.base.text import _, ngettext
from bioskills.hub import cohort_book
from bioskills.hub.cohort_columns import OFFERED_ENVIRONMENTS
from bioskills.hub.cohort_dates import moment_of, zone_of
from bioskills.hub.cohort_limits import limits_from
from bioskills.hub.cohort_persons import people_of, text_problems
from bioskills.hub.cohort_rows import (
    Row,
    Sheet,
    sheet_from_book,
    sheet_from_table,
    sheet_from_toml,
)
from bioskills.hub.cohort_text import table_of, text_of
from bioskills.hub.cohort_wish import Fault, WantedPerson, WantedRun, Wish, bad, shortened

__all__ = ["WantedPerson", "WantedRun", "Wish", "parse_cohort", "read_cohort_file"]

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
MOST_SEATS = 100_000
RESERVED = (PLATFORM, "upload", "template")
"""Names that no cohort can have: the platform's own, and those of pages."""
KINDS = (".csv", ".toml", *cohort_book.KINDS)


def read_cohort_file(path: Path, default_zone: str) -> Wish:
    """Return what a file wants.

    Args:
        path: A `.csv`, `.toml`, `.xlsx` or `.ods` file.
        default_zone: IANA zone of dates that name none.

    Raises:
        InputError: With every fault of the file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        what = _("cannot be read: {reason}.").format(reason=error.strerror)
        raise InputError([Fault(str(path), what)]) from error
    return parse_content(content, path.name, default_zone)


def parse_content(content: bytes, file: str, default_zone: str) -> Wish:
    """Return what these bytes want; the file's name says of which kind they are."""
    kind = Path(file).suffix.lower()
    if kind in cohort_book.KINDS:
        problems: list[Problem] = []
        sheet = sheet_from_book(cohort_book.tables_of(content, file), file, problems)
        return _whole(sheet, default_zone, problems)
    if kind not in KINDS:
        what = _("is none of {kinds}.").format(kinds=", ".join(KINDS))
        step = _("Rename it, or see: bioskills cohort --help")
        raise InputError([Fault(file, what, next=step)])
    return parse_cohort(text_of(content, file), kind, file, default_zone)


def parse_cohort(text: str, kind: str, file: str, default_zone: str) -> Wish:
    """Return what this text wants; `kind` is `.csv` or `.toml`."""
    problems: list[Problem] = []
    if kind == ".toml":
        sheet = sheet_from_toml(text, file, problems)
    else:
        sheet = sheet_from_table(table_of(text, file), file, problems)
    return _whole(sheet, default_zone, problems)


def _whole(sheet: Sheet, default_zone: str, problems: list[Problem]) -> Wish:
    wish = _wish(sheet, default_zone, problems)
    if problems:
        raise InputError(problems)
    return wish


def _wish(sheet: Sheet, default_zone: str, problems: list[Problem]) -> Wish:
    cohort = sheet.cohort
    slug = cohort.values.get("slug", "")
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        rule = _("A cohort's name is 1-40 of a-z, 0-9 and inner hyphens.")
        problems.append(bad(cohort.where, "cohort", slug, rule, cohort.line))
    problems += list(text_problems(cohort, "title"))
    people = people_of(sheet, default_zone, problems)
    runs = [run for row in sheet.runs if (run := _run(row, slug, default_zone, problems))]
    problems += _twice(sheet.runs, [run.slug for run in runs])
    limits = limits_from(sheet.limits.values, sheet.limits.where, problems)
    return Wish(
        cohort=slug,
        title=cohort.values.get("title") or slug,
        people=tuple(people),
        runs=tuple(runs),
        limits=limits,
        seats=_seats(cohort, people, problems),
        environment=_environment(cohort, problems),
    )


def _seats(row: Row, people: list[WantedPerson], problems: list[Problem]) -> int | None:
    text = row.values.get("seats", "")
    if not text:
        return None
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not 1 <= int(text) <= MOST_SEATS:
        rule = _("It is a whole number from {least} to {most}.").format(least=1, most=MOST_SEATS)
        problems.append(bad(row.where, "seats", text, rule, row.line))
        return None
    learners = sum("learner" in person.roles for person in people)
    if learners > int(text):
        what = ngettext(
            "{n} learner is in the list, and the cohort has {seats} seats.",
            "{n} learners are in the list, and the cohort has {seats} seats.",
            learners,
        ).format(n=learners, seats=text)
        step = _("Raise seats, or take people out.")
        problems.append(Fault(row.where, what, "", step, row.line, "seats", text))
    return int(text)


def _environment(row: Row, problems: list[Problem]) -> str:
    name = row.values.get("environment", "")
    if name and name not in OFFERED_ENVIRONMENTS:
        what = _("there is no environment {name}.").format(name=shortened(name))
        step = _("Environments here: {names}.").format(names=", ".join(OFFERED_ENVIRONMENTS))
        problems.append(Fault(row.where, what, "", step, row.line, "environment", shortened(name)))
    return name


def _run(row: Row, cohort: str, default_zone: str, problems: list[Problem]) -> WantedRun | None:
    values, before = row.values, len(problems)
    zone_name = values.get("time_zone") or default_zone
    slug = values.get("slug") or f"{cohort}-{values.get('course', '')}"[:64]
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", slug):
        rule = _("A run's name is 1-64 of a-z, 0-9 and hyphens.")
        problems.append(bad(row.where, "run", slug, rule, row.line))
    if not values.get("course"):
        step = _('Give: course = "sequences-first-steps"')
        what = _("the run names no course.")
        problems.append(Fault(row.where, what, "", step, row.line, "course"))
    problems += [fault for key in ("course", "version") for fault in text_problems(row, key)]
    zone = zone_of(row, zone_name, problems)
    opens = moment_of(row, "opens", zone, problems, ends=False)
    closes = moment_of(row, "closes", zone, problems, ends=True)
    if opens and closes and opens >= closes:
        rule = _("A run closes after it opens.")
        problems.append(bad(row.where, "closes", values["closes"], rule, row.line))
    if len(problems) > before or opens is None or closes is None:
        return None
    return WantedRun(slug, values["course"], values.get("version", ""), opens, closes, zone_name)


def _twice(rows: list[Row], slugs: list[str]) -> list[Fault]:
    doubles = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    rule = _("This run is described twice with different values.")
    return [bad(rows[-1].where, "run", slug, rule, rows[-1].line) for slug in doubles]
