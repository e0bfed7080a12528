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
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from bioskills.base.problems import InputError, Problem
from bioskills.base.settings import Exchange
from bioskills.base.text import _
from bioskills.base.wire import FileEntry
from bioskills.hub.campus.objects import Objects

MB = 1_000_000
MAX_FAULTS = 20
_BLOCK = tarfile.BLOCKSIZE
# No header that we accept is larger, and no read of ours is: see _BoundedReads.
_MAX_READ = io.DEFAULT_BUFFER_SIZE
# tarfile's own search of a header is quadratic; a hostile archive must not keep us busy.
_MAX_CPU_S = 10.0
_MAX_NAME_BYTES = 255
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

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._until = time.thread_time() + _MAX_CPU_S

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


def take_in(body: BinaryIO, limits: Exchange, objects: Objects) -> Tree:
    """Check a tar archive, store its files and return the tree.

    Args:
        body: The archive, complete and seekable (a temporary file).
        limits: The operator's limits.
        objects: Where the files go; nothing is stored of a faulty tree.

    Raises:
        InputError: With every fault of the tree.
        DiskFullError: No room for it.
    """
    # Two passes: the names and sizes of all files are known good before one is stored.
    _refuse(_faults(body, limits))
    return tree_of(_store(body, objects))


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


def _store(body: BinaryIO, objects: Objects) -> Iterator[FileEntry]:
    for info, content in _members(body):
        if info.isreg():
            sha256, size = objects.put_stream(_pieces(content))
            yield FileEntry(path=_plain(info.name), sha256=sha256, bytes=size)


def _pieces(content: IO[bytes] | None) -> Iterator[bytes]:
    if content is not None:
        yield from iter(lambda: content.read(_MAX_READ), b"")


def _members(body: BinaryIO) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    body.seek(0)
    bounded = cast("IO[bytes]", _BoundedReads(body))
    # "r:" and nothing else: an archive is never decompressed here.
    with tarfile.open(fileobj=bounded, mode="r:") as archive:
        for info in archive:
            # A negative size would send the reader backwards for ever.
            if info.size < 0:
                raise _Damaged
            yield info, archive.extractfile(info) if info.isreg() else None


class _Inspection:
    """What was seen of one archive so far, and what is wrong with it."""

    def __init__(self, limits: Exchange) -> None:
        self.limits = limits
        self.faults: list[Problem] = []
        self.bytes = 0
        self.members = 0
        self.files: dict[str, str] = {}
        self.folders: dict[str, str] = {}

    def see(self, info: tarfile.TarInfo) -> bool:
        """Note one member; return whether it makes sense to look further."""
        self.members += 1
        path = _plain(info.name)
        if info.isdir() and path in {"", "."}:
            return True
        problem = _name_problem(path, self.limits) or _kind_problem(info)
        if problem:
            self._add(path, *problem)
        elif info.isreg():
            self._note(path, info.size)
        return self._within_limits()

    def _note(self, path: str, size: int) -> None:
        self.bytes += size
        key = _folded(path)
        if key in self.files:
            self._add(path, *_double(path, self.files[key]))
        elif key in self.folders or any(part in self.files for part in _parents(key)):
            self._add(path, _("the same name is a file and a folder."), _("Rename one of them."))
        self.files[key] = path
        self.folders.update((part, path) for part in _parents(key))

    def _within_limits(self) -> bool:
        if self.bytes > self.limits.max_tree_mb * MB:
            self._add(*_too_large(self.limits))
        elif self.members > 2 * self.limits.max_files or len(self.files) > self.limits.max_files:
            self._add(*_too_many(self.limits))
        else:
            return len(self.faults) < MAX_FAULTS
        return False

    def _add(self, path: str, what: str, rule: str) -> None:
        self.faults.append(Problem(_shown(path), what, rule))


