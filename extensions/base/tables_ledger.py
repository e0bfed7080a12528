"""The tables beside the ledger: its signed checkpoints, and one key per learner.

Law: checkpoints are added, never changed or removed, as the records that they seal; triggers
of the database hold that. The one row that may go is a learner's key: what was sealed with it
is then closed to everybody.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bioskills.base.tables import Base, now


class LedgerCheckpoint(Base):
    """What the ledger was at one time, signed; the files beside the key hold the same."""

    __tablename__ = "ledger_checkpoint"
    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    count: Mapped[int]
    at: Mapped[datetime]
    kid: Mapped[str] = mapped_column(String(64))
    jws: Mapped[str] = mapped_column(Text, unique=True)


class LearnerKey(Base):
    """The key that seals what is said about one learner; gone once they are forgotten."""

    __tablename__ = "learner_key"
    learner: Mapped[str] = mapped_column(ForeignKey("person.pseudonym"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(default=now)
