"""Know where everything of a plain nbgrader course folder lies.

Law: what is graded is read as somebody hostile may have left it: regular files
only, no link followed out of the folder. Nothing is written outside the folder,
and in it only `autograded/`, the gradebook, and the record of what was graded.
"""

import glob
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.graders.folder_config import CONFIG, FolderConfig, read_config
from bioskills.graders.intake import UnsafeTreeError, copy_regular

OWN = ".bioskills"
STAMP = "timestamp.txt"
IGNORED = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback"]
"""nbgrader's default: files of these names are not copied."""
STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"
KEYS = {"{nbgrader_step}", "{student_id}", "{assignment_id}"}
READ_ONLY, SHARED = 444, 664


@dataclass(frozen=True)
class CourseFolder:
    """One assignment of a course folder.

    Attributes:
        root: The folder.
        assignment: Name of the assignment.
        config: What of its configuration counts.
        gradebook_url: SQLAlchemy URL of its gradebook.
    """

    root: Path
    assignment: str
    config: FolderConfig
    gradebook_url: str

    @property
    def course_id(self) -> str:
        """Name of the course as nbgrader knows it; may be empty."""
        return str(self.config.get("CourseDirectory.course_id", "")).strip()

    @property
    def has_gradebook(self) -> bool:
        """Whether there is a gradebook at all; looking at one must not make it."""
        url = _parsed(self.gradebook_url)
        if url is None or url.get_backend_name() != "sqlite":
            return True
        return Path(url.database or "").is_file()

    @property
    def own(self) -> Path:
        """Where the record of what was graded is kept."""
        return self.root / OWN

    @property
    def ignored(self) -> list[str]:
        """File names that nbgrader does not copy."""
        return list(self.config.get("CourseDirectory.ignore", IGNORED))

    @property
    def permissions(self) -> int:
        """Mode of graded files, as nbgrader sets it."""
        shared = self.config.get("CourseDirectory.groupshared", False)
        default = self.config.get("BaseConverter.permissions", SHARED if shared else READ_ONLY)
        return int(str(self.config.get("Autograde.permissions", default)), 8)

    def place(self, step: str, student: str) -> Path:
        """Return the folder of the assignment at a step of nbgrader's."""
        return Path(os.path.normpath(self.root / self._formatted(step, student, str)))

    def _formatted(self, step: str, student: str, quoted: Callable[[str], str]) -> str:
        structure = str(self.config.get("CourseDirectory.directory_structure", STRUCTURE))
        return structure.format(
            nbgrader_step=quoted(str(self.config.get(f"CourseDirectory.{step}_directory", step))),
            student_id=student,
            assignment_id=quoted(self.assignment),
        )

    def students(self) -> list[str]:
        """Return who has handed something in, sorted."""
        pattern = re.compile(self._formatted("submitted", "([^/]+)", re.escape))
        places = self.root.glob(self._formatted("submitted", "*", glob.escape))
        names = (path.relative_to(self.root).as_posix() for path in places if path.is_dir())
        found = {match[1] for name in names if (match := pattern.fullmatch(name))}
        excluded = str(self.config.get("CourseDirectory.student_id_exclude", "")).split(",")
        return sorted(name for name in found - set(excluded) if not name.startswith("."))

    def copy_submission(self, student: str, target: Path) -> int:
        """Copy what nbgrader would grade; return how many entries are no regular files."""
        source = self.place("submitted", student)
        self.need_inside(source)
        left = copy_regular(source, target)
        wanted = {*_kept(target, self.ignored), *target.glob("*.ipynb")}
        _prune(target, wanted)
        return left

    def need_inside(self, place: Path) -> None:
        """Raise where a link leads from the folder to somewhere else.

        Raises:
            UnsafeTreeError: It does.
        """
        if place.is_symlink() or not place.parent.resolve().is_relative_to(self.root):
            raise UnsafeTreeError(_("{path} leads out of the folder.").format(path=place))

    def copy_data(self, target: Path) -> list[str]:
        """Copy the data files of the source; return links that lead out of the folder."""
        source = self.place("source", ".")
        excluded = self.config.get("Autograde.exclude_overwriting", {}).get(self.assignment, [])
        target.mkdir(parents=True)
        outside = []
        for file in _kept(source, [*self.ignored, "*.ipynb"]):
            name = file.relative_to(source)
            if str(name) in excluded:
                continue
            if not file.resolve().is_relative_to(self.root) or not file.is_file():
                outside.append(str(name))
                continue
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / name)
        return outside


