"""Look at cohorts: who is in them, what runs there, what changed last.

Law: reads only, one look each for all rows; the command line and the people page show the
same. A person is in the list while a seat of theirs lasts or is still to come.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bioskills.base.languages import name_key
from bioskills.base.problems import InputError, Problem, nearest
from bioskills.base.tables import PLATFORM, Cohort, CourseVersion, Membership, Person, Run
from bioskills.base.tables_cohorts import CohortChange, CohortOptions, SeatTags
from bioskills.base.text import _


@dataclass(frozen=True)
class RunLine:
    """One run of a cohort."""

    slug: str
    course: str
    version: str
    opens_at: datetime
    closes_at: datetime
    time_zone: str

    def state(self, at: datetime) -> str:
        """Return ``coming``, ``running`` or ``ended``."""
        if at < self.opens_at:
            return "coming"
        return "running" if at < self.closes_at else "ended"


@dataclass(frozen=True)
class PersonLine:
    """One person of a cohort; `since` and `until` span their seats."""

    name: str
    pseudonym: str
    display_name: str
    email: str
    roles: tuple[str, ...]
    tags: tuple[str, ...]
    since: datetime | None
    until: datetime | None

    def coming(self, at: datetime) -> bool:
        """Say whether the seat is still to begin."""
        return self.since is not None and self.since > at


@dataclass(frozen=True)
class CohortLine:
    """One cohort."""

    slug: str
    title: str
    seats: int | None
    environment: str
    limits: dict[str, int]
    runs: tuple[RunLine, ...]
    people: tuple[PersonLine, ...]
    changed_at: datetime | None
    changed_by: str = ""

    def count(self, role: str) -> int:
        """Return how many people hold a role here."""
        return sum(role in person.roles for person in self.people)

    @property
    def staff(self) -> int:
        """How many people are here in another role than learner."""
        return sum(bool({*person.roles} - {"learner"}) for person in self.people)

    def state(self, at: datetime) -> str:
        """Return ``empty``, ``coming``, ``running`` or ``ended``."""
        if not self.people:
            return "empty"
        states = {run.state(at) for run in self.runs}
        return next((s for s in ("running", "coming", "ended") if s in states), "running")


@dataclass
class _Held:
    person: Person
    roles: set[str] = field(default_factory=set)
    since: list[datetime | None] = field(default_factory=list)
    until: list[datetime | None] = field(default_factory=list)


def cohorts(session: Session, at: datetime, slugs: Iterable[str] = ()) -> list[CohortLine]:
    """Return all cohorts, or those named, by title."""
    chosen = select(Cohort).where(Cohort.slug != PLATFORM)
    wanted = list(slugs)
    found = session.scalars(chosen.where(Cohort.slug.in_(wanted)) if wanted else chosen)
    rows = sorted(found, key=lambda row: name_key(row.title))
    people, runs, changes = _people(session, at), _runs(session), _changes(session)
    options = {row.cohort_id: row for row in session.scalars(select(CohortOptions))}
    return [
        CohortLine(
            slug=row.slug,
            title=row.title,
            seats=options[row.id].seats if row.id in options else None,
            environment=options[row.id].environment if row.id in options else "",
            limits=dict(row.limits or {}),
            runs=tuple(runs[row.id]),
            people=tuple(people[row.id]),
            changed_at=changes[row.slug].at if row.slug in changes else None,
            changed_by=changes[row.slug].actor if row.slug in changes else "",
        )
        for row in rows
    ]


def find_cohort(session: Session, slug: str, at: datetime) -> CohortLine:
    """Return one cohort.

    Raises:
        InputError: There is none of this name.
    """
    found = cohorts(session, at, [slug])
    if found and slug != PLATFORM:
        return found[0]
    known = list(session.scalars(select(Cohort.slug).where(Cohort.slug != PLATFORM)))
    near = nearest(slug, known)
    step = _("Did you mean {near}?").format(near=near) if near else _("See: bioskills cohort list")
    raise InputError([Problem(slug[:60], _("there is no such cohort."), next=step)])


def _people(session: Session, at: datetime) -> dict[int, list[PersonLine]]:
    lasting = or_(Membership.valid_to.is_(None), Membership.valid_to > at)
    chosen = select(Membership, Person).join(Person, Person.id == Membership.person_id)
    held: dict[tuple[int, int], _Held] = {}
    for seat, person in session.execute(chosen.where(lasting)):
        one = held.setdefault((seat.cohort_id, person.id), _Held(person))
        one.roles.add(seat.role)
        one.since.append(seat.valid_from)
        one.until.append(seat.valid_to)
    tags = {(row.cohort_id, row.person_id): row.tags for row in session.scalars(select(SeatTags))}
    found: dict[int, list[PersonLine]] = defaultdict(list)
    for key, one in held.items():
        found[key[0]].append(_line(one, tags.get(key, [])))
    for lines in found.values():
        lines.sort(key=lambda line: (name_key(line.display_name), line.name))
    return found


def _line(one: _Held, tags: list[Any]) -> PersonLine:
    since = None if None in one.since else min(date for date in one.since if date)
    until = None if None in one.until else max(date for date in one.until if date)
    person = one.person
    return PersonLine(
        name=person.name,
        pseudonym=person.pseudonym,
        display_name=person.display_name,
        email=person.email or "",
        roles=tuple(sorted(one.roles)),
        tags=tuple(map(str, tags)),
        since=since,
        until=until,
    )


def _runs(session: Session) -> dict[int, list[RunLine]]:
    chosen = select(Run, CourseVersion).join(
        CourseVersion, CourseVersion.id == Run.course_version_id
    )
    found: dict[int, list[RunLine]] = defaultdict(list)
    for run, version in session.execute(chosen.order_by(Run.opens_at, Run.id)):
        found[run.cohort_id].append(
            RunLine(
                run.slug,
                version.course,
                version.version,
                run.opens_at,
                run.closes_at,
                run.time_zone,
            )
        )
    return found


def _changes(session: Session) -> dict[str, CohortChange]:
    return {
        row.cohort: row for row in session.scalars(select(CohortChange).order_by(CohortChange.id))
    }
