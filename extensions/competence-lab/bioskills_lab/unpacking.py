"""Lay a tar of the campus out in the learner's home.

Law: regular files only; every name is checked before the first byte is
written; what the learner already has stays as it is.
"""

import os
import re
import secrets
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

from bioskills_lab.folders import OWN, is_there, opened, remove_tree
from bioskills_lab.problems import strange_answer
from bioskills_lab.words import _

MOST_FILES = 5_000
MOST_BYTES = 200 << 20
MOST_LEVELS = 12
LONGEST_NAME = 200
_ODD = re.compile(r"[\x00-\x1f\x7f\\]")
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
CHUNK = 1 << 16


def lay_out_new(tree: BinaryIO, home: Path, course: str, folder: str) -> bool:
    """Make `<course>/<folder>/` from the tar, whole or not at all.

    Returns:
        False where the folder exists already; then nothing was changed.
    """
    draft = f".{folder}-{secrets.token_hex(6)}"
    with opened(home, course, make=True) as parent:
        if is_there(parent, folder):
            return False
        os.mkdir(draft, 0o755, dir_fd=parent)
        try:
            add_missing(tree, home, course, draft)
            return _rename_new(parent, draft, folder)
        finally:
            with suppress(FileNotFoundError):
                remove_tree(parent, draft)


def add_missing(tree: BinaryIO, home: Path, *names: str) -> list[str]:
    """Write every file of the tar that is not there yet; give their paths."""
    added = []
    with _reading(tree) as archive:
        for member in _checked(archive):
            source = archive.extractfile(member)
            if source is not None and _write_new(source, home, names, _parts(member)):
                added.append("/".join(_parts(member)))
    return added


def _rename_new(parent: int, draft: str, folder: str) -> bool:
    """Rename, but never onto something: a folder that is not empty refuses."""
    try:
        os.rename(draft, folder, src_dir_fd=parent, dst_dir_fd=parent)
    except OSError:
        if is_there(parent, folder):
            return False
        raise
    return True


def _reading(tree: BinaryIO) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=tree, mode="r:")  # closed by the caller's with
    except tarfile.TarError as error:
        raise strange_answer(_("no tar file ({why})").format(why=error)) from None


def _checked(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """Give the regular files after every entry was looked at."""
    try:
        members = archive.getmembers()
    except tarfile.TarError as error:
        raise strange_answer(_("a broken tar file ({why})").format(why=error)) from None
    files = [member for member in members if not member.isdir()]
    faults = [fault for member in members if (fault := _fault(member))]
    if len(files) > MOST_FILES or sum(member.size for member in files) > MOST_BYTES:
        faults.append(_("too many or too large files"))
    if len({member.name for member in files}) < len(files):
        faults.append(_("a file twice"))
    if faults:
        raise strange_answer("; ".join(faults[:5]))
    return files


def _fault(member: tarfile.TarInfo) -> str:
    name = member.name
    if not (member.isreg() or member.isdir()):
        return _("“{name}” is neither a file nor a folder").format(name=name[:LONGEST_NAME])
    parts = _parts(member)
    odd = name.startswith("/") or _ODD.search(name) or ".." in parts or OWN in parts
    if odd or (not parts and not member.isdir()) or len(parts) > MOST_LEVELS:
        return _("the name “{name}” is not allowed").format(name=name[:LONGEST_NAME])
    if any(len(part.encode()) > LONGEST_NAME for part in parts):
        return _("the name “{name}” is too long").format(name=name[:LONGEST_NAME])
    return ""


def _parts(member: tarfile.TarInfo) -> list[str]:
    return [part for part in member.name.split("/") if part not in {"", "."}]


def _write_new(source: IO[bytes], home: Path, names: tuple[str, ...], parts: list[str]) -> bool:
    """Write one file under a draft name, then link it into place: whole or not at all."""
    *folders, name = parts
    with opened(home, *names, *folders, make=True) as parent:
        if is_there(parent, name):
            return False
        draft = f".{secrets.token_hex(6)}.part"
        try:
            _copy(source, os.open(draft, _NEW_FILE, 0o644, dir_fd=parent))
            os.link(draft, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except FileExistsError:
            return False
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=parent)
    return True


def _copy(source: IO[bytes], target: int) -> None:
    with os.fdopen(target, "wb") as out:
        while chunk := source.read(CHUNK):
            out.write(chunk)
