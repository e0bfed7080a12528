"""List the people of a cohort as its own file would hold them.

Law: the list, applied unchanged, changes nothing. So it holds the seats that lists gave, the
roles of the platform among them, and no seat of another source; a date stands there only
where it is the same for all of a person's roles.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bioskills.base.tables import Cohort, Membership, Person
from bioskills.base.tables_cohorts import SeatTags
from bioskills.hub.cohort_people import SOURCE
from bioskills.hub.cohort_view import PersonLine


def listed_people(session: Session, cohort: str, at: datetime) -> list[PersonLine]:
    """Return everybody who has a seat from this cohort's lists, by name."""
    lasting = or_(Membership.valid_to.is_(None), Membership.valid_to > at)
    chosen = (
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .where(lasting, Membership.source == SOURCE.format(cohort=cohort))
        .order_by(Person.display_name, Person.id, Membership.role)
    )
    rows = ((person, seat) for person, seat in session.execute(chosen))
    return list(_lines(rows, _tags(session, cohort)))


def _lines(
    rows: Iterable[tuple[Person, Membership]], tags: dict[int, tuple[str, ...]]
) -> Iterator[PersonLine]:
    for person, group in groupby(rows, key=lambda row: row[0]):
        seats = [seat for _person, seat in group]
        yield PersonLine(
            name=person.name,
            pseudonym=person.pseudonym,
            display_name=person.display_name,
            email=person.email or "",
            roles=tuple(seat.role for seat in seats),
            tags=tags.get(person.id, ()),
            since=_same({seat.valid_from for seat in seats}),
            until=_same({seat.valid_to for seat in seats}),
        )


def _same(moments: set[datetime | None]) -> datetime | None:
    return next(iter(moments)) if len(moments) == 1 else None


def _tags(session: Session, cohort: str) -> dict[int, tuple[str, ...]]:
    chosen = select(SeatTags).join(Cohort, Cohort.id == SeatTags.cohort_id)
    rows = session.scalars(chosen.where(Cohort.slug == cohort))
    return {row.person_id: tuple(map(str, row.tags)) for row in rows}