def _faults(body: BinaryIO, limits: Exchange) -> list[Problem]:
    seen = _Inspection(limits)
    try:
        for info, content in _members(body):
            if not seen.see(info):
                break
            _last_byte(info, content)
    except (tarfile.TarError, _Damaged, RecursionError, OverflowError, ValueError, EOFError):
        what = _("the archive is damaged, cut off, or not an uncompressed tar file.")
        seen.faults.append(Problem(_("upload"), what, next=_("Send it again.")))
    if not seen.faults and not seen.files:
        what = _("there is no file in it.")
        seen.faults.append(Problem(_("upload"), what, next=_("Look into the folder first.")))
    return seen.faults


def _last_byte(info: tarfile.TarInfo, content: IO[bytes] | None) -> None:
    # A size that the archive does not hold is found before anything is stored.
    if content is not None and info.size:
        content.seek(info.size - 1)
        if len(content.read(1)) != 1:
            raise _Damaged


def _refuse(faults: list[Problem]) -> None:
    if faults:
        raise InputError(faults)


def _plain(name: str) -> str:
    return name.removeprefix("./")


def _folded(path: str) -> str:
    # Twice: folding may undo the normal form.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _shown(path: str) -> str:
    """Return a path that is safe to print: control and undecodable characters escaped."""
    clean = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path)
    return clean if len(clean) <= 120 else f"{clean[:100]}…"  # noqa: PLR2004 - one line of text


def _kind_problem(info: tarfile.TarInfo) -> tuple[str, str] | None:
    if info.isdir() or (info.isreg() and not info.issparse() and info.type != tarfile.CONTTYPE):
        return None
    if info.issym() or info.islnk():
        rule = _("Links are not accepted: put a copy of the file there.")
        return _("this is a link."), rule
    return _("this is not a regular file."), _("Only regular files are accepted: remove it.")


def _name_problem(path: str, limits: Exchange) -> tuple[str, str] | None:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or (len(path) > 1 and path[1] == ":"):
        return _("the name leaves the folder."), _("Use names relative to the folder.")
    if any(part in {"", "."} for part in parts):
        return _("the name is not written plainly."), _("Leave out empty parts and '.'.")
    if "\\" in path:
        return _("the name holds a backslash."), _("Rename the file.")
    if any(unicodedata.category(c).startswith("C") for c in path):
        return _("the name holds a control or unreadable character."), _("Rename the file.")
    return _length_problem(path, limits) or _edge_problem(parts)


def _length_problem(path: str, limits: Exchange) -> tuple[str, str] | None:
    if len(path) > limits.max_path_chars:
        rule = _("A path may have {n} characters at most: shorten it.")
        return _("the path is too long."), rule.format(n=limits.max_path_chars)
    if any(len(part.encode()) > _MAX_NAME_BYTES for part in path.split("/")):
        rule = _("A name may have {n} bytes at most: shorten it.")
        return _("the name is too long."), rule.format(n=_MAX_NAME_BYTES)
    return None


def _edge_problem(parts: list[str]) -> tuple[str, str] | None:
    if any(part != part.strip() or part.endswith(".") for part in parts):
        what = _("a part of the name begins or ends with a space, or ends with a dot.")
        return what, _("Rename the file.")
    return None


def _double(path: str, known: str) -> tuple[str, str]:
    if path == known:
        return _("the file is there twice."), _("Send each file once.")
    what = _("the name differs from {known} only in case or in how its letters are written.")
    return what.format(known=_shown(known)), _("Rename one of them.")


def _too_large(limits: Exchange) -> tuple[str, str, str]:
    rule = _("At most {n} MB are accepted: remove outputs and data you did not need.")
    return _("upload"), _("the files are too large together."), rule.format(n=limits.max_tree_mb)


def _too_many(limits: Exchange) -> tuple[str, str, str]:
    rule = _("At most {n} files are accepted: remove what is not needed.")
    return _("upload"), _("there are too many files."), rule.format(n=limits.max_files)
