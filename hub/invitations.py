"""Issue, look up, use and take back the links by which people set their passwords.

Law: a link's secret is 256 random bits, given out once and kept as a hash; it is bound to
one person, ends by itself, and one use ends it for everybody, decided by the database. A
new link of a person ends the ones before. Pure database functions: no page, no mail.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlencode

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from bioskills.base.settings import Settings
from bioskills.base.tables import AuditEntry, Person
from bioskills.base.tables_accounts import Account, JoinLink
from bioskills.hub.addresses import hub_public_url

SECRET_BYTES = 32
PATH = "join"
FIELD = "key"
"""In the query, under a name that the hub's log blots out; the proxy logs no query at all."""


class LinkState(Enum):
    """What has become of a link."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Standing:
    """How far a person has come.

    Attributes:
        has_account: Whether they have set a password.
        link: State of the newest link; UNKNOWN where none was issued.
        expires_at: When the newest link ends.
        second_factor: Whether they have switched it on.
    """

    has_account: bool
    link: LinkState
    expires_at: datetime | None
    second_factor: bool = False


def invite(
    session: Session,
    person_id: int,
    kind: str,
    by: str,
    now: datetime,
    *,
    life: timedelta = timedelta(days=14),
) -> str:
    """Issue a link and return its secret, this once; open links of the person end.

    Args:
        session: A transaction.
        person_id: Whose link it is.
        kind: ``join`` for a first password, ``reset`` for another one.
        by: Pseudonym of who issues it, or the name of the operator.
        now: The present moment.
        life: Until it ends by itself.
    """
    _end_open(session, person_id, now)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    session.add(
        JoinLink(
            sha256=_hash(secret), person_id=person_id, kind=kind,
            issued_by=by, issued_at=now, expires_at=now + life,
        )
    )  # fmt: skip
    _note(session, by, f"issued {kind} link", person_id)
    return secret


def revoke(session: Session, person_id: int, by: str, now: datetime) -> bool:
    """End the open link of a person; say whether there was one."""
    ended = _end_open(session, person_id, now)
    if ended:
        _note(session, by, "revoked link", person_id)
    return ended


def find(session: Session, secret: str) -> JoinLink | None:
    """Return the link of a secret, whatever became of it."""
    return session.scalar(select(JoinLink).where(JoinLink.sha256 == _hash(secret)))


def state_of(link: JoinLink | None, now: datetime) -> LinkState:
    """Return what has become of a link."""
    if link is None:
        return LinkState.UNKNOWN
    if link.used_at:
        return LinkState.USED
    if link.revoked_at:
        return LinkState.REVOKED
    return LinkState.EXPIRED if link.expires_at <= now else LinkState.OPEN


def use(session: Session, link: JoinLink, now: datetime) -> bool:
    """Use a link up; False where somebody was quicker or it has ended."""
    still_open = (
        JoinLink.id == link.id,
        JoinLink.used_at.is_(None),
        JoinLink.revoked_at.is_(None),
        JoinLink.expires_at > now,
    )
    return _changed(session, update(JoinLink).where(*still_open).values(used_at=now))


def standings(session: Session, person_ids: Iterable[int], now: datetime) -> dict[int, Standing]:
    """Return how far each of these people has come."""
    ids = list(person_ids)
    accounts = {
        a.person_id: a for a in session.scalars(select(Account).where(Account.person_id.in_(ids)))
    }
    newest: dict[int, JoinLink] = {}
    for link in session.scalars(
        select(JoinLink).where(JoinLink.person_id.in_(ids)).order_by(JoinLink.id)
    ):
        newest[link.person_id] = link
    return {one: _standing(accounts.get(one), newest.get(one), now) for one in ids}


def address(settings: Settings, secret: str) -> str:
    """Return the link as it is given to a person."""
    return f"{hub_public_url(settings)}{PATH}?{urlencode({FIELD: secret})}"


def _standing(account: Account | None, link: JoinLink | None, now: datetime) -> Standing:
    second = account is not None and account.totp_sealed is not None
    return Standing(
        account is not None, state_of(link, now), link.expires_at if link else None, second
    )


def _end_open(session: Session, person_id: int, now: datetime) -> bool:
    live = (
        JoinLink.person_id == person_id,
        JoinLink.used_at.is_(None),
        JoinLink.revoked_at.is_(None),
        JoinLink.expires_at > now,
    )
    return _changed(session, update(JoinLink).where(*live).values(revoked_at=now))


def _changed(session: Session, statement: object) -> bool:
    done = session.execute(statement)  # type: ignore[call-overload]  # an UPDATE of one of the above
    return isinstance(done, CursorResult) and done.rowcount > 0


def _note(session: Session, by: str, action: str, person_id: int) -> None:
    pseudonym = session.get_one(Person, person_id).pseudonym
    session.add(AuditEntry(actor=by, action=action, subject=pseudonym, detail={}))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
