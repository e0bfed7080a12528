"""Read a course from a folder or a ZIP, and pack it into one immutable ZIP.

Law: what a course brings is hostile on disk. Only regular files with plain
names are read, within limits; links are refused, never followed. The same
files always give the same bytes and so the same hash.
"""

import hashlib
import io
import os
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bioskills.base.text import _
from bioskills.courses.faults import CourseError, Fault
from bioskills.courses.manifest import MANIFEST

Files = Mapping[str, bytes]

MAX_FILES = 2_000
MAX_FILE_BYTES = 16 * 2**20
MAX_COURSE_BYTES = 64 * 2**20
MAX_PATH_CHARACTERS = 200

# Left over by editors and by plain nbgrader opened on the same folder.
_WORKING_FOLDERS = {"release", "submitted", "autograded", "feedback", "__MACOSX"}
_WORKING_NAMES = {"__pycache__", "gradebook.db", "Thumbs.db"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ")
# The first time a ZIP can express; a real time would change the hash of the same course.
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)

_MATERIALS = ("README.md", "LICENSE", "lessons/", "data/", "img/")


# What the standard library raises for broken, unknown and encrypted entries.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class BuiltZip(NamedTuple):
    """A packed course on disk and the hash that names its version's content."""

    path: Path
    sha256: str


class _Entry(NamedTuple):
    """One thing found in the source, before it is trusted."""

    path: str
    is_file: bool
    read: Callable[[], bytes]


def read_course(source: Path) -> dict[str, bytes]:
    """Return the files of a course, from a folder or a ZIP, by path.

    Raises:
        CourseError: no course there, or files that break a path or size rule.
    """
    if source.is_dir():
        return _collect(_folder_entries(source))
    if source.is_file() and zipfile.is_zipfile(source):
        return read_zip(source.read_bytes())
    message = _("there is no course folder and no ZIP at this path")
    raise CourseError([Fault(str(source), "", "", message, _("Name a folder with a course.yml."))])


def read_zip(content: bytes) -> dict[str, bytes]:
    """Return the files of a zipped course; one folder around all of them is taken off.

    Raises:
        CourseError: not a ZIP, or entries that break a path or size rule.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _collect(_zip_entries(archive))
    except _DAMAGE as error:
        message = _("the ZIP is damaged: {reason}").format(reason=error)
        raise CourseError([Fault("course.zip", "", "", message, _("Pack it again."))]) from error


def canonical_zip(files: Files) -> bytes:
    """Return the one ZIP of these files: sorted, stored, with fixed times.

    Stored, not deflated: compressed bytes differ between zlib versions, and the
    hash must not.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _FIXED_TIME)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[path])
    return buffer.getvalue()


def build_zip(source: Path, into: Path | None = None) -> BuiltZip:
    """Pack a course into `<sha256>.zip` and return its path and hash.

    Args:
        source: Course folder, or a ZIP made by anybody.
        into: Folder for the ZIP; a new temporary one when left out.
    """
    content = canonical_zip(read_course(source))
    digest = hashlib.sha256(content).hexdigest()
    folder = into or Path(tempfile.mkdtemp(prefix="bioskills-course-"))
    path = folder / f"{digest}.zip"
    path.write_bytes(content)
    return BuiltZip(path, digest)


def materials(files: Files) -> dict[str, bytes]:
    """Return what a learner receives besides assignments: README, lessons, data, images."""
    return {path: content for path, content in files.items() if path.startswith(_MATERIALS)}


def assignment_tree(files: Files, assignment: str) -> dict[str, bytes]:
    """Return the nbgrader *source* tree of one assignment, with solutions: never for learners."""
    prefix = f"assignments/{assignment}/"
    return {
        path.removeprefix(prefix): content
        for path, content in files.items()
        if path.startswith(prefix)
    }


