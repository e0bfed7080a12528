"""Give every learner one numeric uid, once.

Law: a uid is allocated once, never reused, and read from our table alone;
the name of an account on this machine means nothing (charter, law 5).
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bioskills.base.problems import SetupError
from bioskills.base.store import Store
from bioskills.base.tables import LabUid, Person
from bioskills.base.text import _


class NoSuchPersonError(LookupError):
    """A lab was asked for somebody who is not in our table."""


class NoUidLeftError(SetupError):
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
    with store.reading() as session:
        known = known_uid(session, name)
    if known is not None:
        return known
    with store.transaction() as session:
        person = session.scalar(select(Person).where(Person.name == name))
        if person is None:
            raise NoSuchPersonError(
                _("Nobody is called {name}. Add them: bioskills cohort apply FILE").format(
                    name=name
                )
            )
        # Between the two looks somebody else may have given it.
        known = known_uid(session, name)
        return known if known is not None else _give(session, person, first, count)


def known_uid(session: Session, name: str) -> int | None:
    """Return the uid that a person was given."""
    chosen = select(LabUid.uid).join(Person, Person.id == LabUid.person_id)
    found: int | None = session.scalar(chosen.where(Person.name == name))
    return found


def give_uids(store: Store, first: int, count: int) -> None:
    """Give a uid to everybody who has none, in one transaction.

    So no lab waits for the disk while the hub starts it: that would be one commit for each.

    Raises:
        NoUidLeftError: There are not enough; nobody got one.
    """
    without = select(Person).outerjoin(LabUid, LabUid.person_id == Person.id)
    with store.transaction() as session:
        for person in session.scalars(without.where(LabUid.uid.is_(None)).order_by(Person.id)):
            _give(session, person, first, count)


def _give(session: Session, person: Person, first: int, count: int) -> int:
    uid = max(first - 1, session.scalar(select(func.max(LabUid.uid))) or 0) + 1
    if count and uid >= first + count:
        text = _("All {count} uids for learners are given. Raise labs.uid_count, start again.")
        raise NoUidLeftError(text.format(count=count))
    session.add(LabUid(uid=uid, person_id=person.id))
    session.flush()
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
