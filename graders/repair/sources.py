"""Read from a gradebook what an assignment's notebooks hold.

Law: reads only. The one module of this package that needs nbgrader's database.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from bioskills.graders.repair.model import Expected, SourceCell


def expected_of(
    gradebook: Any, assignment: str, released: Mapping[str, bytes] | None = None
) -> dict[str, Expected]:
    """Return the notebooks of an assignment, by name.

    Args:
        gradebook: An open `nbgrader.api.Gradebook`.
        assignment: Its name.
        released: The released notebooks' bytes, by name, where they are at hand.
    """
    order = _rows(gradebook)
    return {
        str(book.name): _expected(book, (released or {}).get(str(book.name), b""), order)
        for book in gradebook.find_assignment(assignment).notebooks
    }


def _rows(gradebook: Any) -> dict[str, int]:
    """Return the place of every source cell in the gradebook: nbgrader keeps no order, but writes in order.

    Only SQLite still knows it; elsewhere this is empty.
    """
    if gradebook.db.get_bind().dialect.name != "sqlite":
        return {}
    rows = gradebook.db.execute(text("select id, rowid from source_cell"))
    return {str(name): int(row) for name, row in rows}


def _expected(book: Any, released: bytes, order: Mapping[str, int]) -> Expected:
    grades = {cell.name: cell for cell in book.grade_cells}
    tasks = {cell.name: cell for cell in book.task_cells}
    solutions = {cell.name for cell in book.solution_cells}
    cells = tuple(
        SourceCell(
            name=cell.name,
            cell_type=cell.cell_type,
            source=cell.source or "",
            locked=bool(cell.locked),
            grade=cell.name in grades,
            solution=cell.name in solutions,
            task=cell.name in tasks,
            points=_points(grades.get(cell.name) or tasks.get(cell.name)),
            checksum=cell.checksum,
        )
        for cell in sorted(book.source_cells, key=lambda cell: order.get(str(cell.id), 0))
    )
    kernelspec = _kernelspec(book.kernelspec)
    return Expected(cells, kernelspec, released, in_order=bool(order))


def _points(cell: Any) -> float | None:
    return None if cell is None else float(cell.max_score)


def _kernelspec(text: str | None) -> dict[str, object]:
    found = json.loads(text) if text else {}
    return dict(found) if isinstance(found, dict) else {}
