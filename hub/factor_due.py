"""Say whose role waits until a second factor is there.

Law: a role that asks for a second factor (`sign_in.second_factor_roles`) does nothing before
its person has one, however long they were signed in when it was given: their sign-ins end,
and until then the campus leaves the seat out. Only for the embedded sign-in; a provider
asks for its own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.settings import Settings
from bioskills.base.tables import Person
from bioskills.base.tables_accounts import Account
from bioskills.hub.membership import Seat, seats


def demanding(settings: Settings) -> frozenset[str]:
    """Return the roles that ask for a second factor here."""
    ours = settings.sign_in.method == "accounts"
    return frozenset(settings.sign_in.second_factor_roles if ours else ())


def acting_seats(session: Session, settings: Settings, name: str, at: datetime) -> list[Seat]:
    """Return the seats of a person that count now."""
    held = seats(session, name, at)
    if not who_lacks(session, settings, {name: held}):
        return held
    return [seat for seat in held if seat.role not in demanding(settings)]


def acts_as(session: Session, settings: Settings, name: str, seat: Seat, at: datetime) -> bool:
    """Say whether a person has this seat, and it counts now: also for the programs they use."""
    return seat in acting_seats(session, settings, name, at)


def who_lacks(
    session: Session, settings: Settings, people: Mapping[str, Sequence[Seat]]
) -> list[str]:
    """Return who of these has a role that asks for a second factor, and has none."""
    wanted = demanding(settings)
    due = {name for name, held in people.items() if any(seat.role in wanted for seat in held)}
    return sorted(due - _with_factor(session)) if due else []


def _with_factor(session: Session) -> set[str]:
    chosen = select(Person.name).join(Account, Account.person_id == Person.id)
    return set(session.scalars(chosen.where(Account.totp_sealed.is_not(None))))
