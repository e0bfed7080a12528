"""Read every file of a course once, typed, and keep what was wrong with each.

Law: a file that cannot be read is a fault, not an exception, so that the
checks of all the other files still run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from bioskills.base.text import _
from bioskills.courses.data_manifest import DATA_MANIFEST, DataManifest, parse_data_manifest
from bioskills.courses.faults import CourseError, Fault
from bioskills.courses.grading_notes import (
    GradingNotes,
    Variant,
    parse_grading_notes,
    parse_variant,
)
from bioskills.courses.manifest import MANIFEST, Manifest, parse_manifest
from bioskills.courses.notebooks import Notebook, parse_notebook
from bioskills.courses.package import Files

T = TypeVar("T")


@dataclass(frozen=True)
class Course:
    """A course as far as it could be read.

    Attributes:
        files: Every file by path.
        manifest: None when `course.yml` is wrong; rules about it are then left out.
        notebooks: Lessons and assignment sources by path.
        notes: Grading notes by assignment.
        variants: Wrong answers by assignment, then by name.
        faults: What could not be read.
    """

    files: Files
    manifest: Manifest | None
    data: DataManifest | None
    notebooks: Mapping[str, Notebook]
    notes: Mapping[str, GradingNotes]
    variants: Mapping[str, Mapping[str, Variant]]
    faults: tuple[Fault, ...]

    @cached_property
    def lessons(self) -> tuple[Notebook, ...]:
        """The lesson notebooks, by path."""
        return tuple(book for path, book in self.notebooks.items() if path.startswith("lessons/"))

    @cached_property
    def sources(self) -> Mapping[str, Notebook]:
        """The source notebook of each assignment."""
        named = ((path.split("/")[1], path) for path in self.notebooks if "/" in path)
        return {
            name: self.notebooks[path]
            for name, path in named
            if path == f"assignments/{name}/{name}.ipynb"
        }


@dataclass
class _Reader:
    """Collects faults while files are parsed."""

    files: Files
    faults: list[Fault] = field(default_factory=list)

    def parsed(self, path: str, parse: Callable[[str, str], T]) -> T | None:
        """Return the parsed text file, or None and a fault more."""
        if path not in self.files:
            self.faults.append(Fault(path, "", "", _("the file is missing")))
            return None
        return self.attempt(lambda: parse(self._text(path), path))

    def attempt(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except CourseError as error:
            self.faults += error.faults
            return None

    def _text(self, path: str) -> str:
        try:
            return self.files[path].decode("utf-8")
        except UnicodeDecodeError as error:
            message = _("the file is not UTF-8 text: {reason}").format(reason=error.reason)
            raise CourseError([Fault(path, "", "", message)]) from error

    def below(self, prefix: str, suffix: str) -> list[str]:
        return [
            path for path in sorted(self.files) if path.startswith(prefix) and path.endswith(suffix)
        ]


def view_of(files: Files) -> Course:
    """Return the typed course of these files; what is wrong stands in its `faults`."""
    reader = _Reader(files)
    return Course(
        files=files,
        manifest=reader.parsed(MANIFEST, parse_manifest),
        data=reader.parsed(DATA_MANIFEST, parse_data_manifest),
        notebooks=_notebooks(reader),
        notes=_notes(reader),
        variants=_variants(reader),
        faults=tuple(reader.faults),
    )


def _notebooks(reader: _Reader) -> dict[str, Notebook]:
    found = {}
    for path in [*reader.below("lessons/", ".ipynb"), *reader.below("assignments/", ".ipynb")]:
        content = reader.files[path]
        book = reader.attempt(lambda p=path, c=content: parse_notebook(p, c))  # type: ignore[misc]
        if book:
            found[path] = book
    return found


def _notes(reader: _Reader) -> dict[str, GradingNotes]:
    found = {}
    for path in reader.below("grading/", ".yml"):
        notes = reader.parsed(path, parse_grading_notes)
        if notes:
            found[path.removeprefix("grading/").removesuffix(".yml")] = notes
    return found


def _variants(reader: _Reader) -> dict[str, dict[str, Variant]]:
    found: dict[str, dict[str, Variant]] = {}
    for path in reader.below("variants/", ".yml"):
        variant = reader.parsed(path, parse_variant)
        assignment, _slash, name = (
            path.removeprefix("variants/").removesuffix(".yml").partition("/")
        )
        if variant and name:
            found.setdefault(assignment, {})[name] = variant
    return found
