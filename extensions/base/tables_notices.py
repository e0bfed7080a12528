"""The table of messages to a cohort.

Law: a message names nobody; who wrote it stands there by pseudonym.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bioskills.base.tables import Base, now


class Notice(Base):
    """A message that everybody of a cohort reads, from one moment until another."""

    __tablename__ = "notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    shown_from: Mapped[datetime]
    shown_until: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(16))  # pseudonym
    created_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]  # taken away before its time; may be shown again
