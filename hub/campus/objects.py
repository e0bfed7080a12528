"""Keep files by what they contain.

Law: a file is named by its SHA-256, written once and never changed. It becomes
visible only when it is whole and on the disk: written beside its place, synced,
then renamed. Folders are 0700 and files 0600; nobody else's path is opened here.
"""

import errno
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from bioskills.base.problems import SetupError
from bioskills.base.text import _

CHUNK = 64 * 1024
"""Bytes that are held in memory at a time."""

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PART = ".part"
_STALE_S = 24 * 3600
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskFullError(SetupError):
    """There is no room left; nothing of what was being written is kept."""


class MissingObjectError(LookupError):
    """A file that the database names is not in the store."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(
            _(
                "The stored file {sha256} is missing, although the database names it. "
                "Restore it from the backup, then run: bioskills doctor"
            ).format(sha256=sha256)
        )


@contextmanager
def refusing_full_disk() -> Iterator[None]:
    """Turn "no space left" into one sentence with the next step."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise DiskFullError(
            _(
                "The server's disk is full, so nothing was stored. What was stored before is "
                "untouched. Tell the people who run this site, and try again afterwards."
            )
        ) from error


class Objects:
    """A content-addressed store below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Store what the chunks hold and return its SHA-256 and its size in bytes.

        Raises:
            DiskFullError: No room; nothing half-written stays.
        """
        with refusing_full_disk():
            self._ensure(self.root)
            handle, name = tempfile.mkstemp(suffix=_PART, dir=self.root)
            part = Path(name)
            try:
                return self._fill(handle, part, chunks)
            finally:
                part.unlink(missing_ok=True)

    def put(self, content: bytes) -> str:
        """Store these bytes and return their SHA-256."""
        return self.put_stream([content])[0]

    def open(self, sha256: str) -> BinaryIO:
        """Return the file, opened for reading.

        Raises:
            MissingObjectError: The store does not hold it.
        """
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError as error:
            raise MissingObjectError(sha256) from error

    def read(self, sha256: str) -> bytes:
        """Return the whole file; only for small ones."""
        with self.open(sha256) as file:
            return file.read()

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """Yield the file in pieces."""
        with self.open(sha256) as file:
            yield from iter(lambda: file.read(CHUNK), b"")

    def has(self, sha256: str) -> bool:
        """Say whether the store holds this file."""
        return self.path(sha256).is_file()

    def path(self, sha256: str) -> Path:
        """Return where the file of this hash lies; the hash is checked first."""
        if not _SHA256.fullmatch(sha256):
            raise MissingObjectError(sha256)
        return self.root / sha256[:2] / sha256

    def temporary(self) -> BinaryIO:
        """Return a nameless file on the same disk, gone when it is closed."""
        with refusing_full_disk():
            self._ensure(self.root)
            return cast("BinaryIO", tempfile.TemporaryFile(dir=self.root))

    def sweep(self) -> int:
        """Remove what an interrupted write left more than a day ago; return how many files."""
        edge = time.time() - _STALE_S
        stale = [part for part in self.root.glob(f"*{_PART}") if part.stat().st_mtime < edge]
        for part in stale:
            part.unlink(missing_ok=True)
        return len(stale)

    def _fill(self, handle: int, part: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        self._move(part, digest.hexdigest())
        return digest.hexdigest(), size

    def _move(self, part: Path, sha256: str) -> None:
        target = self.path(sha256)
        if target.is_file():
            return
        self._ensure(target.parent)
        part.rename(target)
        _sync_folder(target.parent)

    def _ensure(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(OSError):
                _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    # Without it, the rename itself may be lost with the power.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
