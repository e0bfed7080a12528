"""Keep out of a cohort who has left it, although a list still names them.

Law: a list that is applied again takes nobody back who left: it must say so, with *yes* in
the column *returns*; then the leaving is closed in the same transaction. Who has a seat as
a learner from elsewhere has not left.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bioskills.base.tables import AuditEntry, Cohort, Membership, Person
from bioskills.base.tables_teaching import Withdrawal
from bioskills.base.text import _
from bioskills.hub.cohort_change import Change
from bioskills.hub.cohort_record import Record
from bioskills.hub.cohort_wish import WantedPerson

ROLE = "learner"
ACTOR_CHARS = 16


class Left:
    """Who has left one cohort, and may only come back when a list says so.

    Args:
        session: A writing session.
        cohort: Its short name.
        now: The present moment.
    """

    def __init__(self, session: Session, cohort: str, now: datetime) -> None:
        self._session, self._cohort, self._now = session, cohort, now
        rows = session.execute(
            select(Person.name, Withdrawal)
            .join(Withdrawal, Withdrawal.person_id == Person.id)
            .join(Cohort, Cohort.id == Withdrawal.cohort_id)
            .where(Cohort.slug == cohort, Withdrawal.ended_at.is_(None))
            .order_by(Withdrawal.given_at)
        )
        here = _learning(session, cohort, now)
        self._open = {name: row for name, row in rows if name not in here}

    def keeps_out(self, cohort: str, role: str, person: WantedPerson) -> bool:
        """Say whether this seat is not given, because the person has left."""
        asked = (cohort, role) == (self._cohort, ROLE)
        return asked and person.name in self._open and not person.returns

    def note(self, person: WantedPerson) -> Change:
        """Return what the plan says of somebody who is kept out."""
        text = _("has left on {day} and stays out; to take them back, write yes under returns")
        day = f"{self._open[person.name].given_at:%Y-%m-%d}"
        return Change("=", person.name, text.format(day=day), "left", ROLE)

    def close(self, person: WantedPerson, record: Record, actor: str) -> Iterator[Change]:
        """End the leaving of somebody whom the list takes back, and say so."""
        row = self._open.get(person.name)
        if row is not None and person.returns and ROLE in person.roles:
            record.set(row, ended_by=actor[:ACTOR_CHARS], ended_at=self._now)
            self._session.add(self._audit(row, actor))
            text = _("comes back; had left on {day}").format(day=f"{row.given_at:%Y-%m-%d}")
            yield Change("~", person.name, text, "person")

    def _audit(self, row: Withdrawal, actor: str) -> AuditEntry:
        learner = self._session.get_one(Person, row.person_id).pseudonym
        entry = AuditEntry(at=self._now, actor=actor, action="took back withdrawal")
        entry.subject, entry.detail = self._cohort, {"learner": learner}
        return entry


def _learning(session: Session, cohort: str, now: datetime) -> set[str]:
    chosen = (
        select(Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .where(Cohort.slug == cohort, Membership.role == ROLE)
        .where(or_(Membership.valid_to.is_(None), Membership.valid_to > now))
    )
    return set(session.scalars(chosen))
