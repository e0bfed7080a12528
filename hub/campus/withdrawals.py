"""Let a learner leave a cohort, and come back within days.

Law: leaving ends the seats and nothing else: work, results and evidence stay. Who decided
it, when and why is kept; for some days it can be undone exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.problems import InputError, Problem
from bioskills.base.tables_teaching import Withdrawal
from bioskills.base.text import _
from bioskills.hub.membership import active

UNDO_DAYS = 14
MOST_REASON = 500


@dataclass(frozen=True)
class Left:
    """Somebody who left, as the page of the cohort lists them."""

    id: int
    pseudonym: str
    display_name: str
    reason: str
    by: str
    at: datetime
    may_undo: bool


def withdraw(
    session: Session,
    person: tables.Person,
    cohort: tables.Cohort,
    reason: str,
    *,
    by: str,
    at: datetime,
) -> Withdrawal:
    """End the learner's seats in a cohort.

    Raises:
        InputError: No reason, or the person has no seat there as a learner.
    """
    plain = " ".join(reason.split())
    rows = learner_seats(session, person, cohort, at)
    problems = list(_faults(plain, rows))
    if problems:
        raise InputError(problems)
    row = Withdrawal(
        person_id=person.id,
        cohort_id=cohort.id,
        seats=[
            {"membership": s.id, "valid_to": s.valid_to.isoformat() if s.valid_to else None}
            for s in rows
        ],
        reason=plain,
        given_by=by,
        given_at=at,
    )
    for seat in rows:
        seat.valid_to = at
    session.add(row)
    session.add(_audit(by, "withdrew learner", person, cohort, at))
    return row


def undo(session: Session, key: int, cohort: tables.Cohort, by: str, at: datetime) -> bool:
    """Give the seats back as they were; say whether that could still be done."""
    row = session.get(Withdrawal, key, with_for_update=True)
    if row is None or row.cohort_id != cohort.id or not _may_undo(row, at):
        return False
    for seat in row.seats:
        membership = session.get(tables.Membership, seat["membership"])
        if membership is not None and membership.valid_to == row.given_at:
            until = seat["valid_to"]
            membership.valid_to = datetime.fromisoformat(until) if until else None
    row.ended_by, row.ended_at = by, at
    person = session.get_one(tables.Person, row.person_id)
    session.add(_audit(by, "took back withdrawal", person, cohort, at))
    return True


def left(session: Session, cohort: tables.Cohort, at: datetime) -> list[Left]:
    """Return who left a cohort, the last first."""
    rows = session.execute(
        select(Withdrawal, tables.Person)
        .join(tables.Person, tables.Person.id == Withdrawal.person_id)
        .where(Withdrawal.cohort_id == cohort.id, Withdrawal.ended_at.is_(None))
        .order_by(Withdrawal.given_at.desc())
    )
    return [
        Left(
            row.id, person.pseudonym, person.display_name, row.reason, row.given_by,
            row.given_at, _may_undo(row, at),
        )
        for row, person in rows
    ]  # fmt: skip


def learner_seats(
    session: Session, person: tables.Person, cohort: tables.Cohort, at: datetime
) -> Sequence[tables.Membership]:
    """Return the person's present seats as a learner of a cohort, from whatever source."""
    table = tables.Membership
    mine = (table.person_id == person.id, table.cohort_id == cohort.id, table.role == "learner")
    return session.scalars(select(table).where(*mine, active(at))).all()


def _faults(reason: str, seats: Sequence[tables.Membership]) -> list[Problem]:
    problems = []
    if not reason or len(reason) > MOST_REASON:
        what = _("The reason is empty.") if not reason else _("The reason is too long.")
        step = _("Write one sentence of at most {n} characters.").format(n=MOST_REASON)
        problems.append(Problem("reason", what, next=step))
    if not seats:
        what, step = _("There is no such learner in this cohort now."), _("Look at the cohort.")
        problems.append(Problem("reason", what, next=step))
    return problems


def _may_undo(row: Withdrawal, at: datetime) -> bool:
    return row.ended_at is None and at <= row.given_at + timedelta(days=UNDO_DAYS)


def _audit(
    by: str, action: str, person: tables.Person, cohort: tables.Cohort, at: datetime
) -> tables.AuditEntry:
    detail = {"learner": person.pseudonym}
    return tables.AuditEntry(at=at, actor=by, action=action, subject=cohort.slug, detail=detail)
