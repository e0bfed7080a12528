"""Say whether stock nbgrader grades a notebook as it came.

Law: pure and cautious. `grades` never says yes where nbgrader 0.9.6 would stop
(a property test compares the two); it may say no where it would not, since the
repaired notebook then has the same scores. The rules are what nbformat's
schema, DeduplicateIds, OverwriteCells, CheckCellMetadata and SaveAutoGrades
refuse, each found by trying.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bioskills.graders.repair.model import CODE, MARKDOWN, RAW, Expected, SourceCell
from bioskills.graders.repair.reading import DEEPEST, depth

SCHEMA = 3
NEWEST_MINOR = 5
SKIP = "skip-execution"
"""nbclient does not run a cell with this tag, and nbgrader gives a test that was not run all points."""
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_GRADE_ID = re.compile(r"[a-zA-Z0-9_-]+\Z")
_FLAGS = ("grade", "solution", "locked", "task")
_MOST_POINTS = 1e300
_KEYS = {*_FLAGS, "schema_version", "grade_id", "points", "checksum", "cell_type"}


def grades(book: Mapping[str, Any], expected: Expected) -> bool:
    """Say whether stock nbgrader gives every cell of this notebook the score it should have."""
    cells = book.get("cells")
    return (
        depth(book) <= DEEPEST
        and _is_format(book)
        and is_plain_metadata(book.get("metadata"))
        and _has_kernel(book["metadata"], expected)
        and isinstance(cells, list)
        and all(is_plain_cell(cell) for cell in cells)
        and _marks_hold(cells, {cell.name: cell for cell in expected.cells})
    )


def marks_of(cell: Mapping[str, Any]) -> Any:
    """Return what a cell says to nbgrader; None where it says nothing."""
    metadata = cell.get("metadata")
    return metadata.get("nbgrader") if isinstance(metadata, dict) else None


def name_of(marks: object) -> str:
    """Return the grade_id in a cell's marks; empty where there is none."""
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return name if isinstance(name, str) else ""


def is_flagged(marks: object) -> bool:
    """Say whether nbgrader takes the cell for one of its own."""
    return isinstance(marks, dict) and any(marks.get(flag) for flag in _FLAGS)


def is_skipped(cell: Mapping[str, Any]) -> bool:
    """Say whether a cell carries the tag that keeps it from being run."""
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return isinstance(tags, list | str) and SKIP in tags


def flags_hold(marks: Mapping[str, Any], source: SourceCell) -> bool:
    """Say whether nbgrader gets along with these flags, and gives no points for having them.

    A manual answer that says it is no answer would get all points by itself.
    """
    grade, solution, task = (bool(marks.get(flag)) for flag in ("grade", "solution", "task"))
    if source.locked and (grade, solution) != (source.grade, source.solution):
        return False
    if grade and (not source.grade or solution != source.solution):
        return False
    if solution and not source.solution:
        return False
    if task:
        return source.cell_type == MARKDOWN and (source.task or source.solution)
    return source.cell_type != MARKDOWN or grade == solution


def is_plain_metadata(found: object) -> bool:
    """Say whether nbformat's schema takes a notebook's metadata."""
    if not isinstance(found, dict):
        return False
    kernel, language = found.get("kernelspec", {}), found.get("language_info", {})
    return (
        ("kernelspec" not in found or _has_texts(kernel, "name", "display_name"))
        and ("language_info" not in found or _is_language(language))
        and isinstance(found.get("title", ""), str)
        and isinstance(found.get("authors", []), list)
    )


def is_plain_cell(cell: object) -> bool:
    """Say whether nbformat reads a cell, and its schema takes it."""
    if not isinstance(cell, dict) or not is_plain_cell_metadata(cell.get("metadata")):
        return False
    kind, name = cell.get("cell_type"), cell.get("id", "none")
    if not isinstance(name, str) or not CELL_ID.match(name) or not _is_text(cell.get("source")):
        return False
    if kind == CODE:
        outputs = cell.get("outputs")
        return (
            "attachments" not in cell
            and isinstance(outputs, list)
            and all(_is_output(output) for output in outputs)
        )
    return kind in [MARKDOWN, RAW] and is_attachments(cell.get("attachments", {}))


