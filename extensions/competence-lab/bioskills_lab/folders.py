"""Reach folders by descriptor, one name at a time.

Law: no symbolic link is followed below the home, so that nothing is read or
written outside it; an existing file is never replaced here.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

from bioskills_lab.problems import Refused
from bioskills_lab.words import _

OWN = ".bioskills"
FULL = frozenset({errno.EFBIG, errno.EDQUOT, errno.ENOSPC})
"""No room: the disk is full, or what this learner may use of it."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def opened(home: Path, *names: str, make: bool = False) -> Iterator[int]:
    """Give the descriptor of a folder below the home.

    Args:
        home: Root of the learner's files; the only place reached by path.
        names: One folder name per level.
        make: Make what is missing.

    Raises:
        Refused: A name on the way is a file or a symbolic link.
        FileNotFoundError: A folder is missing and `make` is false.
    """
    here = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            below = _step(here, name, make=make)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _step(parent: int, name: str, *, make: bool) -> int:
    try:
        if make:
            with suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=parent)
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise
        raise Refused(
            HTTPStatus.CONFLICT,
            "not_a_folder",
            _("“{name}” is in the way: it is not an ordinary folder ({why}).").format(
                name=name, why=error.strerror
            ),
            _("Rename it in the file browser, then try again."),
        ) from None


def is_there(parent: int, name: str) -> bool:
    """Say whether a name exists in an open folder, whatever it is."""
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def remove_tree(parent: int, name: str) -> None:
    """Remove a folder of ours with everything in it."""
    folder = os.open(name, _FOLDER, dir_fd=parent)
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for child, is_folder in found:
            if is_folder:
                remove_tree(folder, child)
            else:
                os.unlink(child, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=parent)
