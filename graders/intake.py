"""Bring files in and out of places that a learner could write.

Law (charter 10): regular files only, copied through directory descriptors that
never follow a link; what is neither file nor folder is left behind.
"""

import ctypes
import os
import shutil
import stat
import tarfile
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

CHUNK_BYTES = 1 << 16
NOTEBOOK = ".ipynb"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # <fcntl.h>, <linux/fs.h>
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafeTreeError(OSError):
    """A tree names something outside itself, or something that is no regular file."""


def unpack(
    tar: Path | BinaryIO, target: Path, *, over: bool = False, kept: Collection[str] = ()
) -> None:
    """Unpack a tree; what no checked tree holds is refused.

    Args:
        tar: The tar, as a file's path or open.
        target: A folder of ours, in which nobody else can write.
        over: Whether files that are there are replaced.
        kept: Paths in the tree that are left as they are, with what is below them.

    Raises:
        UnsafeTreeError: An entry is no regular file, or its path leaves the tree.
    """
    path, file = (tar, None) if isinstance(tar, Path) else (None, tar)
    with tarfile.open(path, fileobj=file) as archive:
        for entry in archive:
            parts = PurePosixPath(entry.name).parts
            source = archive.extractfile(entry) if entry.isreg() else None
            if source is None or ".." in parts or entry.name.startswith("/"):
                raise UnsafeTreeError(f"{entry.name!r} is not a regular file inside the tree")
            if any("/".join(parts[:depth]) in kept for depth in range(1, len(parts) + 1)):
                continue
            place = target.joinpath(*parts)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with source, place.open("wb" if over else "xb") as copy:
                shutil.copyfileobj(source, copy)


def pack(folder: Path, spool: Path) -> Iterator[bytes]:
    """Yield a tar of a folder's regular files, by sorted path."""
    with spool.open("wb") as file:
        pack_into(folder, file)
    with spool.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def pack_into(folder: Path, file: BinaryIO, notebooks_of: Path | None = None) -> None:
    """Write a tar of a folder's regular files, by sorted path.

    Args:
        folder: What is packed.
        file: Where the tar goes.
        notebooks_of: A folder whose notebooks are packed in place of this folder's.
    """
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                name = path.relative_to(folder)
                if notebooks_of is None or path.suffix != NOTEBOOK:
                    archive.add(path, arcname=str(name), recursive=False)
        if notebooks_of is not None:
            for path in sorted(notebooks_of.rglob(f"*{NOTEBOOK}")):
                if path.is_file() and not path.is_symlink():
                    archive.add(path, arcname=str(path.relative_to(notebooks_of)), recursive=False)


def copy_regular(source: Path, target: Path) -> int:
    """Copy the regular files of a hostile tree into a new folder of ours.

    Returns:
        How many entries were left behind because they are not regular files.
    """
    target.mkdir(mode=0o700, parents=True)
    handle = os.open(source, _OPEN_FOLDER)
    try:
        return _copy_folder(handle, target)
    finally:
        os.close(handle)


def _copy_folder(folder: int, target: Path) -> int:
    left = 0
    for name in sorted(os.listdir(folder)):
        mode = os.lstat(name, dir_fd=folder).st_mode
        if stat.S_ISDIR(mode):
            (target / name).mkdir(mode=0o700)
            left += _with(
                folder,
                name,
                _OPEN_FOLDER,
                lambda handle, into=target / name: _copy_folder(handle, into),
            )
        elif stat.S_ISREG(mode):
            _with(
                folder,
                name,
                os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK,
                lambda handle, into=target / name: _copy_file(handle, into),
            )
        else:
            left += 1
    return left


def _with(folder: int, name: str, flags: int, act: "object") -> int:
    handle = os.open(name, flags, dir_fd=folder)
    try:
        return int(act(handle) or 0)  # type: ignore[operator]
    finally:
        os.close(handle)


def _copy_file(handle: int, target: Path) -> None:
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        return
    with os.fdopen(os.dup(handle), "rb") as source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy)


def swap_in(staged: Path, place: Path) -> None:
    """Put a finished folder in its place; whoever looks sees the old one or the new one.

    Ended anywhere, the next call finishes: nothing is ever missing for longer than that.
    """
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _exchange(staged, place):
        shutil.rmtree(staged, ignore_errors=True)
        return
    # No folder is there yet, or this disk cannot exchange two names.
    aside = place.with_name(f".{place.name}.old")
    if place.exists():
        shutil.rmtree(aside, ignore_errors=True)
        place.rename(aside)
    staged.rename(place)
    shutil.rmtree(aside, ignore_errors=True)


def put_back_asides(root: Path) -> None:
    """Mend, two levels below this folder, what a swap left that was ended half way."""
    for aside in root.glob("*/.*.old"):
        place = aside.with_name(aside.name.removeprefix(".").removesuffix(".old"))
        if place.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.rename(place)


def _exchange(one: Path, other: Path) -> bool:
    """Let two names change places in one step; False where that cannot be."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    here = ctypes.c_int(_AT_FDCWD)
    if call is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(call(here, names[0], here, names[1], ctypes.c_uint(_RENAME_EXCHANGE)) == 0)
