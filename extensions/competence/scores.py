"""Turn one attempt's grade cells into a score per outcome (rule R2).

Law: pure and exact. A person's score goes before the machine's, extra credit
and late penalties stay with the grade, and nothing is scored while a mapped
cell waits for a person.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass
from fractions import Fraction

from bioskills.base.text import _
from bioskills.base.wire import CellScore
from bioskills.competence.exact import exact, to_stored
from bioskills.competence.tasks import Gate, Mapping, Task

__all__ = ["GradeCell", "MissingCellsError", "OutcomeScore", "attempt_scores", "to_stored"]


class MissingCellsError(LookupError):
    """The gradebook lacks mapped cells of a notebook that was handed in, or their points."""

    def __init__(self, task: str, keys: Iterable[str]) -> None:
        self.task = task
        self.keys = tuple(keys)
        super().__init__(
            _(
                "The task {task} maps cells that the gradebook does not have, or has without "
                "points: {keys}. Run: bioskills course check"
            ).format(task=task, keys=", ".join(self.keys))
        )


@dataclass(frozen=True, slots=True)
class GradeCell:
    """One row of the gradebook; numbers are decimal text, never floats.

    Attributes:
        name: Cell key ``<notebook>/<grade_id>``.
        needs_manual_grade: Whether a person still has to grade it.
    """

    name: str
    cell_type: str
    max_score: str
    auto_score: str | None
    manual_score: str | None = None
    extra_credit: str | None = None
    needs_manual_grade: bool = False

    @property
    def points(self) -> Fraction:
        """Points that count: a person's, else the machine's, else 0; never above the maximum."""
        given = self.manual_score if self.manual_score is not None else self.auto_score
        return min(max(exact(given or "0"), Fraction(0)), exact(self.max_score))


def grade_cell(cell: CellScore) -> GradeCell:
    """Return a cell as it travels as the rules read it."""
    return GradeCell(
        name=cell.cell,
        cell_type=cell.cell_type,
        max_score=cell.max_points,
        auto_score=cell.auto_points,
        manual_score=cell.manual_points,
        extra_credit=cell.extra_credit,
        needs_manual_grade=cell.needs_person,
    )


@dataclass(frozen=True, slots=True)
class OutcomeScore:
    """What one attempt shows of one outcome.

    Attributes:
        score: Share 0 to 1; None while it waits for a person.
        raw: Weighted points reached, before any gate.
        max: Weighted points possible.
        pending: Whether a person still has to grade a mapped cell or a gate.
        failed_gates: Cells of the gates that made the score 0.
    """

    score: Fraction | None
    raw: Fraction
    max: Fraction
    pending: bool
    failed_gates: tuple[str, ...] = ()


_Weighted = list[tuple[Fraction, GradeCell]]


def _check(task: Task, rows: AbcMapping[str, GradeCell]) -> None:
    """Refuse to guess: a mapped cell of a notebook that is here must be here too."""
    notebooks = {key.partition("/")[0] for key in rows}
    wanted = [cell.cell for cell in task.cells] + [gate.cell for gate in task.gates]
    missing = [
        key
        for key in dict.fromkeys(wanted)
        if key.partition("/")[0] in notebooks
        and (key not in rows or exact(rows[key].max_score) <= 0)
    ]
    if missing:
        raise MissingCellsError(task.id, missing)


def _weighted(task: Task, outcome: str, rows: AbcMapping[str, GradeCell]) -> _Weighted:
    return [
        (cell.outcomes[outcome], rows[cell.cell])
        for cell in task.cells
        if outcome in cell.outcomes and cell.cell in rows
    ]


def _gates(task: Task, outcome: str, rows: AbcMapping[str, GradeCell]) -> Iterator[Gate]:
    return (gate for gate in task.gates if outcome in gate.outcomes and gate.cell in rows)


def _passed(gate: Gate, row: GradeCell) -> bool:
    return row.points >= gate.min * exact(row.max_score)


def _score(task: Task, outcome: str, rows: AbcMapping[str, GradeCell]) -> OutcomeScore | None:
    weighted = _weighted(task, outcome, rows)
    if not weighted:
        return None
    raw = sum((weight * row.points for weight, row in weighted), Fraction(0))
    most = sum((weight * exact(row.max_score) for weight, row in weighted), Fraction(0))
    gates = list(_gates(task, outcome, rows))
    used = [row for _weight, row in weighted] + [rows[gate.cell] for gate in gates]
    if any(row.needs_manual_grade for row in used):
        return OutcomeScore(None, raw, most, pending=True)
    failed = tuple(gate.cell for gate in gates if not _passed(gate, rows[gate.cell]))
    return OutcomeScore(Fraction(0) if failed else raw / most, raw, most, False, failed)


def attempt_scores(
    mapping: Mapping, task: str, cells: Iterable[GradeCell]
) -> dict[str, OutcomeScore]:
    """Return the score of one attempt for every outcome that its notebooks map.

    Args:
        mapping: The course's mapping.
        task: Id of the task that this attempt belongs to.
        cells: All gradebook rows of the submission. A task's other assignments
            (its resits) are not in them and are left out.

    Raises:
        MissingCellsError: A mapped cell of a notebook that is here is not among the rows.
    """
    found = mapping.task(task)
    rows = {cell.name: cell for cell in cells}
    _check(found, rows)
    scored = {outcome: _score(found, outcome, rows) for outcome in sorted(found.outcomes)}
    return {outcome: score for outcome, score in scored.items() if score is not None}
