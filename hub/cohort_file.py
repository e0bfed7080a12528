"""Read a cohort from a CSV or TOML file a person wrote.

Law: pure but for reading the file; every fault of every row is reported at
once with its line; a file with a fault gives nothing.

Vocabulary: the *wish* is what the file wants a cohort to be, whole: who is not
named in it has no seat from it.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bioskills.base.problems import InputError, Problem, nearest
from bioskills.base.tables import PLATFORM, ROLES
from bioskills.base.text import _
from bioskills.hub.cohort_limits import Limits, limits_from
from bioskills.hub.cohort_rows import Row, Sheet, sheet_from_csv, sheet_from_toml
from bioskills.hub.grading_accounts import is_account

NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?", re.ASCII)
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
MOST_CHARS = 100
PLATFORM_ROLES = ("admin", "manager")


@dataclass(frozen=True)
class WantedPerson:
    """A person as the file wants them."""

    name: str
    display_name: str
    email: str | None
    roles: tuple[str, ...]


@dataclass(frozen=True)
class WantedRun:
    """A delivery of a course as the file wants it."""

    slug: str
    course: str
    version: str
    opens_at: datetime
    closes_at: datetime
    time_zone: str


@dataclass(frozen=True)
class Wish:
    """A cohort as the file wants it."""

    cohort: str
    title: str
    people: tuple[WantedPerson, ...]
    runs: tuple[WantedRun, ...]
    limits: Limits = field(default_factory=dict)

    def seats_of(self, person: WantedPerson) -> list[tuple[str, str]]:
        """Return the (cohort, role) pairs; admins and managers serve the whole platform."""
        return [
            (PLATFORM if role in PLATFORM_ROLES else self.cohort, role) for role in person.roles
        ]


def read_cohort_file(path: Path, default_zone: str) -> Wish:
    """Return what a file wants.

    Args:
        path: A `.csv` or `.toml` file.
        default_zone: IANA zone of dates that name none.

    Raises:
        InputError: With every fault of the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            [Problem(str(path), _("cannot be read: {reason}.").format(reason=error.strerror))]
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            [Problem(str(path), _("is not UTF-8 text."), next=_("Save it as CSV UTF-8."))]
        ) from error
    return parse_cohort(text, path.suffix.lower(), path.name, default_zone)


def parse_cohort(text: str, kind: str, file: str, default_zone: str) -> Wish:
    """Return what this text wants; `kind` is `.csv` or `.toml`."""
    problems: list[Problem] = []
    if kind == ".csv":
        sheet = sheet_from_csv(text, file, problems)
    elif kind == ".toml":
        sheet = sheet_from_toml(text, file, problems)
    else:
        raise InputError(
            [
                Problem(
                    file,
                    _("is neither .csv nor .toml."),
                    next=_("Rename it, or see: bioskills cohort --help"),
                )
            ]
        )
    wish = _wish(sheet, default_zone, problems)
    if problems:
        raise InputError(problems)
    return wish


def _wish(sheet: Sheet, default_zone: str, problems: list[Problem]) -> Wish:
    slug = sheet.cohort.values.get("slug", "")
    if not SLUG.fullmatch(slug) or slug == PLATFORM:
        problems.append(
            _bad(
                sheet.cohort.where,
                "cohort",
                slug,
                _("A cohort's name is 1-40 of a-z, 0-9 and inner hyphens."),
            )
        )
    problems += list(_text_problems(sheet.cohort, "title"))
    people = _people(sheet, problems)
    runs = [run for row in sheet.runs if (run := _run(row, slug, default_zone, problems))]
    problems += _twice(sheet.runs, [run.slug for run in runs])
    limits = limits_from(sheet.limits.values, sheet.limits.where, problems)
    title = sheet.cohort.values.get("title") or slug
    return Wish(slug, title, tuple(people), tuple(runs), limits)


def _people(sheet: Sheet, problems: list[Problem]) -> list[WantedPerson]:
    people: dict[str, WantedPerson] = {}
    for row in sheet.people:
        other = row.values.get("cohort") or sheet.cohort.values.get("slug", "")
        if other != sheet.cohort.values.get("slug", ""):
            problems.append(_bad(row.where, "cohort", other, _("One file holds one cohort.")))
        person = _person(row, problems)
        if person is None:
            continue
        if person.name in people:
            problems.append(
                _bad(
                    row.where,
                    "name",
                    person.name,
                    _("This name stands in an earlier row; put all roles into one row."),
                )
            )
        people.setdefault(person.name, person)
    return list(people.values())


