"""Put together what is told about each cell: points, failed checks, a sentence.

Law: pure; the points are nbgrader's.
"""

from collections.abc import Mapping
from typing import Any

from bioskills.base.wire import CellScore
from bioskills.graders.reading_back import failed_checks, why_no_points


def known_checks(notes: object) -> dict[str, set[str]]:
    """Return by grade cell the checks that an assignment's notes know."""
    cells = notes.get("cells", {}) if isinstance(notes, dict) else {}
    return {name: {check["id"] for check in body.get("checks", [])} for name, body in cells.items()}


def with_checks(
    cells: list[dict[str, Any]],
    graded: Mapping[str, Any],
    notes: Mapping[str, set[str]],
    refused: Mapping[str, str],
) -> list[CellScore]:
    """Return scores with the checks that failed, and why there are no points.

    Args:
        cells: Scores by cell.
        graded: Graded notebooks, by name.
        notes: As `known_checks` returns them.
        refused: Sentences that are known better than from outputs, by cell.
    """
    failed: dict[str, list[str]] = {}
    comments: dict[str, str] = {}
    for name, book in graded.items():
        failed |= {f"{name}/{cell}": ids for cell, ids in failed_checks(book, notes).items()}
        places = [cell["cell"].partition("/") for cell in cells]
        there = [cell for book_name, _slash, cell in places if book_name == name]
        comments |= {f"{name}/{cell}": text for cell, text in why_no_points(book, there).items()}
    comments |= refused
    return [
        CellScore.model_validate(
            {
                **cell,
                "failed_checks": failed.get(cell["cell"], []),
                "comment": comments.get(cell["cell"], ""),
            }
        )
        for cell in cells
    ]
