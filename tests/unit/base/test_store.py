"""Our own database on SQLite: durable, and open to readers while somebody writes."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from bioskills.base.store import Store, ensure_schema
from bioskills.base.tables import AuditEntry, Cohort, Membership, Person

FULL = 2


@pytest.fixture
def store(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'bioskills.sqlite'}"
    ensure_schema(url)
    found = Store(url)
    yield found
    found.close()


def person(name: str, number: int = 1) -> Person:
    return Person(name=name, pseudonym=f"p-{number:06}", display_name=name.title())


def names(store: Store) -> list[str]:
    with store.reading() as session:
        return list(session.scalars(select(Person.name).order_by(Person.name)))


def test_every_connection_is_fully_durable_and_checks_references(store: Store) -> None:
    for use in (store.transaction, store.reading):
        with use() as session:
            assert session.scalar(text("PRAGMA journal_mode")) == "wal"
            assert session.scalar(text("PRAGMA synchronous")) == FULL
            assert session.scalar(text("PRAGMA foreign_keys")) == 1
            assert session.scalar(text("PRAGMA busy_timeout")) == 30_000


def test_a_reference_to_nothing_is_refused(store: Store) -> None:
    with pytest.raises(IntegrityError), store.transaction() as session:
        session.add(Membership(person_id=99, cohort_id=99, role="learner", source="test"))


def test_an_unknown_role_is_refused_by_the_database_itself(store: Store) -> None:
    with store.transaction() as session:
        session.add_all([person("lea"), Cohort(slug="c", title="C")])
    with pytest.raises(IntegrityError), store.transaction() as session:
        session.add(Membership(person_id=1, cohort_id=1, role="king", source="test"))


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.transaction() as session:
            session.add(person("lea"))
            session.flush()
            raise RuntimeError("the machine hiccuped")

    with pytest.raises(RuntimeError):
        fail()
    assert names(store) == []


def test_readers_see_one_moment_while_a_writer_writes(store: Store) -> None:
    with store.reading() as reader:
        assert reader.scalar(select(Person.name)) is None
        with store.transaction() as writer:
            writer.add(person("lea"))
            writer.flush()
            assert names(store) == []
        assert reader.scalar(select(Person.name)) is None
    assert names(store) == ["lea"]


def test_writers_wait_for_each_other_and_lose_nothing(store: Store) -> None:
    failures: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            for number in range(20):
                with store.transaction() as session:
                    # Read, then write on what was read: what fails where two do it at once.
                    count = len(session.scalars(select(Person.id)).all())
                    session.add(person(f"t{thread}-{number}", count + 1))
        except BaseException as error:  # noqa: BLE001 - the main thread judges
            failures.append(error)

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with store.reading() as session:
        numbers = sorted(session.scalars(select(Person.pseudonym)))
    assert numbers == [f"p-{number:06}" for number in range(1, 81)]


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    naive = datetime(2027, 3, 22, 9)  # noqa: DTZ001 - that is the point
    entry = AuditEntry(at=naive, actor="a", action="b", subject="c", detail={})
    with store.transaction() as session:
        session.add(entry)
        with pytest.raises(StatementError, match="no time zone"):
            session.flush()
        session.rollback()


def test_a_time_comes_back_in_utc_whatever_zone_it_was_given_in(store: Store) -> None:
    given = datetime(2027, 3, 22, 9, tzinfo=timezone(timedelta(hours=2)))
    with store.transaction() as session:
        session.add(AuditEntry(at=given, actor="a", action="b", subject="c", detail={}))

    with store.reading() as session:
        found = session.scalars(select(AuditEntry.at)).one()
    assert found == given
    assert found.tzinfo is UTC


def test_the_database_of_somebody_else_in_this_process_is_left_alone(
    store: Store, tmp_path: Path
) -> None:
    names(store)
    other = create_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    with other.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "delete"
    other.dispose()
