"""The migrations give the tables that the code describes, on both databases."""

import threading

import pytest
from alembic import command
from sqlalchemy import insert, inspect, select, text

from bioskills.base.store import Store, ensure_schema, migrations, open_engine, schema_revisions
from bioskills.base.tables import Base, Cohort, Membership, Person

pytestmark = pytest.mark.integration


def test_the_migrations_give_exactly_the_tables_of_the_code(database: str) -> None:
    ensure_schema(database)

    command.check(migrations(database))
    engine = open_engine(database)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    assert found == {*Base.metadata.tables, "alembic_version"}


def test_a_second_time_changes_nothing(database: str) -> None:
    ensure_schema(database)
    before = schema_revisions(database)

    ensure_schema(database)

    assert schema_revisions(database) == before
    assert before[0] == before[1]


def test_every_migration_keeps_what_is_there(database: str) -> None:
    command.upgrade(migrations(database), "0001")
    store = Store(database)
    with store.transaction() as session:
        # Not as objects: those of today have columns that the old tables lack.
        people = [{"name": n, "pseudonym": n, "display_name": n} for n in ("lea", "ada")]
        session.execute(insert(Person.__table__), people)
        cohorts = [{"slug": "spring", "title": "S"}, {"slug": "platform", "title": "P"}]
        session.execute(insert(Cohort.__table__), cohorts)
        session.flush()
        session.add(Membership(person_id=1, cohort_id=1, role="learner", source="file"))
        session.add(Membership(person_id=2, cohort_id=2, role="admin", source="file"))

    ensure_schema(database)

    with store.reading() as session:
        assert list(session.scalars(select(Membership.source).order_by(Membership.id))) == [
            "file:spring",
            "file:platform",
        ]
        assert list(session.scalars(select(Cohort.limits))) == [None, None]
    store.close()


def test_writers_wait_for_each_other_on_postgresql(postgresql: object) -> None:
    store = Store(postgresql.new_database())  # type: ignore[attr-defined]
    ensure_schema(store.url)
    failures: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            for number in range(10):
                with store.transaction() as session:
                    count = len(session.scalars(select(Person.id)).all())
                    name = f"t{thread}-{number}"
                    session.add(Person(name=name, pseudonym=f"p-{count + 1:06}", display_name=name))
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
    store.close()
    assert numbers == [f"p-{number:06}" for number in range(1, 41)]


def test_a_reader_sees_one_moment_on_postgresql(postgresql: object) -> None:
    store = Store(postgresql.new_database())  # type: ignore[attr-defined]
    ensure_schema(store.url)
    with store.reading() as reader:
        before = reader.scalar(text("select count(*) from person"))
        with store.transaction() as writer:
            writer.add(Person(name="lea", pseudonym="p-000001", display_name="Lea"))
        after = reader.scalar(text("select count(*) from person"))
    store.close()

    assert (before, after) == (0, 0)
