"""The tables of the embedded sign-in: accounts and join links.

Law: no secret stands here. A password and a recovery code are kept as argon2 or SHA-256
hashes, a link's secret as SHA-256 of 256 random bits, a second factor's key sealed with
a key that is no part of the database.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bioskills.base.tables import Base, now


class Account(Base):
    """How one person proves who they are."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))  # argon2id, with its parameters
    changed_at: Mapped[datetime] = mapped_column(default=now)
    totp_sealed: Mapped[str | None] = mapped_column(Text)  # null: no second factor
    totp_step: Mapped[int | None]  # of the last code taken: none is taken twice
    recovery: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))  # SHA-256 each


class JoinLink(Base):
    """A link by which one person sets a password, once."""

    __tablename__ = "join_link"
    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # join | reset
    issued_by: Mapped[str] = mapped_column(String(64))  # pseudonym, or the operator's command
    issued_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
