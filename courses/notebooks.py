"""Read a notebook as cells, and the regions an author marked in them.

Law: pure text. Nothing is executed, and the notebook is never changed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bioskills.base.text import _
from bioskills.courses.faults import CourseError, Fault

# nbgrader's own delimiters (ClearSolutions, ClearHiddenTests).
SOLUTION = "SOLUTION"
HIDDEN_TESTS = "HIDDEN TESTS"
MARK_SCHEME = "MARK SCHEME"

_MARK = re.compile(r"###?\s*(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)\b")


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook.

    Attributes:
        number: Place in the notebook, from 1, as a person counts.
        source: Text of the cell.
        metadata: Everything stored beside it.
    """

    number: int
    id: str
    kind: str
    source: str
    metadata: Mapping[str, Any]
    outputs: tuple[Mapping[str, Any], ...]
    execution_count: int | None

    @property
    def name(self) -> str:
        """Say which cell this is: its grade id, or its number."""
        return self.grade_id or _("cell {n}").format(n=self.number)

    @property
    def nbgrader(self) -> Mapping[str, Any]:
        """What nbgrader stores about the cell."""
        found = self.metadata.get("nbgrader", {})
        return found if isinstance(found, dict) else {}

    @property
    def grade_id(self) -> str:
        """The name nbgrader grades the cell by; empty for other cells."""
        return str(self.nbgrader.get("grade_id", ""))

    @property
    def is_graded(self) -> bool:
        """Say whether the cell carries points."""
        return bool(self.nbgrader.get("grade"))

    @property
    def is_autograded(self) -> bool:
        """Say whether the cell's points come from its own tests."""
        return self.is_graded and not self.nbgrader.get("solution") and self.kind == "code"

    @property
    def is_answer(self) -> bool:
        """Say whether the learner writes into this cell."""
        return bool(self.nbgrader.get("solution") or self.nbgrader.get("task"))

    @property
    def points(self) -> float:
        """Points of the cell."""
        return float(self.nbgrader.get("points") or 0)

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags of the cell."""
        return tuple(self.metadata.get("tags", ()))


@dataclass(frozen=True)
class Notebook:
    """One notebook of a course."""

    path: str
    metadata: Mapping[str, Any]
    format: tuple[int, int]
    cells: tuple[Cell, ...]

    @cached_property
    def graded(self) -> tuple[Cell, ...]:
        """The cells that carry points, in order."""
        return tuple(cell for cell in self.cells if cell.is_graded)

    def code(self) -> Iterator[Cell]:
        """The code cells."""
        return (cell for cell in self.cells if cell.kind == "code")

    def prose(self) -> Iterator[Cell]:
        """The text cells."""
        return (cell for cell in self.cells if cell.kind == "markdown")


def parse_notebook(path: str, content: bytes) -> Notebook:
    """Return the notebook stored in these bytes.

    Raises:
        CourseError: the bytes are not a notebook of format 4.
    """
    try:
        stored = json.loads(content)
        cells = tuple(_cell(n, raw) for n, raw in enumerate(stored["cells"], start=1))
        form = (int(stored["nbformat"]), int(stored["nbformat_minor"]))
        return Notebook(path, stored.get("metadata", {}), form, cells)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = _("the file is not a notebook of format 4: {reason}").format(reason=error)
        raise CourseError([Fault(path, "", "", message, _("Save it again in Jupyter."))]) from error


def _cell(number: int, raw: Mapping[str, Any]) -> Cell:
    return Cell(
        number=number,
        id=str(raw.get("id", "")),
        kind=str(raw["cell_type"]),
        source=_joined(raw["source"]),
        metadata=raw.get("metadata", {}),
        outputs=tuple(raw.get("outputs", ())),
        execution_count=raw.get("execution_count"),
    )


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def region_of_lines(source: str) -> list[tuple[str, str]]:
    """Return every line with the region it stands in; "" outside, "mark" for a marker."""
    inside = ""
    lines = []
    for line in source.splitlines():
        mark = _MARK.search(line)
        if mark:
            inside = mark[2] if mark[1] == "BEGIN" else ""
        lines.append(("mark" if mark else inside, line))
    return lines


def lines_in(source: str, *regions: str) -> list[str]:
    """Return the lines of a cell that stand in these regions."""
    return [line for region, line in region_of_lines(source) if region in regions]


def unbalanced_mark(source: str) -> str:
    """Return the first marker that does not fit, or an empty string."""
    opened = ""
    for line in source.splitlines():
        mark = _MARK.search(line)
        if not mark:
            continue
        begins = mark[1] == "BEGIN"
        if (begins and opened) or (not begins and opened != mark[2]):
            return line.strip()
        opened = mark[2] if begins else ""
    return f"### BEGIN {opened}" if opened else ""


def visible_source(source: str) -> str:
    """Return the text of a cell with every marked region taken out."""
    return "\n".join(lines_in(source, ""))
