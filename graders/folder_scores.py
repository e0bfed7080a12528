"""Write the scores of a folder as a table for programs and spreadsheets.

Law: one row per graded cell; the file is there as a whole or as it was before;
no name of a person or a cell can become a formula.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bioskills.graders.folder_gradebook import Row
from bioskills.graders.folder_record import write_whole

COLUMNS = (
    "assignment", "notebook", "student", "grade_id", "auto_score", "manual_score", "max_score",
    "needs_manual_grade", "verdict",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_scores(
    path: Path, assignment: str, rows: Mapping[str, Sequence[Row]], verdicts: Mapping[str, str]
) -> None:
    """Write the table.

    Args:
        path: The file.
        assignment: Name of the assignment.
        rows: Graded cells by learner.
        verdicts: `graded` or `needs_person`, by learner.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_lines(assignment, rows, verdicts))
    write_whole(path, buffer.getvalue())


def _lines(
    assignment: str, rows: Mapping[str, Sequence[Row]], verdicts: Mapping[str, str]
) -> Iterator[list[str]]:
    for student, cells in sorted(rows.items()):
        for cell in cells:
            about = [_guarded(text) for text in (assignment, cell.notebook, student, cell.grade_id)]
            numbers = [_number(n) for n in (cell.auto_score, cell.manual_score, cell.max_score)]
            waits = "true" if cell.needs_manual_grade else "false"
            yield [*about, *numbers, waits, verdicts.get(student, "needs_person")]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"


def _guarded(text: str) -> str:
    """Return text that a spreadsheet shows as text, whatever it begins with."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