def is_plain_cell_metadata(found: object) -> bool:
    """Say whether nbformat's schema takes a cell's metadata."""
    if not isinstance(found, dict):
        return False
    execution, name = found.get("execution", {}), found.get("name", "none")
    scrolled = found.get("scrolled", False)
    return (
        isinstance(name, str)
        and bool(name.splitlines()[:1] and name.splitlines()[0])
        and _is_tags(found.get("tags", []))
        and isinstance(found.get("collapsed", False), bool)
        and (isinstance(scrolled, bool) or scrolled == "auto")
        and isinstance(found.get("format", ""), str)
        and isinstance(found.get("jupyter", {}), dict)
        and isinstance(execution, dict)
        and all(isinstance(value, str) for value in execution.values())
    )


def is_attachments(found: object) -> bool:
    """Say whether nbformat's schema takes a cell's attachments."""
    return isinstance(found, dict) and all(
        isinstance(bundle, dict) and all(_is_text(data) for data in bundle.values())
        for bundle in found.values()
    )


def _is_format(book: Mapping[str, Any]) -> bool:
    major, minor = book.get("nbformat"), book.get("nbformat_minor")
    return (
        type(major) is int and major == 4 and type(minor) is int and 0 <= minor <= NEWEST_MINOR  # noqa: PLR2004
    )


def _has_kernel(metadata: Mapping[str, Any], expected: Expected) -> bool:
    """Nbgrader writes the gradebook's kernel over the learner's, where the gradebook names one."""
    if expected.kernelspec or "kernelspec" not in metadata:
        return True
    return metadata["kernelspec"]["name"] in expected.kernels


def _has_texts(found: object, *keys: str) -> bool:
    return isinstance(found, dict) and all(isinstance(found.get(key), str) for key in keys)


def _is_language(found: object) -> bool:
    texts = ("file_extension", "mimetype", "pygments_lexer")
    return (
        isinstance(found, dict)
        and isinstance(found.get("name"), str)
        and all(isinstance(found.get(key, ""), str) for key in texts)
        and isinstance(found.get("codemirror_mode", ""), str | dict)
    )


def _is_text(found: object) -> bool:
    return isinstance(found, str) or (
        isinstance(found, list) and all(isinstance(line, str) for line in found)
    )


def _is_tags(found: object) -> bool:
    return (
        isinstance(found, list)
        and all(isinstance(tag, str) and tag and "," not in tag for tag in found)
        and len(set(found)) == len(found)
        and "" not in [tag.strip("\n") for tag in found]
    )


def _is_output(found: object) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("output_type"), str):
        return False
    if found["output_type"] in {"execute_result", "display_data"}:
        return isinstance(found.get("data", {}), dict)
    return _is_text(found.get("text", ""))


def _marks_hold(cells: list[dict[str, Any]], known: Mapping[str, SourceCell]) -> bool:
    marked = [cell for cell in cells if "nbgrader" in cell["metadata"]]
    names = Counter(name_of(marks_of(cell)) for cell in marked)
    twice = [name for name, count in names.items() if count > 1 and name in known]
    return not twice and all(_holds(cell, known) for cell in marked)


def _holds(cell: Mapping[str, Any], known: Mapping[str, SourceCell]) -> bool:
    marks = cell["metadata"]["nbgrader"]
    if not _is_valid(marks):
        return False
    source = known.get(name_of(marks))
    if source is None:
        return not is_flagged(marks)
    return cell["cell_type"] == source.cell_type and flags_hold(marks, source)


def _is_valid(marks: object) -> bool:
    """Say whether nbgrader's schema takes the marks once OverwriteCells has been over them."""
    if not isinstance(marks, dict) or not marks.keys() <= _KEYS:
        return False
    checksum = marks.get("checksum", "-" * 32)
    return (
        type(marks.get("schema_version")) is int
        and marks["schema_version"] == SCHEMA
        and all(isinstance(marks.get(flag), bool) for flag in ("grade", "solution", "locked"))
        and isinstance(marks.get("task", False), bool)
        and ("grade_id" not in marks or bool(_GRADE_ID.match(name_of(marks))))
        and _is_points(marks)
        and isinstance(checksum, str)
        and len(checksum) == 32  # noqa: PLR2004 - characters of an MD5 hash
        and marks.get("cell_type", RAW) in [CODE, MARKDOWN, RAW]
    )


def _is_points(marks: Mapping[str, Any]) -> bool:
    points = marks.get("points", None if marks.get("grade") else 0)
    return (
        isinstance(points, int | float)
        and not isinstance(points, bool)
        and 0 <= points <= _MOST_POINTS
    )
