"""The tables of what instructors decide while a run goes on.

Law: a decision says who made it, when and why, and is ended, never erased; people are
ids or pseudonyms.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bioskills.base.tables import Base, now


class LateRule(Base):
    """What happens with late work on one assignment, where the run differs from the course."""

    __tablename__ = "late_rule"
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), unique=True)
    accepted: Mapped[str] = mapped_column(String(16))  # until_close | days | never
    days: Mapped[int]
    percent_per_day: Mapped[int]
    set_by: Mapped[str] = mapped_column(String(16))
    set_at: Mapped[datetime] = mapped_column(default=now)


class Excuse(Base):
    """A learner need not hand in one assignment: neither missing nor done."""

    __tablename__ = "excuse"
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    given_by: Mapped[str] = mapped_column(String(16))
    given_at: Mapped[datetime] = mapped_column(default=now)
    ended_by: Mapped[str | None] = mapped_column(String(16))
    ended_at: Mapped[datetime | None]


class Resit(Base):
    """Another attempt for one learner, with a due date of its own: at the same assignment, or by another."""

    __tablename__ = "resit"
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    by_assignment_id: Mapped[int | None] = mapped_column(ForeignKey("assignment.id"))
    due_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(500))
    given_by: Mapped[str] = mapped_column(String(16))
    given_at: Mapped[datetime] = mapped_column(default=now)
    ended_by: Mapped[str | None] = mapped_column(String(16))
    ended_at: Mapped[datetime | None]


class Withdrawal(Base):
    """A learner left a cohort; the seats that ended with it, to undo it within days."""

    __tablename__ = "withdrawal"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    seats: Mapped[list[Any]]  # [{membership, valid_to}], as it was before
    reason: Mapped[str] = mapped_column(String(500))
    given_by: Mapped[str] = mapped_column(String(16))
    given_at: Mapped[datetime] = mapped_column(default=now)
    ended_by: Mapped[str | None] = mapped_column(String(16))
    ended_at: Mapped[datetime | None]


class Look(Base):
    """Somebody other than the learner saw the learner's work or result: once an hour and thing."""

    __tablename__ = "look"
    __table_args__ = (UniqueConstraint("person_id", "actor", "what", "subject", "hour"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    actor: Mapped[str] = mapped_column(String(16))  # pseudonym
    role: Mapped[str] = mapped_column(String(16))
    what: Mapped[str] = mapped_column(String(24))
    subject: Mapped[str] = mapped_column(String(200))
    hour: Mapped[datetime]
    at: Mapped[datetime]
