"""What an admin does with labs is noted beside the event loop, and without a name."""

import asyncio
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from bioskills.base.store import Store
from bioskills.base.tables import AuditEntry, Person
from bioskills.hub.labs_door import AdminsHandler


@pytest.fixture
def door(store: Store) -> AdminsHandler:
    with store.transaction() as session:
        for number, name in enumerate(("ada", "lea"), 1):
            session.add(Person(name=name, pseudonym=f"p-{number:06d}", display_name=name))
    # Without a request: only who asks and our database are looked at.
    found = AdminsHandler.__new__(AdminsHandler)
    found.store, found._jupyterhub_user = store, SimpleNamespace(name="ada")
    return found


def subjects(store: Store) -> list[str]:
    with store.reading() as session:
        return list(session.scalars(select(AuditEntry.subject).order_by(AuditEntry.id)))


def test_whom_nobody_knows_is_noted_without_the_name_that_was_typed(
    door: AdminsHandler, store: Store
) -> None:
    for name in ("lea", "a typed secret", "grading-autumn"):
        asyncio.run(door.note("stopped lab", name))

    assert subjects(store) == ["lab/p-000002", "lab/?", "lab/grading-autumn"]


def test_the_hub_goes_on_while_somebody_else_writes(door: AdminsHandler, store: Store) -> None:
    async def note() -> None:
        with store.transaction() as session:
            session.add(AuditEntry(actor="-", action="-", subject="other", detail={}))
            session.flush()
            noting = asyncio.create_task(door.note("stopped lab", "lea"))
            done, _waits = await asyncio.wait({noting}, timeout=0.2)
            assert not done
        await noting

    asyncio.run(note())

    assert subjects(store) == ["other", "lab/p-000002"]