def write_tree(files: Files, folder: Path) -> None:
    """Write files below a folder of ours; the paths were checked when they were read."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def path_fault(path: str) -> Fault | None:
    """Return what is wrong with a path inside a course, or None."""
    parts = path.split("/")
    if path.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        message = _("the path leaves the course folder or is not written plainly")
    elif len(path) > MAX_PATH_CHARACTERS:
        message = _("the path is longer than {n} characters").format(n=MAX_PATH_CHARACTERS)
    elif not set(path) <= _PLAIN | {"/"} or any(part != part.strip(" .") for part in parts):
        message = _("the name may hold only letters A-Z, digits, '.', '_', '-' and inner spaces")
    else:
        return None
    return Fault(ascii(path)[1:-1], "", path, message, _("Rename or remove the file."))


def _ignored(path: str) -> bool:
    parts = [part for part in path.split("/") if part]
    hidden = any(part.startswith(".") and part not in {".", ".."} for part in parts)
    working = bool(parts) and parts[0] in _WORKING_FOLDERS
    return hidden or working or any(part in _WORKING_NAMES for part in parts)


def _folder_entries(folder: Path) -> Iterator[_Entry]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _ignored_here(folder, parent, name))
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(parent, name)
            if not _ignored_here(folder, parent, name):
                regular = stat.S_ISREG(path.lstat().st_mode)
                yield _Entry(path.relative_to(folder).as_posix(), regular, _reader(path))


def _ignored_here(folder: Path, parent: str, name: str) -> bool:
    return _ignored(Path(parent, name).relative_to(folder).as_posix())


def _reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        # O_NOFOLLOW: the file may have become a link since it was listed.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)

    return read


def _zip_entries(archive: zipfile.ZipFile) -> Iterator[_Entry]:
    members = [entry for entry in archive.infolist() if not entry.is_dir()]
    prefix = _common_folder(entry.filename for entry in members)
    for entry in members:
        path = entry.filename.removeprefix(prefix)
        mode = entry.external_attr >> 16
        regular = stat.S_IFMT(mode) in {0, stat.S_IFREG} and not entry.flag_bits & 0x1
        if not _ignored(path):
            yield _Entry(path, regular, _member_reader(archive, entry))


def _member_reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        # Bounded by what really comes out, not by the size the header claims.
        with archive.open(entry) as opened:
            return opened.read(MAX_FILE_BYTES + 1)

    return read


def _common_folder(paths: Iterable[str]) -> str:
    firsts = {path.split("/", 1)[0] if "/" in path else "" for path in paths}
    firsts.discard("__MACOSX")
    only = firsts.pop() if len(firsts) == 1 else ""
    return f"{only}/" if only else ""


def _collect(entries: Iterable[_Entry]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    faults: list[Fault] = []
    total = 0
    for count, entry in enumerate(entries, start=1):
        if count > MAX_FILES or total > MAX_COURSE_BYTES:
            raise CourseError([*faults, _too_much()])
        fault = path_fault(entry.path) or _kind_fault(entry) or _double_fault(entry.path, files)
        content = b"" if fault else entry.read()
        fault = fault or _size_fault(entry.path, content)
        if fault:
            faults.append(fault)
            continue
        total += len(content)
        files[entry.path] = content
    if MANIFEST not in files:
        message = _("the file is missing, so this is not a course")
        faults.append(Fault(MANIFEST, "", "", message, _("Name the folder that holds course.yml.")))
    if faults:
        raise CourseError(faults)
    return files


def _kind_fault(entry: _Entry) -> Fault | None:
    if entry.is_file:
        return None
    message = _("only regular, unencrypted files are accepted; links are never followed")
    return Fault(entry.path, "", "", message, _("Put a copy of the file there."))


def _double_fault(path: str, files: Files) -> Fault | None:
    # Two names that differ only in case become one file on some machines.
    folded = unicodedata.normalize("NFC", path).casefold()
    if all(folded != known.casefold() for known in files):
        return None
    message = _("a second file has the same name")
    return Fault(path, "", path, message, _("Rename or remove one of them."))


def _size_fault(path: str, content: bytes) -> Fault | None:
    if len(content) <= MAX_FILE_BYTES:
        return None
    message = _("the file is larger than {n} MB").format(n=MAX_FILE_BYTES // 2**20)
    return Fault(path, "", "", message, _("Cut the data down."))


def _too_much() -> Fault:
    message = _("the course holds more than {n} files or {mb} MB").format(
        n=MAX_FILES, mb=MAX_COURSE_BYTES // 2**20
    )
    return Fault(MANIFEST, "", "", message, _("Remove what learners do not need."))
