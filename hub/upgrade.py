"""Bring our database to this version, with a way back.

Law: back up, check the copy, migrate in one transaction, check, and say how to
go back; where a step fails the sentence ends with the way back. SQLite is
copied by its own backup call (safe while others read); PostgreSQL by pg_dump.
"""

import os
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from bioskills.base.problems import SetupError
from bioskills.base.store import ensure_schema, known_revisions, schema_revisions, sqlite_path
from bioskills.base.text import _


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did."""

    before: str | None
    after: str | None
    backup: Path
    way_back: str


@dataclass(frozen=True)
class Backup:
    """A copy and the commands that bring it back."""

    file: Path
    commands: str

    @property
    def way_back(self) -> str:
        """What a person does, the hub being stopped."""
        return _("stop the hub, then run: {commands}").format(commands=self.commands)


def upgrade_database(
    url: str, backups: Path, at: datetime, migrate: Callable[[str], None] = ensure_schema
) -> Upgraded:
    """Back up, migrate and check our database.

    Args:
        url: SQLAlchemy URL.
        backups: Folder for the copy.
        at: The moment, for the copy's name.
        migrate: Brings the tables of a database to the newest revision.

    Raises:
        SetupError: A step failed; the text says the way back.
    """
    _refuse_missing(url)
    before, newest = schema_revisions(url)
    if before and before not in known_revisions(url):
        text = _(
            "The database is at revision {found}, made by a newer version; this one knows up to {newest}. Install the newer version again, or bring back a backup."
        )
        raise SetupError(text.format(found=before, newest=newest))
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup = back_up(url, backups, f"bioskills-{at:%Y%m%dT%H%M%S}-{before or 'empty'}")
    try:
        migrate(url)
        check(url)
        after, newest = schema_revisions(url)
    except Exception as error:
        text = _("The upgrade failed: {error}. To go back, {way}")
        raise SetupError(text.format(error=error, way=backup.way_back)) from error
    if after != newest:
        text = _("The database is at {after}, not {newest}. To go back, {way}")
        raise SetupError(text.format(after=after, newest=newest, way=backup.way_back))
    return Upgraded(before, after, backup.file, backup.way_back)


def _refuse_missing(url: str) -> None:
    file = sqlite_path(url)
    if file is not None and not file.is_file():
        text = _(
            "There is no database at {file}, so nothing to upgrade. Start first: bioskills run"
        )
        raise SetupError(text.format(file=file))


def back_up(url: str, backups: Path, name: str) -> Backup:
    """Copy a database and check the copy.

    Raises:
        SetupError: There is no sound copy; nothing was changed.
    """
    file = sqlite_path(url)
    if file is None:
        return _dump_postgresql(url, backups / f"{name}.dump")
    return _copy_sqlite(file, backups / f"{name}.sqlite")


def _copy_sqlite(file: Path, target: Path) -> Backup:
    target.touch(mode=0o600)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    _check_sqlite(target)
    # cat keeps owner and mode of the file that the services know.
    old, new = shlex.quote(str(target)), shlex.quote(str(file))
    return Backup(target, f"rm -f {new}-wal {new}-shm && cat {old} > {new}")


def _dump_postgresql(url: str, target: Path) -> Backup:
    address = make_url(url).set(drivername="postgresql")
    open_address = address.set(password=None).render_as_string(hide_password=False)
    password = {"PGPASSWORD": str(address.password)} if address.password else {}
    target.touch(mode=0o600)
    words = ["--format=custom", f"--file={target}", "--dbname", open_address]
    _run("pg_dump", words, password)
    _run("pg_restore", ["--list", str(target)], {})
    base, dump = shlex.quote(open_address), shlex.quote(str(target))
    clear = shlex.quote("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    restore = f"pg_restore --exit-on-error --no-owner --schema=public --dbname={base} {dump}"
    return Backup(target, f"psql {base} -c {clear} && {restore}")


def _run(name: str, words: list[str], extra: dict[str, str]) -> None:
    program = shutil.which(name)
    if program is None:
        text = _(
            "{name} is missing, so there would be no way back. Install the PostgreSQL client, then run this again."
        )
        raise SetupError(text.format(name=name))
    # The password goes by the environment: a command line can be read by everybody here.
    done = subprocess.run(
        [program, *words], env={**os.environ, **extra}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        text = _("{name} failed, nothing was changed: {reason}")
        raise SetupError(text.format(name=name, reason=done.stderr.strip()))


def check(url: str) -> None:
    """Look whether the database is sound.

    Raises:
        SetupError: It is not.
    """
    file = sqlite_path(url)
    if file is not None:
        _check_sqlite(file)


def _check_sqlite(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    if verdict != "ok":
        raise SetupError(_("the integrity check says: {verdict}").format(verdict=verdict))
    if orphans:
        text = _("rows of {table} refer to rows that are not there")
        raise SetupError(text.format(table=", ".join(sorted({row[0] for row in orphans}))))
