"""Find points that a test does not give by itself.

Law: a flag, never a change of points: the score stays what nbgrader says. Pure.

A test and the learner's code share one interpreter, so the code can make the
number that a cell returns, and with it say one thing per hand-in about a test
that it has read. Points in few steps say little: a cell whose test returns no
number gives all or nothing, and others give whole shares of `STEPS` at most.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from bioskills.base.text import _
from bioskills.base.wire import ODD_POINTS, CellScore, Flag

STEPS = 20
"""The greatest denominator of a share of a cell's points that raises no question."""

_NEAR = Fraction(1, 1_000_000)
_MAGIC = ("%", "!")


def odd_points(cells: Iterable[CellScore], sources: Mapping[str, str]) -> list[Flag]:
    """Return a flag for each cell whose points its test does not give by itself.

    Args:
        cells: Scores as nbgrader gave them.
        sources: The gradebook's source of each cell, by `<notebook>/<grade_id>`.
    """
    return [
        Flag(code=ODD_POINTS, cell=cell.cell, message=message)
        for cell in cells
        for message in _odd(cell, sources.get(cell.cell, ""))
    ]


def returns_a_number(test: str) -> bool:
    """Say whether a test can give a part of its points: whether its last line is a value."""
    lines = (line for line in test.splitlines() if not line.lstrip().startswith(_MAGIC))
    try:
        body = ast.parse("\n".join(lines)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True  # No Python: nobody can tell.
    return bool(body) and isinstance(body[-1], ast.Expr)


def _odd(cell: CellScore, test: str) -> Iterator[str]:
    share = _share(cell)
    if share in {0, 1}:
        return
    if share is None or not 0 < share < 1:
        yield _("These points are no share of what the cell can give.")
    elif cell.cell_type == "code" and test and not returns_a_number(test):
        yield _(
            "This test gives all of its points or none, and yet a part was given. The code that was handed in may have chosen the number."
        )
    elif abs(share - share.limit_denominator(STEPS)) > _NEAR:
        yield _(
            "These points are an unusual share of what the cell can give. The code that was handed in may have chosen the number."
        )


def _share(cell: CellScore) -> Fraction | None:
    """Return points by most points; None where there is no such share."""
    try:
        most = Fraction(cell.max_points)
        points = Fraction(cell.auto_points or "0")
    except (ValueError, ZeroDivisionError):
        return None
    if not most:
        return None if points else Fraction(0)
    return points / most
