"""An upgrade has a copy before it begins, and a way back that works as it is printed."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, select, text

from bioskills.base.problems import SetupError
from bioskills.base.store import Store, ensure_schema, migrations, open_engine, schema_revisions
from bioskills.base.tables import Person
from bioskills.hub.upgrade import upgrade_database

pytestmark = pytest.mark.integration
AT = datetime(2027, 3, 22, 9, tzinfo=UTC)


@pytest.fixture
def old(database: str) -> str:
    """A database of the first revision with one person in it."""
    command.upgrade(migrations(database), "0001")
    add(database, "lea")
    return database


def add(url: str, name: str) -> None:
    # In words of the first revision: today's class knows columns that came later.
    store = Store(url)
    with store.transaction() as session:
        session.execute(
            text(
                "insert into person (name, pseudonym, display_name, created_at) values (:name, :nym, :shown, :at)"
            ),
            {"name": name, "nym": f"p-{name}", "shown": name.title(), "at": "2027-01-04 08:00:00"},
        )
    store.close()


def people(url: str) -> list[str]:
    store = Store(url)
    with store.reading() as session:
        found = list(session.scalars(select(Person.name).order_by(Person.name)))
    store.close()
    return found


def tables(url: str) -> set[str]:
    engine = open_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def go_back(said: str) -> None:
    """Do literally what the sentence says."""
    line = said.partition("then run: ")[2]
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.returncode == 0, f"{line}\n{done.stderr}"


def fails_halfway(url: str) -> None:
    ensure_schema(url)
    store = Store(url)
    try:
        with store.transaction() as session:
            session.execute(text("insert into person (nothing) values (1)"))
    finally:
        store.close()


def test_an_upgrade_keeps_everything_and_says_both_revisions(old: str, tmp_path: Path) -> None:
    done = upgrade_database(old, tmp_path / "backups", AT)

    assert (done.before, done.after) == ("0001", schema_revisions(old)[1])
    assert people(old) == ["lea"]
    assert done.backup.stat().st_size > 0
    assert done.backup.stat().st_mode & 0o777 == 0o600


def test_the_printed_way_back_brings_back_the_old_database(old: str, tmp_path: Path) -> None:
    before = tables(old)
    done = upgrade_database(old, tmp_path / "backups", AT)
    add(old, "miro")

    go_back(done.way_back)

    assert people(old) == ["lea"]
    assert tables(old) == before
    assert schema_revisions(old)[0] == "0001"


def test_after_the_way_back_the_upgrade_can_be_made_again(old: str, tmp_path: Path) -> None:
    go_back(upgrade_database(old, tmp_path / "backups", AT).way_back)

    again = upgrade_database(old, tmp_path / "backups", AT.replace(hour=10))

    assert again.after == schema_revisions(old)[1]
    assert people(old) == ["lea"]


def test_a_failed_upgrade_says_the_way_back_and_it_works(old: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        upgrade_database(old, tmp_path / "backups", AT, fails_halfway)

    said = str(caught.value)
    assert "The upgrade failed: " in said
    go_back(said)
    assert people(old) == ["lea"]
    assert schema_revisions(old)[0] == "0001"


def test_a_migration_that_fails_leaves_the_old_revision_by_itself(old: str, tmp_path: Path) -> None:
    store = Store(old)
    with store.transaction() as session:
        # In the way of a later migration, which therefore fails after others were run.
        session.execute(text("create table feedback_files (id integer)"))
    store.close()

    with pytest.raises(SetupError):
        upgrade_database(old, tmp_path / "backups", AT)

    assert schema_revisions(old)[0] == "0001"
    assert people(old) == ["lea"]


def test_a_database_of_a_newer_version_is_not_touched(database: str, tmp_path: Path) -> None:
    ensure_schema(database)
    store = Store(database)
    with store.transaction() as session:
        session.execute(text("update alembic_version set version_num = '9999'"))
    store.close()

    with pytest.raises(SetupError, match="made by a newer version"):
        upgrade_database(database, tmp_path / "backups", AT)

    assert schema_revisions(database)[0] == "9999"
    assert not (tmp_path / "backups").exists()


def test_a_database_with_broken_references_is_not_upgraded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bioskills.sqlite'}"
    command.upgrade(migrations(url), "0001")
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("insert into lab_uid (uid, person_id) values (1, 99)")
        connection.exec_driver_sql("BEGIN")
    engine.dispose()

    with pytest.raises(SetupError, match="rows of lab_uid refer to rows that are not there"):
        upgrade_database(url, tmp_path / "backups", AT)

    assert schema_revisions(url)[0] == "0001"


def test_where_there_is_nothing_there_is_nothing_to_upgrade(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="Start first: bioskills run"):
        upgrade_database(f"sqlite:///{tmp_path / 'none.sqlite'}", tmp_path / "backups", AT)

    assert list(tmp_path.iterdir()) == []


def test_without_pg_dump_nothing_is_begun(
    postgresql: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.new_database()  # type: ignore[attr-defined]
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SetupError, match="pg_dump is missing"):
        upgrade_database(url, tmp_path / "backups", AT)
