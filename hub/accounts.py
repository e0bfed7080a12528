"""Keep the accounts of the embedded sign-in.

Law: only a person who was provisioned can have one; nothing here makes a person. Each
change is in its caller's transaction, with its line in the audit log. What a password or
a code is stays with the caller: here come hashes and sealed keys.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bioskills.base.tables import ApiToken, AuditEntry, Person, WebSession
from bioskills.base.tables_accounts import Account
from bioskills.hub.passwords import make_printed_hash


@dataclass(frozen=True)
class Known:
    """What is kept of one person's sign-in, at the moment of asking."""

    person_id: int
    name: str
    pseudonym: str
    password_hash: str | None
    totp_sealed: str | None


def known(session: Session, name: str) -> Known | None:
    """Return what is kept of a person; None for a stranger."""
    row = session.execute(
        select(Person.id, Person.pseudonym, Account.password_hash, Account.totp_sealed)
        .outerjoin(Account, Account.person_id == Person.id)
        .where(Person.name == name)
    ).one_or_none()
    return Known(row[0], name, row[1], row[2], row[3]) if row else None


def account_of(session: Session, person_id: int) -> Account | None:
    """Return a person's account."""
    return session.scalar(select(Account).where(Account.person_id == person_id))


def set_password(session: Session, person: Person, hashed: str, now: datetime) -> None:
    """Give a person this password, with a line in the audit log."""
    account = account_of(session, person.id)
    if account is None:
        account = Account(person_id=person.id)
        session.add(account)
    account.password_hash, account.changed_at = hashed, now
    note(session, person.pseudonym, "set password", person.pseudonym)


def renew_hash(session: Session, person_id: int, before: str, after: str) -> None:
    """Keep the same password under today's parameters, if nobody changed it meanwhile."""
    chosen = (Account.person_id == person_id, Account.password_hash == before)
    session.execute(update(Account).where(*chosen).values(password_hash=after))


def end_campus_sessions(session: Session, person: Person, now: datetime) -> None:
    """End the person's sessions at the campus and take back the tokens made there."""
    session.execute(delete(WebSession).where(WebSession.person_name == person.name))
    live = (ApiToken.person_id == person.id, ApiToken.revoked_at.is_(None))
    session.execute(update(ApiToken).where(*live).values(revoked_at=now))


def owners_of_live_tokens(session: Session, now: datetime) -> set[str]:
    """Return the names of those who made a token at the campus that may still be used."""
    live = (ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
    chosen = select(Person.name).join(ApiToken, ApiToken.person_id == Person.id)
    return set(session.scalars(chosen.where(*live)))


def fill_printed(session: Session, passwords: Mapping[str, str], now: datetime) -> None:
    """Give printed passwords to those of these people who have no account."""
    without = (
        select(Person)
        .outerjoin(Account, Account.person_id == Person.id)
        .where(Account.id.is_(None), Person.name.in_(list(passwords)))
    )
    for person in session.scalars(without).all():
        hashed = make_printed_hash(passwords[person.name])
        session.add(Account(person_id=person.id, password_hash=hashed, changed_at=now))


def new_printed_password() -> str:
    """Return a password to print."""
    return secrets.token_urlsafe(6)


def note(session: Session, actor: str, action: str, subject: str) -> None:
    """Write a line into the audit log."""
    session.add(AuditEntry(actor=actor, action=action, subject=subject, detail={}))
