"""Answer who may do what, from the one membership table.

Law (charter 6): membership lives in this table alone. The hub's groups and
roles, the campus's permissions and the lists of learners are all derived from
here, at the moment they are asked for.

Vocabulary: a *seat* is one active row: this person has this role in this cohort.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from bioskills.base.languages import name_key
from bioskills.base.tables import Cohort, Membership, Person, now


@dataclass(frozen=True, order=True)
class Seat:
    """One role of one person in one cohort, active at the moment of asking."""

    cohort: str
    role: str


def active(at: datetime) -> ColumnElement[bool]:
    """Return the condition that a membership row counts at this moment."""
    return and_(
        or_(Membership.valid_from.is_(None), Membership.valid_from <= at),
        or_(Membership.valid_to.is_(None), Membership.valid_to > at),
    )


def find_person(session: Session, name: str) -> Person | None:
    """Return the person with this user name, whether or not they have a seat."""
    return session.scalar(select(Person).where(Person.name == name))


def seats(session: Session, name: str, at: datetime | None = None) -> list[Seat]:
    """Return the active seats of a person, sorted; empty for a stranger."""
    return seats_and_limits(session, name, at)[0]


def seats_and_limits(
    session: Session, name: str, at: datetime | None = None
) -> tuple[list[Seat], list[dict[str, int]]]:
    """Return the active seats of a person and what their cohorts set for labs: one look."""
    rows = session.execute(
        select(Cohort.slug, Membership.role, Cohort.limits)
        .join(Membership, Membership.cohort_id == Cohort.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Person.name == name, active(at or now()))
    ).all()
    held = sorted({Seat(cohort, role) for cohort, role, limits in rows})
    return held, [limits for cohort, role, limits in rows if limits]


def has_seat(
    session: Session, name: str, cohort: str, roles: Iterable[str], at: datetime | None = None
) -> bool:
    """Say whether the person holds one of these roles in this cohort."""
    wanted = set(roles)
    return any(seat.cohort == cohort and seat.role in wanted for seat in seats(session, name, at))


def people_in(session: Session, cohort: str, role: str, at: datetime | None = None) -> list[Person]:
    """Return the people with this role in this cohort, by display name."""
    chosen = _people(active(at or now())).where(Cohort.slug == cohort, Membership.role == role)
    return sorted(session.scalars(chosen), key=lambda person: name_key(person.display_name))


def everybody(session: Session, at: datetime | None = None) -> dict[str, list[Seat]]:
    """Return the active seats of all people by user name."""
    rows = session.execute(
        select(Person.name, Cohort.slug, Membership.role)
        .join(Membership, Membership.person_id == Person.id)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .where(active(at or now()))
        .order_by(Person.name)
    )
    found: dict[str, list[Seat]] = {}
    for name, cohort, role in rows:
        found.setdefault(name, []).append(Seat(cohort, role))
    return {name: sorted(set(held)) for name, held in found.items()}


def _people(condition: ColumnElement[bool]) -> Select[Person]:
    return (
        select(Person)
        .distinct()
        .join(Membership, Membership.person_id == Person.id)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .where(condition)
    )
