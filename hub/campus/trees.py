"""Take a tree of files in, and give one out, as a tar stream.

Law: what arrives is hostile. Only regular files with plain relative names, all
different also for machines that ignore case, within the operator's limits; every
fault is one sentence that names the file and the rule, and all faults of a tree
come at once. Memory stays bounded by one small read, whatever a header claims.

Vocabulary: a *tree* is a sorted list of files (path, SHA-256, size); its own hash
covers paths and contents, so the same work always has the same hash.
"""

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from bioskills.base.problems import InputError, Problem
from bioskills.base.settings import Exchange
from bioskills.base.text import _
from bioskills.base.wire import FileEntry
from bioskills.hub.campus.objects import Objects
from bioskills.hub.campus.tree_rules import MB, Inspection, plain_name

_BLOCK = tarfile.BLOCKSIZE
# No header that we accept is larger, and no read of ours is: see _BoundedReads.
_MAX_READ = io.DEFAULT_BUFFER_SIZE
# tarfile's own search of a header is quadratic; a hostile archive must not keep us busy.
_CPU_S = 10.0
_CPU_S_PER_MB = 0.1
_HEADER_ALLOWANCE = 8 * _BLOCK


@dataclass(frozen=True)
class Tree:
    """Files that were taken in, sorted by path, and the hash over all of them."""

    files: tuple[FileEntry, ...]
    sha256: str

    @property
    def paths(self) -> frozenset[str]:
        """The paths of all files."""
        return frozenset(entry.path for entry in self.files)

    def as_stored(self) -> list[dict[str, object]]:
        """Return the files as the database keeps them."""
        return [entry.model_dump() for entry in self.files]


class _Damaged(Exception):  # noqa: N818 - never leaves this module
    """The stream is not a tar archive that we can read."""


class _BoundedReads:
    """A file that refuses large or endless reads, whatever a header claims."""

    def __init__(self, file: BinaryIO, limits: Exchange) -> None:
        self._file = file
        self._until = time.thread_time() + _CPU_S + _CPU_S_PER_MB * limits.max_tree_mb

    def read(self, n: int = -1) -> bytes:
        if not 0 <= n <= _MAX_READ or time.thread_time() > self._until:
            raise _Damaged
        return self._file.read(n)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()


def body_limit(limits: Exchange) -> int:
    """Return the bytes a request body may have: the files and their headers."""
    return limits.max_tree_mb * MB + limits.max_files * _HEADER_ALLOWANCE + MB


def take_in(
    body: BinaryIO,
    limits: Exchange,
    objects: Objects,
    check_paths: Callable[[frozenset[str]], None] = lambda _paths: None,
) -> Tree:
    """Check a tar archive, store its files and return the tree.

    Args:
        body: The archive, complete and seekable (a temporary file).
        limits: The operator's limits.
        objects: Where the files go; nothing is stored of a faulty tree.
        check_paths: Raises where these files are not what is wanted; nothing is stored then.

    Raises:
        InputError: With every fault of the tree.
        DiskFullError: No room for it.
    """
    # Two passes: the names and sizes of all files are known good before one is stored.
    seen = _inspect(body, limits)
    if seen.faults:
        raise InputError(seen.faults)
    check_paths(frozenset(seen.files.values()))
    return tree_of(_store(body, limits, objects))


def tree_of(entries: Iterable[FileEntry]) -> Tree:
    """Return the tree of these files."""
    files = tuple(sorted(entries, key=lambda entry: entry.path))
    listed = [{"path": entry.path, "sha256": entry.sha256} for entry in files]
    text = json.dumps(listed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Tree(files, hashlib.sha256(text.encode()).hexdigest())


def stored_files(rows: Iterable[object]) -> list[FileEntry]:
    """Return files as the database kept them."""
    return [FileEntry.model_validate(row) for row in rows]


def tar_of(files: Sequence[FileEntry], objects: Objects) -> Iterator[bytes]:
    """Yield a tar archive of stored files, piece by piece."""
    for entry in files:
        info = tarfile.TarInfo(entry.path)
        info.size, info.mode = entry.bytes, 0o644
        yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
        yield from objects.chunks(entry.sha256)
        yield b"\0" * (-entry.bytes % _BLOCK)
    yield b"\0" * (2 * _BLOCK)


def _store(body: BinaryIO, limits: Exchange, objects: Objects) -> Iterator[FileEntry]:
    for info, content in _members(body, limits):
        if info.isreg():
            sha256, size = objects.put_stream(_pieces(content))
            yield FileEntry(path=plain_name(info.name), sha256=sha256, bytes=size)


def _pieces(content: IO[bytes] | None) -> Iterator[bytes]:
    if content is not None:
        yield from iter(lambda: content.read(_MAX_READ), b"")


def _members(
    body: BinaryIO, limits: Exchange
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    body.seek(0)
    bounded = cast("IO[bytes]", _BoundedReads(body, limits))
    # "r:" and nothing else: an archive is never decompressed here.
    with tarfile.open(fileobj=bounded, mode="r:") as archive:
        for info in archive:
            # A negative size would send the reader backwards for ever.
            if info.size < 0:
                raise _Damaged
            yield info, archive.extractfile(info) if info.isreg() else None


def _inspect(body: BinaryIO, limits: Exchange) -> Inspection:
    seen = Inspection(limits)
    try:
        for info, content in _members(body, limits):
            if not seen.see(info):
                break
            _last_byte(info, content)
    except (tarfile.TarError, _Damaged, RecursionError, OverflowError, ValueError, EOFError):
        what = _("the archive is damaged, cut off, or not an uncompressed tar file.")
        seen.faults.append(Problem(_("upload"), what, next=_("Send it again.")))
    if not seen.faults and not seen.files:
        what = _("there is no file in it.")
        seen.faults.append(Problem(_("upload"), what, next=_("Look into the folder first.")))
    return seen


def _last_byte(info: tarfile.TarInfo, content: IO[bytes] | None) -> None:
    # A size that the archive does not hold is found before anything is stored.
    if content is not None and info.size:
        content.seek(info.size - 1)
        if len(content.read(1)) != 1:
            raise _Damaged
