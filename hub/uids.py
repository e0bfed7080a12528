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


def ensure_uid(store: Store, name: str, first: int) -> int:
    """Return the person's uid; allocate the next one on first use.

    Args:
        store: Our database.
        name: The hub's user name.
        first: Lowest uid to give.

    Raises:
        NoSuchPersonError: Nobody has this name.
    """
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
        session.add(LabUid(uid=uid, person_id=person.id))
        return uid


def all_uids(store: Store) -> list[int]:
    """Return every uid ever given, for sweeping left-over processes."""
    with store.reading() as session:
        return list(session.scalars(select(LabUid.uid).order_by(LabUid.uid)))
