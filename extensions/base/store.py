"""Open our own database.

Law: full durability. SQLite runs in WAL with synchronous=FULL and foreign
keys on; one transaction holds one promise. Tables are made by Alembic alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.orm import Session, sessionmaker

BUSY_TIMEOUT_MS = 30_000
WRITER_LOCK = 0x62736873
"""Key of the lock that one PostgreSQL writer holds: "bshs", a number nobody else picks."""


def open_engine(url: str) -> Engine:
    """Return an engine for our database.

    Args:
        url: SQLAlchemy URL; SQLite and PostgreSQL are supported.
    """
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _harden_sqlite)
        event.listen(engine, "begin", _begin_at_once)
    else:
        event.listen(engine, "begin", _begin_alone)
    return engine


def _harden_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: BEGIN is ours, below.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is cleared is overwritten: somebody may want to be forgotten
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_at_once(connection: Any) -> None:
    # IMMEDIATE: a reader that turns writer would otherwise fail as "locked" at once.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _begin_alone(connection: Any) -> None:
    # One writer at a time, as with SQLite: what one transaction read is still so when it writes.
    if connection.get_execution_options().get("reading", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")


class Store:
    """Our database, opened once per process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = open_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._readers = sessionmaker(
            self.engine.execution_options(reading=True), expire_on_commit=False
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session; commit at the end, roll back on any error."""
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that sees one moment and writes nothing."""
        with self._readers() as session:
            yield session

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def migrations(url: str) -> Config:
    """Return Alembic's configuration for our migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def ensure_schema(url: str) -> None:
    """Bring the tables to the newest revision; does nothing where they are."""
    command.upgrade(migrations(url), "head")


def schema_revisions(url: str) -> tuple[str | None, str | None]:
    """Return the revision of the database and the newest one known."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    return current, ScriptDirectory.from_config(migrations(url)).get_current_head()


def known_revisions(url: str) -> set[str]:
    """Return every revision that this version of the code knows."""
    return {
        script.revision for script in ScriptDirectory.from_config(migrations(url)).walk_revisions()
    }


def sqlite_path(url: str) -> Path | None:
    """Return the file of a SQLite URL, or None for another database."""
    parsed = make_url(url)
    return (
        Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None
    )
