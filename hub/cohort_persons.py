"""Read people out of the rows of a cohort file.

Law: pure. Every fault of a row is told at once; a row with a fault gives nobody.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from bioskills.base.problems import Problem, nearest
from bioskills.base.tables import ROLES
from bioskills.base.text import _
from bioskills.hub.cohort_dates import moment_of, zone_of
from bioskills.hub.cohort_rows import Row, Sheet
from bioskills.hub.cohort_wish import Fault, WantedPerson, bad, shortened
from bioskills.hub.grading_accounts import is_account

NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?", re.ASCII)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
TAG = re.compile(r"[\w.-]{1,40}")
MOST_CHARS = 100
MOST_EMAIL = 254
MOST_TAGS = 20
PARTS = re.compile(r"[\s,;|]+")


def people_of(sheet: Sheet, default_zone: str, problems: list[Problem]) -> list[WantedPerson]:
    """Return everybody whose row is right; what is wrong is added to the problems."""
    people: dict[str, WantedPerson] = {}
    addresses: dict[str, str] = {}
    slug = sheet.cohort.values.get("slug", "")
    for row in sheet.people:
        other = row.values.get("cohort") or slug
        if other != slug:
            rule = _("One file holds one cohort.")
            problems.append(bad(row.where, "cohort", other, rule, row.line))
        person = _person(row, default_zone, problems)
        if person is None:
            continue
        if person.name in people:
            rule = _("This name stands in an earlier row; put all roles into one row.")
            problems.append(bad(row.where, "name", person.name, rule, row.line))
        problems += list(_same_address(person, addresses))
        people.setdefault(person.name, person)
    return list(people.values())


def _same_address(person: WantedPerson, addresses: dict[str, str]) -> Iterator[Fault]:
    if person.email:
        first = addresses.setdefault(person.email.casefold(), person.name)
        if first != person.name:
            rule = _("This address is that of {name} in an earlier row.").format(name=first)
            yield bad(person.where, "email", person.email, rule, person.line)


def _person(row: Row, default_zone: str, problems: list[Problem]) -> WantedPerson | None:
    name, email = row.values.get("name", "").lower(), row.values.get("email", "")
    roles, tags = _parts(row, "roles"), _parts(row, "tags")
    before = len(problems)
    problems += list(_name_problems(row, name))
    problems += list(_email_problems(row, email))
    problems += list(text_problems(row, "display_name"))
    problems += list(_role_problems(row, roles))
    problems += list(_tag_problems(row, tags))
    since, until = _dates(row, default_zone, problems)
    returns = row.values.get("returns", "").lower()
    if returns not in {"", "yes"}:
        rule = _("It is yes or empty.")
        problems.append(bad(row.where, "returns", returns, rule, row.line))
    if len(problems) > before:
        return None
    display = row.values.get("display_name") or name
    pseudonym = row.values.get("pseudonym", "")
    return WantedPerson(
        *(name, display, email or None, roles, tags, since, until, pseudonym),
        returns=bool(returns),
        where=row.where,
        line=row.line,
    )


def _parts(row: Row, key: str) -> tuple[str, ...]:
    return tuple(sorted(set(PARTS.split(row.values.get(key, ""))) - {""}))


def _dates(
    row: Row, default_zone: str, problems: list[Problem]
) -> tuple[datetime | None, datetime | None]:
    if not row.values.get("from") and not row.values.get("to"):
        return None, None
    zone = zone_of(row, row.values.get("time_zone") or default_zone, problems)
    since, until = (
        moment_of(row, key, zone, problems, ends=key == "to") if row.values.get(key) else None
        for key in ("from", "to")
    )
    if since and until and since >= until:
        rule = _("A seat ends after it begins.")
        problems.append(bad(row.where, "to", row.values["to"], rule, row.line))
    return since, until


def _name_problems(row: Row, name: str) -> Iterator[Fault]:
    if is_account(name):
        rule = _("Names that begin like this belong to the site's own accounts; choose another.")
        yield bad(row.where, "name", name, rule, row.line)
    if not NAME.fullmatch(name):
        rule = _("A name is 1-40 of a-z, 0-9, dot and hyphen, and is used to sign in.")
        yield bad(row.where, "name", name, rule, row.line)


def _email_problems(row: Row, email: str) -> Iterator[Fault]:
    visible = not any(unicodedata.category(char).startswith("C") for char in email)
    if email and not (EMAIL.fullmatch(email) and visible and len(email) <= MOST_EMAIL):
        rule = _("A mail address looks like lea@example.org; leave it empty where there is none.")
        yield bad(row.where, "email", email, rule, row.line)


def text_problems(row: Row, key: str) -> Iterator[Fault]:
    """Refuse a text that could not stand on one line."""
    # Line feeds and direction marks could forge lines of the plan that a person reads.
    text = row.values.get(key, "")
    if len(text) > MOST_CHARS or any(unicodedata.category(char).startswith("C") for char in text):
        rule = _("It is one line of at most {n} visible characters.").format(n=MOST_CHARS)
        yield bad(row.where, key, text[:MOST_CHARS], rule, row.line)


def _tag_problems(row: Row, tags: tuple[str, ...]) -> Iterator[Fault]:
    if len(tags) > MOST_TAGS or not all(map(TAG.fullmatch, tags)):
        rule = _("Tags are at most {n} words of letters, digits, dot and hyphen.")
        yield bad(row.where, "tags", row.values["tags"][:200], rule.format(n=MOST_TAGS), row.line)


def _role_problems(row: Row, roles: tuple[str, ...]) -> Iterator[Fault]:
    known = _("Roles: {roles}.").format(roles=", ".join(ROLES))
    if not roles:
        yield Fault(row.where, _("no role is given."), "", known, row.line, "roles")
    for role in roles:
        if role not in ROLES:
            near = nearest(role, (*ROLES, "teacher", "student"))
            guess = {"teacher": "instructor", "student": "learner"}.get(near, near)
            hint = _("Did you mean {near}?").format(near=guess) if guess else known
            what = _("there is no role {role}.").format(role=shortened(role))
            yield Fault(row.where, what, "", hint, row.line, "roles", shortened(role))
