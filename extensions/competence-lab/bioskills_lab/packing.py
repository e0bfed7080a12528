"""Pack an assignment folder for the hand-in.

Law: regular files only, reached by descriptors; what is left out is named in a
sentence; the learner's folder is only read.
"""

import os
import stat
import tarfile
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from bioskills_lab.folders import OWN, opened
from bioskills_lab.problems import Refused
from bioskills_lab.words import _

LEFT_OUT = frozenset({OWN, ".ipynb_checkpoints", "__pycache__"})
MOST_BYTES = 100 << 20
MOST_FILES = 1_000
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Packing:
    """One tar being written, and what was left out of it."""

    def __init__(self, into: BinaryIO) -> None:
        # The pax format keeps any name and any size.
        self._archive = tarfile.open(fileobj=into, mode="w:", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._bytes = 0
        self._files = 0
        self.skipped: list[str] = []

    def folder(self, descriptor: int, prefix: str = "") -> None:
        """Add everything below an open folder, in the order of names."""
        for name in sorted(os.listdir(descriptor)):
            if name not in LEFT_OUT:
                self._entry(descriptor, name, prefix + name)

    def finish(self) -> None:
        """Write the end of the tar."""
        self._archive.close()

    def _entry(self, parent: int, name: str, path: str) -> None:
        mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            child = os.open(name, _FOLDER, dir_fd=parent)
            try:
                self.folder(child, path + "/")
            finally:
                os.close(child)
        elif stat.S_ISREG(mode):
            self._file(os.open(name, _FILE, dir_fd=parent), path)
        else:
            kind = _("a link") if stat.S_ISLNK(mode) else _("not an ordinary file")
            self.skipped.append(
                _("“{path}” was not handed in: it is {kind}.").format(path=path, kind=kind)
            )

    def _file(self, descriptor: int, path: str) -> None:
        with os.fdopen(descriptor, "rb") as source:
            found = os.fstat(source.fileno())
            self._count(found.st_size)
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime, entry.mode = found.st_size, int(found.st_mtime), 0o644
            self._archive.addfile(entry, source)

    def _count(self, size: int) -> None:
        self._bytes += size
        self._files += 1
        if self._bytes > MOST_BYTES or self._files > MOST_FILES:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too_large",
                _("The folder holds more than {mb} MB or {files} files. Nothing was sent.").format(
                    mb=MOST_BYTES >> 20, files=MOST_FILES
                ),
                _("Move what is not part of your answer out of the folder, then hand in again."),
            )


def pack(home: Path, course: str, folder: str, into: BinaryIO) -> list[str]:
    """Write the folder as an uncompressed tar; give sentences about what was left out.

    Raises:
        Refused: The folder is missing, too large, or changes while it is read.
    """
    packing = Packing(into)
    try:
        with opened(home, course, folder) as descriptor:
            packing.folder(descriptor)
        packing.finish()
    except FileNotFoundError:
        raise not_started() from None
    except OSError as error:
        raise Refused(
            HTTPStatus.CONFLICT,
            "unreadable",
            _("The folder could not be read whole ({why}). Nothing was sent.").format(why=error),
            _("Save your files, wait until running cells have ended, then hand in again."),
        ) from None
    return packing.skipped


def not_started() -> Refused:
    """Say that there is no copy of the assignment here."""
    return Refused(
        HTTPStatus.CONFLICT,
        "not_started",
        _("The assignment is not in your files."),
        _("Press Start to get it."),
    )
