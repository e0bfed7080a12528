"""Read the learner's notebook as nbgrader marks it.

Law: pure but for `read_notebook`; the marks of a cell are trusted for display
only, the grader decides by the released version.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bioskills_lab.folders import opened
from bioskills_lab.problems import Refused
from bioskills_lab.words import _

LARGEST = 50 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_MARKER = re.compile(r"YOUR CODE HERE|raise NotImplementedError|YOUR ANSWER HERE")


@dataclass(frozen=True)
class Cell:
    """One cell with the marks that matter here."""

    index: int
    kind: str
    source: str
    grade_id: str
    is_test: bool
    is_answer: bool
    title: str

    @property
    def digest(self) -> str:
        """Hash of the source, to see whether it was touched."""
        return hashlib.sha256(self.source.strip().encode()).hexdigest()


def read_notebook(home: Path, course: str, folder: str, name: str) -> dict[str, Any]:
    """Read a notebook file.

    Raises:
        Refused: It is missing or is not a notebook.
    """
    try:
        with (
            opened(home, course, folder) as parent,
            os.fdopen(os.open(name, _READ, dir_fd=parent), "rb") as file,
        ):
            found = json.loads(file.read(LARGEST))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(f"{course}/{folder}/{name}", error) from None
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        raise _unreadable(f"{course}/{folder}/{name}", ValueError(_("it has no cells")))
    return found


def cells_of(notebook: dict[str, Any]) -> list[Cell]:
    """Give the cells in order, each with the heading it stands under."""
    cells, title = [], ""
    for index, raw in enumerate(notebook.get("cells", [])):
        cell = _cell(index, raw, title)
        if cell.kind == "markdown" and not cell.is_answer:
            headings = _HEADING.findall(cell.source)
            title = headings[-1] if headings else title
        cells.append(cell)
    return cells


def released_note(notebook: dict[str, Any]) -> dict[str, dict[str, object]]:
    """Give per marked cell what a later look needs to know of the release."""
    return {
        cell.grade_id: {"sha256": cell.digest, "test": cell.is_test, "answer": cell.is_answer}
        for cell in cells_of(notebook)
        if cell.grade_id
    }


def untouched(cells: list[Cell], released: dict[str, dict[str, object]]) -> list[dict[str, object]]:
    """List the answers that nobody has written yet, with the reason."""
    found = []
    for cell in cells:
        reason = _reason(cell, released.get(cell.grade_id, {})) if cell.is_answer else ""
        if reason:
            found.append({"cell": cell.grade_id, "index": cell.index, "title": cell.title or cell.grade_id,
                          "message": reason})  # fmt: skip
    return found


def source_digest(cells: list[Cell]) -> str:
    """Hash of all sources: the same work, whatever its outputs are."""
    text = "\x00".join(f"{cell.kind}\x01{cell.source}" for cell in cells)
    return hashlib.sha256(text.encode()).hexdigest()


def _reason(cell: Cell, released: dict[str, object]) -> str:
    if not cell.source.strip() or _MARKER.search(cell.source):
        return _("Nothing is written here yet.")
    if cell.digest == released.get("sha256"):
        return _("It is as you received it.")
    return ""


def _cell(index: int, raw: object, title: str) -> Cell:
    fields = raw if isinstance(raw, dict) else {}
    metadata = fields.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    marks = marks if isinstance(marks, dict) else {}
    solution, grade = bool(marks.get("solution")), bool(marks.get("grade"))
    return Cell(
        index=index,
        kind=str(fields.get("cell_type", "")),
        source=_text(fields.get("source")),
        grade_id=str(marks.get("grade_id", "")),
        is_test=grade and not solution,
        is_answer=solution,
        title=title,
    )


def _text(source: object) -> str:
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _unreadable(path: str, error: Exception) -> Refused:
    return Refused(
        HTTPStatus.CONFLICT,
        "no_notebook",
        _("The notebook {path} cannot be read ({why}).").format(path=path, why=error),
        _("Rename the folder in the file browser, then press Start to get a fresh copy."),
    )
