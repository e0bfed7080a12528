"""Tables of cohorts beside their people: options, tags, and what each apply changed.

Law: as in `tables.py`. A change record knows people by id alone, so a changed name or
address is not in it, and is not taken back by an undo.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bioskills.base.tables import Base, now


class CohortOptions(Base):
    """What a cohort's file says beside title and limits."""

    __tablename__ = "cohort_options"
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    seats: Mapped[int | None]  # most learners; null: no end
    environment: Mapped[str] = mapped_column(String(64), default="")


class SeatTags(Base):
    """Words by which a provider sorts the people of a cohort."""

    __tablename__ = "seat_tags"
    __table_args__ = (UniqueConstraint("cohort_id", "person_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    tags: Mapped[list[Any]]


class CohortChange(Base):
    """One apply, removal, copy or undo: every row before and after, so that it can be taken back."""

    __tablename__ = "cohort_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[str] = mapped_column(String(64))
    cohort: Mapped[str] = mapped_column(String(40), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # apply | remove | undo
    count: Mapped[int]
    rows: Mapped[list[Any]]  # [{table, id, before, after}], in the order of writing
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(64))
