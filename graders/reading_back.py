"""Read what grading left in notebooks: named checks that failed, and answers.

Law: only names leave here: the ids of checks that the course's notes list, and
the kind of an error. The text of a test, hidden or visible, and what a
learner's code printed while it was graded never do.
"""

import builtins
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioskills.base.text import _

CHECK_ID = re.compile(r"\s*\[([a-z0-9_]+)\]", re.ASCII)
ANSWER_CHARS = 20_000
KNOWN_ERRORS = {
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}


def notebooks_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the notebooks that can be read, by name without ending."""
    found = {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            book = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            continue
        if isinstance(book, dict) and isinstance(book.get("cells"), list):
            found[path.stem] = book
    return found


def failed_checks(book: Mapping[str, Any], known: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Return by grade cell the checks that failed; only ids that the notes know.

    Args:
        book: An autograded notebook.
        known: Check ids by grade_id, from `grading/<assignment>.yml`.
    """
    found = {}
    for cell in book["cells"]:
        name = _grade_id(cell)
        failed = [
            check
            for output in _errors(cell)
            if (check := _check_of(output)) in known.get(name, set())
        ]
        if failed:
            found[name] = failed
    return found


def stopped_by(book: Mapping[str, Any]) -> dict[str, str]:
    """Return by grade cell a sentence where it stopped with something else than a check."""
    found = {}
    for cell in book["cells"]:
        for output in _errors(cell):
            if not _check_of(output) and output.get("ename") in KNOWN_ERRORS:
                found[_grade_id(cell)] = _(
                    "The checks stopped with {error}: run your cells from top to bottom and look at the first one that fails."
                ).format(error=output["ename"])
    return found


def answers(book: Mapping[str, Any]) -> dict[str, str]:
    """Return the learner's source of every answer cell, by grade_id."""
    return {
        _grade_id(cell): _text(cell.get("source"))[:ANSWER_CHARS]
        for cell in book["cells"]
        if isinstance(cell, dict) and _nbgrader(cell).get("solution")
    }


def _nbgrader(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _grade_id(cell: Mapping[str, Any]) -> str:
    return str(_nbgrader(cell).get("grade_id", ""))


def _errors(cell: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if not _nbgrader(cell).get("grade"):
        return []
    return [output for output in cell.get("outputs") or [] if output.get("output_type") == "error"]


def _check_of(output: Mapping[str, Any]) -> str:
    found = (
        CHECK_ID.match(_text(output.get("evalue")))
        if output.get("ename") == "AssertionError"
        else None
    )
    return found[1] if found else ""


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
