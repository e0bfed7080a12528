"""Make people and their seats as a cohort file wants them.

Law: seats from another source (a claim, a page) are never touched. Who has the address of
somebody else is asked about, never guessed to be the same person.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import PLATFORM, Cohort, Membership, Person
from bioskills.base.tables_cohorts import SeatTags
from bioskills.base.text import _
from bioskills.hub.cohort_change import Change
from bioskills.hub.cohort_left import Left
from bioskills.hub.cohort_record import Record
from bioskills.hub.cohort_wish import PLATFORM_ROLES, WantedPerson, Wish

SOURCE = "file:{cohort}"
"""A seat names the cohort of the file that gave it: who leaves that file loses it, and no other."""
AT_ONCE = 500

Key = tuple[str, str, str]
"""User name, cohort, role."""


class People:
    """The people of one wish, as they are and as they become.

    Args:
        session: A writing session.
        wish: What the file wants.
        record: Where every written row is kept.
        actor: Who applies it.
        now: The present moment.
    """

    def __init__(
        self, session: Session, wish: Wish, record: Record, actor: str, now: datetime
    ) -> None:
        self._actor, self._left = actor, Left(session, wish.cohort, now)
        self._session, self._wish, self._record, self._now = session, wish, record, now
        self._known = self._find([person.name for person in wish.people])

    def _find(self, names: Sequence[str]) -> dict[str, Person]:
        found: dict[str, Person] = {}
        for start in range(0, len(names), AT_ONCE):
            chosen = select(Person).where(Person.name.in_(names[start : start + AT_ONCE]))
            found |= {person.name: person for person in self._session.scalars(chosen)}
        return found

    # ---- what is refused

    def check(self, *, platform_roles: bool) -> None:
        """Refuse who cannot be meant.

        Raises:
            InputError: With every fault at once.
        """
        problems = [*self._same_addresses(), *self._other_pseudonyms()]
        if not platform_roles:
            problems += self._platform_roles()
        if problems:
            raise InputError(problems)

    def _same_addresses(self) -> Iterator[Problem]:
        chosen = select(Person.name, Person.email).where(Person.email.is_not(None))
        inside = {person.name for person in self._wish.people}
        taken = {
            str(email).casefold(): name
            for name, email in self._session.execute(chosen)
            if name not in inside
        }
        for person in self._wish.people:
            other = taken.get((person.email or "").casefold())
            if other and person.email:
                what = _("{email} is the address of {other}, who is not in this file.").format(
                    email=person.email, other=other
                )
                step = _(
                    "If it is the same person, keep the name {other}; if not, give another address."
                ).format(other=other)
                yield person.fault("email", person.email, what, step)

    def _other_pseudonyms(self) -> Iterator[Problem]:
        for person in self._wish.people:
            known = self._known.get(person.name)
            own = known.pseudonym if known else ""
            if person.pseudonym and person.pseudonym != own:
                what = _("{name} has the pseudonym {own}, not {other}.").format(
                    name=person.name, own=own or _("none yet"), other=person.pseudonym
                )
                step = _("Leave it empty: a file changes no pseudonym.")
                yield person.fault("pseudonym", person.pseudonym, what, step)

    def _platform_roles(self) -> Iterator[Problem]:
        # A partner's spreadsheet must not make an admin unnoticed, nor end one.
        rows, wanted = self._rows(), self._wanted()
        step = _("If that is meant, add --platform-roles; on the page, tick its box.")
        given = {key[0:3:2] for key, row in rows.items() if self._is_active(row)}
        given |= self._held_elsewhere()
        for person in self._wish.people:
            for role in set(person.roles) & set(PLATFORM_ROLES):
                if (person.name, role) not in given:
                    what = _("{role} is a role of the whole platform, and this file would give it.")
                    yield person.fault("roles", role, what.format(role=role), step)
        for key, row in rows.items():
            if key[1] == PLATFORM and key not in wanted and self._is_active(row):
                what = _("{role} is a role of the whole platform, and this file would end it.")
                yield Problem(key[0], what.format(role=key[2]), next=step)

    def _held_elsewhere(self) -> set[tuple[str, str]]:
        chosen = (
            select(Person.name, Membership.role, Membership)
            .join(Membership, Membership.person_id == Person.id)
            .join(Cohort, Cohort.id == Membership.cohort_id)
            .where(Cohort.slug == PLATFORM)
        )
        return {
            (name, role)
            for name, role, row in self._session.execute(chosen)
            if self._is_active(row)
        }

    # ---- what is written

    def ensure(self) -> Iterator[Change]:
        """Make people, seats and tags as wanted, and say what changes."""
        yield from self._ensure_people()
        self._session.flush()
        yield from self._ensure_seats()
        for person in self._wish.people:
            yield from self._left.close(person, self._record, self._actor)
        yield from self._ensure_tags()

    def _ensure_people(self) -> Iterator[Change]:
        number = self._session.scalar(select(func.max(Person.id))) or 0
        for wanted in self._wish.people:
            person = self._known.get(wanted.name)
            if person is None:
                number += 1
                self._record.add(self._new(wanted, number))
                text = _("new person {display}").format(display=wanted.display_name)
                yield Change("+", wanted.name, text, "person")
                continue
            for key in ("display_name", "email"):
                old, new = getattr(person, key), getattr(wanted, key)
                if old != new:
                    self._record.set(person, **{key: new})
                    text = f"{key} {old or '-'} → {new or '-'}"
                    yield Change("~", wanted.name, text, "person")

    def _new(self, wanted: WantedPerson, number: int) -> Person:
        person = Person(
            name=wanted.name,
            pseudonym=f"p-{number:06d}",
            display_name=wanted.display_name,
            email=wanted.email,
        )
        self._known[wanted.name] = person
        return person

    def _wanted(self) -> dict[Key, WantedPerson]:
        return {
            (person.name, *seat): person
            for person in self._wish.people
            for seat in self._wish.seats_of(person)
        }

    def _ensure_seats(self) -> Iterator[Change]:
        wanted, rows = self._wanted(), self._rows()
        ids = self._session.execute(select(Cohort.slug, Cohort.id))
        places = {slug: number for slug, number in ids}  # noqa: C416 - a Row is no pair to mypy
        for key in sorted(wanted):
            row, person = rows.get(key), wanted[key]
            if self._left.keeps_out(*key[1:], person):
                yield self._left.note(person)
            elif row is None:
                self._record.add(self._new_seat(key, places[key[1]], person))
                yield self._seat("+", key, _("{role} in {cohort}") + _dates(person))
            else:
                yield from self._move_seat(key, row, person)
        for key, row in sorted(rows.items()):
            if key not in wanted and self._is_active(row, later=True):
                self._record.set(row, valid_to=self._now)
                yield self._seat("-", key, _("no longer {role} in {cohort}"))

    def _move_seat(self, key: Key, row: Membership, person: WantedPerson) -> Iterator[Change]:
        since = person.since or row.valid_from
        if (row.valid_from, row.valid_to) == (since, person.until):
            return
        ended = row.valid_to is not None and row.valid_to <= self._now
        self._record.set(row, valid_from=since, valid_to=person.until)
        again = ended and (person.until is None or person.until > self._now)
        if again:
            yield self._seat("+", key, _("{role} in {cohort} again") + _dates(person))
        else:
            yield self._seat("~", key, _("{role} in {cohort}: other dates") + _dates(person))

    def _seat(self, sign: str, key: Key, text: str) -> Change:
        return Change(sign, key[0], text.format(role=key[2], cohort=key[1]), "seat", key[2])

    def _is_active(self, row: Membership, *, later: bool = False) -> bool:
        begun = later or row.valid_from is None or row.valid_from <= self._now
        return begun and (row.valid_to is None or row.valid_to > self._now)

    def _rows(self) -> dict[Key, Membership]:
        query = (
            select(Person.name, Cohort.slug, Membership)
            .join(Membership, Membership.person_id == Person.id)
            .join(Cohort, Cohort.id == Membership.cohort_id)
            .where(Membership.source == SOURCE.format(cohort=self._wish.cohort))
        )
        return {(name, slug, row.role): row for name, slug, row in self._session.execute(query)}

    def _new_seat(self, key: Key, cohort_id: int, person: WantedPerson) -> Membership:
        return Membership(
            person_id=self._known[key[0]].id,
            cohort_id=cohort_id,
            role=key[2],
            source=SOURCE.format(cohort=self._wish.cohort),
            valid_from=person.since or self._now,
            valid_to=person.until,
        )

    def _ensure_tags(self) -> Iterator[Change]:
        chosen = select(Cohort.id).where(Cohort.slug == self._wish.cohort)
        cohort_id = self._session.scalars(chosen).one()
        query = select(SeatTags).where(SeatTags.cohort_id == cohort_id)
        rows = {row.person_id: row for row in self._session.scalars(query)}
        for person in self._wish.people:
            person_id, tags = self._known[person.name].id, list(person.tags)
            row = rows.get(person_id)
            old = row.tags if row else []
            if old == tags:
                continue
            if row is None:
                row = SeatTags(cohort_id=cohort_id, person_id=person_id, tags=tags)
                self._record.add(row)
            else:
                self._record.set(row, tags=tags)
            text = f"tags {' '.join(old) or '-'} → {' '.join(tags) or '-'}"
            yield Change("~", person.name, text, "person")


def _dates(person: WantedPerson) -> str:
    since = f"{person.since:%Y-%m-%d %H:%M} UTC" if person.since else ""
    until = f"{person.until:%Y-%m-%d %H:%M} UTC" if person.until else ""
    begin = _(", from {moment}").format(moment=since) if since else ""
    return begin + (_(", until {moment}").format(moment=until) if until else "")
