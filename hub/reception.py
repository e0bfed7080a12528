"""What the pages of the embedded sign-in share, and each step they take.

Law: one object in the hub's process, given to every handler. What writes to our database
does so in a thread, because another writer may hold it and the hub must go on answering.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from sqlalchemy.orm import Session

from bioskills.base.places import places_of
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import Person, now
from bioskills.hub import accounts, invitations, second_factor
from bioskills.hub.accounts import Known
from bioskills.hub.attempts import Attempts
from bioskills.hub.factor_due import demanding
from bioskills.hub.invitations import LinkState
from bioskills.hub.membership import find_person, seats
from bioskills.hub.passwords import Turns, faults_of, is_dated
from bioskills.hub.secrets_store import read_secret
from bioskills.hub.state import secret_files

T = TypeVar("T")


@dataclass(frozen=True)
class Invited:
    """Whom a link is for, and what became of it."""

    state: LinkState
    person_id: int = 0
    name: str = ""
    display_name: str = ""
    kind: str = ""
    own_words: tuple[str, ...] = ()


@dataclass
class Reception:
    """The embedded sign-in of one hub process."""

    settings: Settings
    store: Store
    attempts: Attempts = field(default_factory=Attempts)
    clock: Callable[[], datetime] = now

    @cached_property
    def turns(self) -> Turns:
        """The queue of hashes; made where the event loop runs."""
        return Turns()

    @cached_property
    def sealer(self) -> second_factor.Sealer:
        """Seals the keys of second factors."""
        return second_factor.Sealer(
            read_secret(secret_files(places_of(self.settings)).second_factor)
        )

    async def writing(self, act: Callable[[Session], T]) -> T:
        """Do something in one transaction, beside the event loop."""

        def do() -> T:
            with self.store.transaction() as session:
                return act(session)

        return await asyncio.to_thread(do)

    def known(self, name: str) -> Known | None:
        """Return what is kept of a person."""
        with self.store.reading() as session:
            return accounts.known(session, name)

    async def proven(self, name: str, password: str) -> Known | None:
        """Return the person whose password this is; a stranger takes as long as a wrong one."""
        found = self.known(name)
        kept = found.password_hash if found else None
        if not await self.turns.matches(kept, password) or found is None or kept is None:
            return None
        if is_dated(kept):
            newer = await self.turns.make_hash(password)
            await self.writing(lambda s: accounts.renew_hash(s, found.person_id, kept, newer))
        return found

    def needs_second_factor(self, name: str) -> bool:
        """Say whether a role of this person asks for a second factor."""
        with self.store.reading() as session:
            return any(seat.role in demanding(self.settings) for seat in seats(session, name))

    def invited(self, secret: str) -> Invited:
        """Return whom a link is for; nothing about the person where it is not open."""
        with self.store.reading() as session:
            link = invitations.find(session, secret)
            state = invitations.state_of(link, self.clock())
            if link is None or state is not LinkState.OPEN:
                return Invited(state)
            person = session.get_one(Person, link.person_id)
            return Invited(
                state, person.id, person.name, person.display_name, link.kind, own_words(person)
            )

    async def join(self, secret: str, hashed: str) -> LinkState:
        """Use up a link and set the password, or return why that is not possible."""
        return await self.writing(lambda session: self._join(session, secret, hashed))

    def _join(self, session: Session, secret: str, hashed: str) -> LinkState:
        at = self.clock()
        link = invitations.find(session, secret)
        if link is None or not invitations.use(session, link, at):
            return invitations.state_of(link, at)
        person = session.get_one(Person, link.person_id)
        accounts.set_password(session, person, hashed, at)
        accounts.end_campus_sessions(session, person, at)
        return LinkState.OPEN

    async def change_password(self, name: str, password: str) -> None:
        """Set another password of somebody who has just proven the old one."""
        hashed = await self.turns.make_hash(password)

        def change(session: Session) -> None:
            person = _person(session, name)
            accounts.set_password(session, person, hashed, self.clock())
            accounts.end_campus_sessions(session, person, self.clock())

        await self.writing(change)

    async def end_campus_sessions(self, name: str) -> None:
        """End what a person has open at the campus."""

        def end(session: Session) -> None:
            accounts.end_campus_sessions(session, _person(session, name), self.clock())

        await self.writing(end)

    def password_faults(self, name: str, password: str) -> list[str]:
        """Return why a password will not do for this person."""
        with self.store.reading() as session:
            return faults_of(password, own_words(_person(session, name)))

    async def takes_code(self, name: str, code: str) -> bool:
        """Say whether a code of the app or a recovery code is right, and use it up."""
        found = self.known(name)
        key = self.sealer.open(found.totp_sealed, name) if found and found.totp_sealed else None
        if found is None or key is None:
            return False
        step = second_factor.step_of(key, code, self.clock())

        def take(session: Session) -> bool:
            account = accounts.account_of(session, found.person_id)
            if account is None:
                return False
            if step is not None:
                return second_factor.take_code(session, account, step)
            right = second_factor.take_recovery(account, code)
            if right:
                accounts.note(session, found.pseudonym, "used recovery code", found.pseudonym)
            return right

        return await self.writing(take)

    async def switch_on(self, name: str, key: bytes, code: str) -> list[str] | None:
        """Ask for codes from now on; return recovery codes, or None for a wrong code.

        None as well where it is on by now: of two at the same time one key counts.
        """
        step = second_factor.step_of(key, code, self.clock())
        if step is None:
            return None
        codes, sealed = second_factor.new_recovery_codes(), self.sealer.seal(key, name)

        def switch(session: Session) -> bool:
            person = _person(session, name)
            account = accounts.account_of(session, person.id)
            if account is None or account.totp_sealed is not None:
                return False
            second_factor.switch_on(account, sealed, step, codes)
            note = "switched on second factor"
            accounts.note(session, person.pseudonym, note, person.pseudonym)
            return True

        return codes if await self.writing(switch) else None

    async def switch_off(self, name: str) -> None:
        """Ask for the password alone from now on."""
        await self.writing(lambda session: switch_off(session, _person(session, name)))


def switch_off(session: Session, person: Person, by: str = "") -> bool:
    """Switch a person's second factor off; say whether it was on."""
    account = accounts.account_of(session, person.id)
    if account is None or account.totp_sealed is None:
        return False
    second_factor.switch_off(account)
    accounts.note(session, by or person.pseudonym, "switched off second factor", person.pseudonym)
    return True


def own_words(person: Person) -> tuple[str, ...]:
    """Return what everybody knows of a person: no password is made of it."""
    mail = (person.email or "").partition("@")[0]
    return tuple(word for word in (person.name, person.display_name, mail) if word)


def make_reception(settings: Settings, store: Store) -> Reception:
    """Return the embedded sign-in for these settings."""
    return Reception(settings, store)


def _person(session: Session, name: str) -> Person:
    person = find_person(session, name)
    if person is None:
        raise LookupError(name)
    return person
