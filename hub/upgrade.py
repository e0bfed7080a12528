"""Bring the databases to this version, with a way back.

Law: back up, migrate, check, and say how to go back; where a step fails, the
backup is named and nothing else was tried. SQLite is copied by its own backup
call (safe while others read); PostgreSQL by pg_dump.
"""

import shutil
import sqlite3
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from bioskills.base.problems import SetupError
from bioskills.base.store import ensure_schema, schema_revisions, sqlite_path
from bioskills.base.text import _


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did."""

    before: str | None
    after: str | None
    backup: Path
    way_back: str


def upgrade_database(url: str, backups: Path, at: datetime) -> Upgraded:
    """Back up, migrate and check our database.

    Args:
        url: SQLAlchemy URL.
        backups: Folder for the copy.
        at: The moment, for the copy's name.

    Raises:
        SetupError: A step failed; the text names the backup.
    """
    before, newest = schema_revisions(url)
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"bioskills-{at:%Y%m%dT%H%M%S}-{before or 'empty'}"
    backup, way_back = _back_up(url, backups, name)
    try:
        ensure_schema(url)
        _check(url)
    except Exception as error:
        raise SetupError(
            _("The upgrade failed: {error}. Go back with: {way}").format(error=error, way=way_back)
        ) from error
    after, _newest = schema_revisions(url)
    if after != newest:
        raise SetupError(
            _("The database is at {after}, not {newest}. Go back with: {way}").format(
                after=after, newest=newest, way=way_back
            )
        )
    return Upgraded(before, after, backup, way_back)


def _back_up(url: str, backups: Path, name: str) -> tuple[Path, str]:
    file = sqlite_path(url)
    return (
        _copy_sqlite(file, backups / f"{name}.sqlite")
        if file
        else _dump_postgresql(url, backups / f"{name}.dump")
    )


def _copy_sqlite(file: Path, target: Path) -> tuple[Path, str]:
    target.touch(mode=0o600)
    source, copy = sqlite3.connect(file), sqlite3.connect(target)
    with source, copy:
        source.backup(copy)
    source.close()
    copy.close()
    return target, _(
        "stop the hub, then: rm -f {file}-wal {file}-shm && cp {target} {file}"
    ).format(file=file, target=target)


def _dump_postgresql(url: str, target: Path) -> tuple[Path, str]:
    program = shutil.which("pg_dump")
    if program is None:
        raise SetupError(
            _(
                "pg_dump is missing, so there would be no way back. Install the PostgreSQL client, then run this again."
            )
        )
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    target.touch(mode=0o600)
    # The address holds a password: given by standard input it stays off the command line.
    done = subprocess.run(
        [program, "--format=custom", f"--file={target}", "--dbname", _without_password(address)],
        env=_password(address),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupError(_("pg_dump failed: {reason}").format(reason=done.stderr.strip()))
    return target, _(
        "stop the hub, then: pg_restore --clean --if-exists --dbname ADDRESS {target}"
    ).format(target=target)


def _without_password(address: str) -> str:
    return make_url(address).set(password=None).render_as_string(hide_password=False)


def _password(address: str) -> dict[str, str]:
    password = make_url(address).password
    return {"PGPASSWORD": str(password)} if password else {}


def _check(url: str) -> None:
    file = sqlite_path(url)
    if file is None:
        return
    connection = sqlite3.connect(file)
    verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    if verdict != "ok":
        raise SetupError(_("the integrity check says: {verdict}").format(verdict=verdict))
