"""Pack a folder as tar, and lay a tar out as a folder.

Law: regular files only, both ways. A link in a folder is named and refused, never
followed. What arrives becomes visible as a whole, and a file that is there is never
overwritten.
"""

import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _

OWN = ".bioskills"
"""Notes of ours beside a learner's work; never handed in."""

Ignore = Callable[[str, list[str]], Iterable[str]]
"""nbgrader's rule: the names of a folder that are left out."""


@contextmanager
def packed(folder: Path, ignore: Ignore) -> Iterator[BinaryIO]:
    """Yield a temporary tar file of a folder.

    Raises:
        InputError: Naming every link and everything else that is no regular file.
    """
    found = sorted(_files(folder, ignore))
    faults = [_not_regular(path, folder) for path in found if not _is_regular(path)]
    if faults:
        raise InputError(faults)
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in found:
                _add(archive, path, path.relative_to(folder).as_posix())
        file.seek(0)
        yield cast("BinaryIO", file)


def lay_out(tree: BinaryIO, target: Path, skip: frozenset[str] = frozenset()) -> list[str]:
    """Make a new folder of a tar file; it appears complete or not at all.

    Args:
        tree: The tar file.
        target: The folder, which is not there yet.
        skip: Paths that are left out.

    Returns:
        The paths of its files.

    Raises:
        InputError: The folder is there, or the tar holds what is no plain file.
    """
    if os.path.lexists(target):
        raise InputError([Problem(str(target), _("is there already; it is not overwritten."))])
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".incoming-", dir=target.parent))
    try:
        paths = _extract(tree, draft, skip)
        draft.chmod(0o755)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return paths


def add_missing(tree: BinaryIO, target: Path) -> list[str]:
    """Write only those files of a tar that a folder lacks; return their paths.

    Raises:
        InputError: The tar holds what is no plain file.
    """
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=target.parent) as spool:
        draft = Path(spool)
        missing = [path for path in _extract(tree, draft) if _is_free(target, path)]
        for path in missing:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).rename(target / path)
    return missing


def _files(folder: Path, ignore: Ignore) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        left_out = {OWN, *ignore(parent, [*folders, *names])}
        here = Path(parent)
        # A linked folder is listed as a thing to refuse, and not entered.
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [name for name in folders if name not in left_out and name not in links]
        yield from (here / name for name in [*names, *links] if name not in left_out)


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _not_regular(path: Path, folder: Path) -> Problem:
    name = ascii(path.relative_to(folder).as_posix())[1:-1]
    return Problem(name, _("this is a link or no regular file. Put a copy of the file there."))


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    # O_NOFOLLOW: the file may have become a link since it was listed.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = status.st_size, 0o644, int(status.st_mtime)
        archive.addfile(info, file)


def _extract(tree: BinaryIO, folder: Path, skip: frozenset[str] = frozenset()) -> list[str]:
    paths = []
    try:
        with tarfile.open(fileobj=tree, mode="r:") as archive:
            for info in archive:
                content = archive.extractfile(info) if info.isreg() else None
                if content is None or not _is_plain(info.name):
                    raise _strange(info.name)
                if info.name not in skip:
                    _write(content, folder / info.name)
                    paths.append(info.name)
    except (tarfile.TarError, OSError) as error:
        what = _("could not be laid out: {reason}.").format(reason=error)
        raise InputError([Problem(str(folder.parent), what)]) from error
    return paths


def _write(content: object, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        shutil.copyfileobj(cast("BinaryIO", content), file)


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return not PurePosixPath(name).is_absolute() and not set(parts) & {"", ".", ".."}


def _strange(name: str) -> InputError:
    what = _("the campus sent what is no plain file; nothing was written.")
    return InputError([Problem(ascii(name)[1:-1], what)])


def _is_free(target: Path, path: str) -> bool:
    """Say whether nothing is there, and no part of the way is a link or a file."""
    ways = [target, *(target / part for part in reversed(PurePosixPath(path).parents) if part.name)]
    blocked = any(way.is_symlink() or (way.exists() and not way.is_dir()) for way in ways)
    return not blocked and not os.path.lexists(target / path)
