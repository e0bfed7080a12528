"""The tables of the papers: which texts were in force, and who was shown which.

Law: a text that somebody was shown is never changed; another one is added. What
is kept of a person is that a text was shown, not that they agreed.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bioskills.base.tables import Base, now


class PaperVersion(Base):
    """One state of a paper in all its languages; the newest is in force."""

    __tablename__ = "paper_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    paper: Mapped[str] = mapped_column(String(16), index=True)  # privacy
    sha256: Mapped[str] = mapped_column(String(64))
    texts: Mapped[dict[str, Any]]  # by language: [{title, lines: [{text, item}]}]
    since: Mapped[datetime] = mapped_column(default=now)


class PaperSeen(Base):
    """That a person was shown a state of a paper; once each."""

    __tablename__ = "paper_seen"
    __table_args__ = (UniqueConstraint("person_id", "paper_version_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    paper_version_id: Mapped[int] = mapped_column(ForeignKey("paper_version.id"))
    language: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[datetime] = mapped_column(default=now)
