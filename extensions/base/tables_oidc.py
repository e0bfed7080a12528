"""Which account at an identity provider is which person.

Law: an account is known by the provider and the provider's own id for it, never by
a name or an address: those change, and are given to others. One account is one person,
and a person has one account at a provider.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bioskills.base.tables import Base, now


class ProviderAccount(Base):
    """An account that has signed in, bound to a person for good."""

    __tablename__ = "provider_account"
    __table_args__ = (
        UniqueConstraint("issuer", "subject"),
        # Named: by its first column it would be called as the one above.
        UniqueConstraint("issuer", "person_id", name="uq_provider_account_person"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    bound_at: Mapped[datetime] = mapped_column(default=now)