def _person(row: Row, problems: list[Problem]) -> WantedPerson | None:
    name, email = row.values.get("name", "").lower(), row.values.get("email", "")
    roles = tuple(sorted(set(re.split(r"[\s,;|]+", row.values.get("roles", "").strip())) - {""}))
    before = len(problems)
    if is_account(name):
        problems.append(
            _bad(
                row.where,
                "name",
                name,
                _("Names that begin like this belong to the site's own accounts; choose another."),
            )
        )
    if not NAME.fullmatch(name):
        problems.append(
            _bad(
                row.where,
                "name",
                name,
                _("A name is 1-40 of a-z, 0-9, dot and hyphen, and is used to sign in."),
            )
        )
    if email and not EMAIL.fullmatch(email):
        problems.append(
            _bad(
                row.where,
                "email",
                email,
                _("A mail address looks like lea@example.org; leave it empty where there is none."),
            )
        )
    problems += list(_text_problems(row, "display_name"))
    problems += list(_role_problems(row.where, roles))
    if len(problems) > before:
        return None
    return WantedPerson(name, row.values.get("display_name") or name, email or None, roles)


def _text_problems(row: Row, key: str) -> Iterator[Problem]:
    # Line feeds and direction marks could forge lines of the plan that a person reads.
    text = row.values.get(key, "")
    if len(text) > MOST_CHARS or any(unicodedata.category(char).startswith("C") for char in text):
        yield _bad(
            row.where,
            key,
            text[:MOST_CHARS],
            _("It is one line of at most {n} visible characters.").format(n=MOST_CHARS),
        )


def _role_problems(where: str, roles: tuple[str, ...]) -> Iterator[Problem]:
    if not roles:
        yield Problem(
            where, _("no role is given."), next=_("Roles: {roles}.").format(roles=", ".join(ROLES))
        )
    for role in roles:
        if role not in ROLES:
            near = nearest(role, (*ROLES, "teacher", "student"))
            guess = {"teacher": "instructor", "student": "learner"}.get(near, near)
            hint = (
                _("Did you mean {near}?").format(near=guess)
                if guess
                else _("Roles: {roles}.").format(roles=", ".join(ROLES))
            )
            yield Problem(where, _("there is no role {role}.").format(role=role), next=hint)


def _run(row: Row, cohort: str, default_zone: str, problems: list[Problem]) -> WantedRun | None:
    values, before = row.values, len(problems)
    zone_name = values.get("time_zone") or default_zone
    slug = values.get("slug") or f"{cohort}-{values.get('course', '')}"[:64]
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", slug):
        problems.append(
            _bad(row.where, "run", slug, _("A run's name is 1-64 of a-z, 0-9 and hyphens."))
        )
    if not values.get("course"):
        problems.append(
            Problem(
                row.where,
                _("the run names no course."),
                next=_('Give: course = "sequences-first-steps"'),
            )
        )
    zone = _zone(row.where, zone_name, problems)
    opens, closes = (
        _moment(row.where, key, values.get(key, ""), zone, problems) for key in ("opens", "closes")
    )
    if opens and closes and opens >= closes:
        problems.append(
            _bad(row.where, "closes", values["closes"], _("A run closes after it opens."))
        )
    if len(problems) > before or opens is None or closes is None:
        return None
    return WantedRun(slug, values["course"], values.get("version", ""), opens, closes, zone_name)


def _zone(where: str, name: str, problems: list[Problem]) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problems.append(
            _bad(where, "time_zone", name, _("Use an IANA name such as Europe/Berlin."))
        )
        return ZoneInfo("UTC")


def _moment(
    where: str, key: str, text: str, zone: ZoneInfo, problems: list[Problem]
) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        problems.append(_bad(where, key, text, _("A date looks like 2027-03-22T09:00.")))
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _twice(rows: list[Row], slugs: list[str]) -> list[Problem]:
    doubles = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    return [
        _bad(rows[-1].where, "run", slug, _("This run is described twice with different values."))
        for slug in doubles
    ]


def _bad(where: str, key: str, value: str, rule: str) -> Problem:
    return Problem(where, _("{key} is {value!r}.").format(key=key, value=value), rule=rule)
