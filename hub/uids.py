"""Give every learner one numeric uid, once.

Law: a uid is allocated once, never reused, and read from our table alone;
the name of an account on this machine means nothing (charter, law 5).
"""

from sqlalchemy import func, select

from bioskills.base.store import Store
from bioskills.base.tables import LabUid, Person
from bioskills.base.text import _


class NoSuchPersonError(LookupError):
    """A lab was asked for somebody who is not in our table."""


class NoUidLeftError(LookupError):
    """Every uid that is kept for learners was given."""


def ensure_uid(store: Store, name: str, first: int, *, count: int = 0) -> int:
    """Return the person's uid; allocate the next one on first use.

    Args:
        store: Our database.
        name: The hub's user name.
        first: Lowest uid to give.
        count: How many there are to give; 0 for no end.

    Raises:
        NoSuchPersonError: Nobody has this name.
        NoUidLeftError: The next one is beyond the range.
    """
    known = known_uid(store, name)
    return known if known is not None else _allocate(store, name, first, count)


def known_uid(store: Store, name: str) -> int | None:
    """Return the uid that a person was given, without waiting for whoever writes."""
    chosen = select(LabUid.uid).join(Person, Person.id == LabUid.person_id)
    with store.reading() as session:
        found: int | None = session.scalar(chosen.where(Person.name == name))
        return found


def _allocate(store: Store, name: str, first: int, count: int) -> int:
    with store.transaction() as session:
        person = session.scalar(select(Person).where(Person.name == name))
        if person is None:
            raise NoSuchPersonError(
                _("Nobody is called {name}. Add them: bioskills cohort apply FILE").format(
                    name=name
                )
            )
        known = session.scalar(select(LabUid.uid).where(LabUid.person_id == person.id))
        if known is not None:
            return known
        uid = max(first - 1, session.scalar(select(func.max(LabUid.uid))) or 0) + 1
        if count and uid >= first + count:
            text = _("All {count} uids for learners are given. Raise labs.uid_count, start again.")
            raise NoUidLeftError(text.format(count=count))
        session.add(LabUid(uid=uid, person_id=person.id))
        return uid


def uids_given(url: str) -> list[int]:
    """Return every uid ever given by the installation with this database."""
    store = Store(url)
    try:
        return all_uids(store)
    finally:
        store.close()


def all_uids(store: Store) -> list[int]:
    """Return every uid ever given, for sweeping left-over processes."""
    with store.reading() as session:
        return list(session.scalars(select(LabUid.uid).order_by(LabUid.uid)))
