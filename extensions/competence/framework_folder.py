"""Keep published versions of frameworks in folders that never change.

Law: a published version is a folder with a `SHA256SUMS`; one with a changed,
missing or additional file is refused. It comes to be by one rename, whole or not
at all, and what is published is never written again.
"""

import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.competence.framework_form import HEAD
from bioskills.competence.framework_reading import Files

SUMS = "SHA256SUMS"
MAX_FILES = 120
MAX_FILE_BYTES = 512_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KINDS = {".yaml", ".csv", ".md"}
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
_REF = re.compile(r"([A-Z]{2,12})@(\d+\.\d+\.\d+)")


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a framework's folder by name; its `SHA256SUMS` is left out.

    Raises:
        InputError: No folder, or things in it that are no files of a framework.
    """
    files, problems = {}, []
    for entry in _entries(folder):
        fault = _entry_fault(entry)
        if fault:
            problems.append(Problem(entry.name, fault, next=_("Take it out of the folder.")))
        elif entry.name != SUMS:
            files[entry.name] = _content(entry)
    if len(files) > MAX_FILES:
        text = _("holds {n} files; at most {most} are read.")
        problems.append(Problem(str(folder), text.format(n=len(files), most=MAX_FILES)))
    if problems:
        raise InputError(problems)
    return files


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        text = _("is no folder here.")
        step = _("Name the folder that holds framework.yaml.")
        raise InputError([Problem(str(folder), text, next=step)])
    return sorted(folder.iterdir())


def _entry_fault(entry: Path) -> str:
    """Return what is wrong with a thing in the folder; empty where nothing is."""
    status = entry.lstat()
    if not stat.S_ISREG(status.st_mode):
        return _("is no regular file; links and folders are never followed.")
    if not _NAME.fullmatch(entry.name) or not (
        entry.suffix in _KINDS or entry.name in {SUMS, "LICENSE"}
    ):
        return _("is no file of a framework: *.yaml, *.csv, *.md, LICENSE.")
    if status.st_size > MAX_FILE_BYTES:
        return _("has {n} bytes; at most {most} are read.").format(
            n=status.st_size, most=MAX_FILE_BYTES
        )
    return ""


def _content(entry: Path) -> bytes:
    # O_NOFOLLOW: the file may have become a link since it was listed.
    with os.fdopen(os.open(entry, os.O_RDONLY | os.O_NOFOLLOW), "rb") as opened:
        return opened.read(MAX_FILE_BYTES + 1)


def write_draft(files: Files, folder: Path) -> None:
    """Write the files of a draft into a new folder, whole or not at all.

    Raises:
        InputError: Something is there already, or a name is none of a framework's files.
    """
    strange = [name for name in files if not _NAME.fullmatch(name)]
    if strange:
        text = _("is no name of a file here.")
        raise InputError([Problem(ascii(name)[1:-1], text) for name in strange])
    if folder.exists():
        text, step = _("is there already."), _("Name a folder that is not there yet.")
        raise InputError([Problem(str(folder), text, next=step)])
    stage = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.absolute().parent))
    try:
        for name, content in files.items():
            (stage / name).write_bytes(content)
        stage.chmod(0o755)
        stage.rename(folder)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise


def sums_of(files: Files) -> bytes:
    """Return the text of `SHA256SUMS` for these files, as `sha256sum -c` reads it."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


def fingerprint(files: Files) -> str:
    """Return the one number that stands for the whole version: the hash of its `SHA256SUMS`."""
    return hashlib.sha256(sums_of(files)).hexdigest()


def broken_seal(folder: Path, files: Files) -> list[str]:
    """Return what differs from the folder's `SHA256SUMS`, in sentences."""
    try:
        text = _content(folder / SUMS).decode(errors="replace")
    except OSError:
        return [_("{name} is missing").format(name=SUMS)]
    kept = {match[2]: match[1] for line in text.splitlines() if (match := _LINE.fullmatch(line))}
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    names = sorted(kept.keys() | found.keys())
    return [said for name in names if (said := _difference(name, kept, found))]


def _difference(name: str, kept: dict[str, str], found: dict[str, str]) -> str:
    if name not in found:
        return _("{name} is missing").format(name=name)
    if name not in kept:
        return _("{name} was not published").format(name=name)
    if kept[name] != found[name]:
        return _("{name} was changed").format(name=name)
    return ""


def folder_of(shelf: Path, ref: str) -> Path | None:
    """Return where a version lies on a shelf; None for what is no name of a version."""
    match = _REF.fullmatch(ref)
    return shelf / match[1].lower() / match[2] if match else None


def refs_on(shelf: Path) -> Iterator[str]:
    """Yield the names of the versions on a shelf; nothing where it cannot be read."""
    try:
        heads = sorted(shelf.glob(f"*/*/{HEAD}"))
    except OSError:
        return
    for head in heads:
        ref = f"{head.parts[-3].upper()}@{head.parts[-2]}"
        if folder_of(shelf, ref) == head.parent:
            yield ref


def publish(files: Files, ref: str, shelf: Path) -> bool:
    """Put a version on a shelf; return whether it is new there.

    Raises:
        InputError: This version is there with other content.
    """
    target = folder_of(shelf, ref)
    if target is None:
        raise InputError([Problem(ref, _("is no name of a version, such as BSH@1.0.0."))])
    if not target.exists() and _stage_and_rename(files, target, shelf):
        return True
    if read_folder(target) == files and not broken_seal(target, files):
        return False
    raise InputError([already_published(ref)])


def already_published(ref: str) -> Problem:
    """Return that a version cannot be published again with other content."""
    what = _("is published with other content.")
    rule = _("A published version never changes, because verdicts name it.")
    return Problem(ref, what, rule, _("Raise `version` in framework.yaml, then publish again."))


def _stage_and_rename(files: Files, target: Path, shelf: Path) -> bool:
    """Write all files, then give them their place; False where somebody was there first."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # On the shelf itself: a rename must not cross file systems. `refs_on` never looks there.
    stage = Path(tempfile.mkdtemp(prefix=".staged-", dir=shelf))
    try:
        for name, content in {**files, SUMS: sums_of(files)}.items():
            _write(stage / name, content)
        stage.chmod(0o755)
        stage.rename(target)
    except BaseException as error:
        shutil.rmtree(stage, ignore_errors=True)
        if isinstance(error, OSError) and target.exists():
            return False
        raise
    return True


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    path.chmod(0o444)
