"""Say what a person's judgement makes of the cells of a result.

Law: a person's points go before the machine's, within the bounds of the cell, by
nbgrader's own rule for formgrader: points given or left to the machine's settle a cell, and
where there are neither it waits. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bioskills.base.tables import Judgement
from bioskills.base.text import _
from bioskills.base.wire import CellScore
from bioskills.hub.campus.points_rules import points_faults, shown

MOST_EXTRA = Decimal(1_000_000)

Cells = list[dict[str, Any]]
Answers = Mapping[str, str]
"""The cell in which a learner answers, by graded cell: comments stand with answers."""


def answers_of(notes: Mapping[str, Any], cells: Iterable[Mapping[str, Any]]) -> Answers:
    """Return which cell each graded cell of a result tests, as the course's notes say."""
    known = notes.get("cells") or {}
    found = {}
    for cell in cells:
        book, _slash, name = str(cell["cell"]).rpartition("/")
        answer = (known.get(name) or {}).get("answer")
        found[str(cell["cell"])] = f"{book}/{answer or name}"
    return found


def judged(cells: Cells, decided: Sequence[Judgement], answers: Answers) -> Cells:
    """Return the cells with what people decided about them."""
    points = {one.cell: one for one in decided if one.kind == "points"}
    comments = {one.cell: one.comment for one in decided if one.kind == "comment"}
    return [
        {**cell, **_points(cell, points.get(cell["cell"])), **_comment(cell, comments, answers)}
        for cell in cells
    ]


def of_machine(cells: Iterable[CellScore]) -> Cells:
    """Return the cells as a machine may give them: who judged is known here, not there."""
    nothing = {"manual_points": None, "extra_credit": None, "person_comment": ""}
    return [{**cell.model_dump(), **nothing} for cell in cells]


def faults(cells: Cells, decided: Iterable[Judgement]) -> Iterator[str]:
    """Find points that their cell cannot give."""
    most = {cell["cell"]: Decimal(cell["max_points"]) for cell in cells}
    for one in decided:
        if one.kind != "points":
            continue
        if one.cell not in most:
            yield _("{cell} is no graded cell of this hand-in").format(cell=shown(one.cell))
            continue
        yield from points_faults(one.cell, one.points, most[one.cell])
        yield from points_faults(one.cell, one.extra_credit, MOST_EXTRA)


def _points(cell: Mapping[str, Any], decided: Judgement | None) -> dict[str, Any]:
    if decided is None:
        return {}
    waits = decided.points is None and cell.get("auto_points") is None
    return {
        "manual_points": decided.points,
        "extra_credit": decided.extra_credit,
        "needs_person": waits,
    }


def _comment(
    cell: Mapping[str, Any], comments: Mapping[str, str], answers: Answers
) -> dict[str, str]:
    """Return the comment on a graded cell: its own, else that on its answer."""
    own, answer = str(cell["cell"]), answers.get(str(cell["cell"]), "")
    found = comments.get(own) or comments.get(answer)
    said = found if found is not None else comments.get(own)
    return {} if said is None else {"person_comment": said}