def stamp_in(folder: Path) -> datetime | None:
    """Return the time in a hand-in's `timestamp.txt` in UTC, by nbgrader's own reader.

    Raises:
        ValueError: The file holds no time; the text is what it holds.
    """
    from nbgrader.utils import parse_utc  # noqa: PLC0415 - 1,300 modules, only where they are used

    file = folder / STAMP
    if not file.is_file() or file.is_symlink():
        return None
    text = file.read_text("utf-8", errors="replace").strip()
    try:
        return parse_utc(text) if text else None
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(text[:40]) from error


def open_folder(root: Path, assignment: str, gradebook: str = "") -> CourseFolder:
    """Return a course folder with what its configuration says.

    Args:
        root: The folder.
        assignment: Name of the assignment.
        gradebook: The gradebook's URL, where it is not the folder's own.

    Raises:
        InputError: It is no course folder, or its configuration leads out of it.
    """
    root = root.resolve()
    if not root.is_dir():
        raise InputError([Problem(str(root), _("there is no such folder."))])
    config = read_config(root)
    url = gradebook or str(config.get("CourseDirectory.db_url", "")) or "sqlite:///gradebook.db"
    folder = CourseFolder(root, assignment, config, _absolute(url, root))
    faults = [*_leaving(folder), *([] if gradebook else _elsewhere(folder))]
    if faults:
        raise InputError(faults)
    return folder


def _leaving(folder: CourseFolder) -> Iterator[Problem]:
    """Yield what would lead out of the folder."""
    structure = str(folder.config.get("CourseDirectory.directory_structure", STRUCTURE))
    keys = set(re.findall(r"\{.*?\}", structure))
    if keys != KEYS or structure.count("{") != len(KEYS):
        yield _unsafe("directory_structure", structure)
        return
    for step in ("source", "submitted", "autograded"):
        place = folder.place(step, "student")
        if not place.is_relative_to(folder.root) or not place.parent.resolve().is_relative_to(
            folder.root
        ):
            yield _unsafe(f"{step}_directory", str(place))
    if "/" in folder.assignment or folder.assignment in {"", ".", ".."}:
        yield Problem("ASSIGNMENT", _("{name!r} is no name.").format(name=folder.assignment))


def _unsafe(name: str, value: str) -> Problem:
    return Problem(
        f"{CONFIG}: CourseDirectory.{name}",
        _("{value!r} leads out of the folder.").format(value=value),
        _("Only what lies in the folder is graded."),
        _("Correct it, or grade with: nbgrader autograde"),
    )


def _elsewhere(folder: CourseFolder) -> Iterator[Problem]:
    """Yield a problem where the configured gradebook is not in the folder."""
    url = _parsed(folder.gradebook_url)
    if (
        url is not None
        and url.get_backend_name() == "sqlite"
        and url.database
        and Path(url.database).resolve().is_relative_to(folder.root)
    ):
        return
    shown = url.render_as_string(hide_password=True) if url else folder.gradebook_url
    yield Problem(
        f"{CONFIG}: CourseDirectory.db_url",
        _("the gradebook {url} does not lie in the folder.").format(url=shown),
        next=_("If you want its scores to be written there, add: --gradebook URL"),
    )


def _absolute(url: str, root: Path) -> str:
    """Return the URL with a file's path made absolute: nbgrader means it from the folder."""
    found = _parsed(url)
    if found is None or found.get_backend_name() != "sqlite" or not found.database:
        return url
    return found.set(database=str(root / found.database)).render_as_string(hide_password=False)


def _parsed(url: str) -> URL | None:
    try:
        return make_url(url)
    except ArgumentError:
        return None


def tree_key(folder: Path) -> str:
    """Return a hash over the regular files of a folder: names and content."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder)}\0{content}\n".encode("utf-8", "replace"))
    return digest.hexdigest()


def keep_graded(folder: CourseFolder, graded: Path, staged: Path) -> None:
    """Copy a graded folder out of a slot, with the rights that nbgrader would leave.

    What is not to be copied never went in; what code wrote there stays, whatever its name.
    """
    shutil.rmtree(staged, ignore_errors=True)
    staged.parent.mkdir(parents=True, exist_ok=True)
    copy_regular(graded, staged)
    for path in (staged, *staged.rglob("*")):
        path.chmod(0o777 & ~_umask() if path.is_dir() else folder.permissions)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _kept(folder: Path, ignored: list[str]) -> list[Path]:
    from nbgrader.utils import find_all_files  # noqa: PLC0415 - 1,300 modules, only where they are used

    found: list[Any] = find_all_files(str(folder), ignored)
    return sorted(map(Path, found))


def _prune(folder: Path, wanted: set[Path]) -> None:
    """Remove the files that are not wanted, and folders without any."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in wanted:
            path.unlink()
