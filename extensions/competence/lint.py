"""Check a mapping against its framework and its gradebook, before a run opens (rule R1).

Law: pure, and all findings at once. An *error* would make a verdict wrong or
impossible; a *warning* says that the course alone cannot achieve an outcome.
"""

from collections.abc import Iterator
from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass
from fractions import Fraction

from bioskills.base.problems import nearest
from bioskills.base.text import _, ngettext
from bioskills.competence.exact import exact
from bioskills.competence.faults import Fault
from bioskills.competence.framework import Framework, Outcome
from bioskills.competence.tasks import Cell, Mapping, Task

_BY_PERSON = frozenset({"capstone", "observation"})


@dataclass(frozen=True, slots=True)
class CellInfo:
    """What the gradebook knows of a grade cell.

    Attributes:
        max_points: Its points, as decimal text.
        manual: Whether a person grades it.
    """

    max_points: str
    manual: bool


Cells = AbcMapping[str, CellInfo]


def _framework_fault(mapping: Mapping, framework: Framework) -> Iterator[Fault]:
    if mapping.framework != framework.ref:
        yield Fault(
            "framework",
            mapping.framework,
            _("The mapping is for {theirs}, the framework given is {ours}.").format(
                theirs=mapping.framework, ours=framework.ref
            ),
            _("Name the framework that the run uses."),
            code="other_framework",
        )


def _known_cell(path: str, key: str, cells: Cells) -> Iterator[Fault]:
    if key not in cells:
        near = nearest(key, cells)
        advice = _("Did you mean {near}?").format(near=near) if near else ""
        yield Fault(
            path,
            key,
            _("The cell {key} is not in the course's assignments.").format(key=key),
            advice or _("Give the cell's key as notebook/grade_id."),
            code="unknown_cell",
        )
    elif exact(cells[key].max_points) <= 0:
        text = _("The cell {key} has {points} points; a mapped cell needs more than 0.")
        yield Fault(
            path,
            key,
            text.format(key=key, points=cells[key].max_points),
            _("Give the cell points, or take it out of the mapping."),
            code="no_points",
        )


def _known_outcome(path: str, outcome: str, framework: Framework) -> Iterator[Fault]:
    if outcome not in framework.outcomes:
        near = nearest(outcome, framework.outcomes)
        text = _("{outcome} is not an outcome of {framework}.")
        advice = _("Did you mean {near}?").format(near=near) if near else ""
        yield Fault(
            path,
            outcome,
            text.format(outcome=outcome, framework=framework.ref),
            advice or _("Choose an outcome of the framework."),
            code="unknown_outcome",
        )


def _weight(path: str, outcome: str, weight: Fraction) -> Iterator[Fault]:
    if weight <= 0:
        yield Fault(
            path,
            str(weight),
            _("The weight for {outcome} is {weight}; it must be above 0.").format(
                outcome=outcome, weight=weight
            ),
            _("Give a weight such as '1.0', or take the outcome out."),
            code="weight",
        )


def _by_person(
    path: str, key: str, outcome: Outcome | None, task: Task, cells: Cells
) -> Iterator[Fault]:
    if outcome is None or not outcome.needs_person or key not in cells:
        return
    if not cells[key].manual and task.kind not in _BY_PERSON:
        text = _("{outcome} needs a person's judgement; the cell {key} is graded automatically.")
        yield Fault(
            path,
            key,
            text.format(outcome=outcome.id, key=key),
            _("Map it to a cell graded by a person, or make the task a capstone or observation."),
            code="autonomy_automatic",
        )


def _cell(path: str, task: Task, cell: Cell, framework: Framework, cells: Cells) -> Iterator[Fault]:
    yield from _known_cell(f"{path}.cell", cell.cell, cells)
    for outcome, weight in cell.outcomes.items():
        where = f"{path}.outcomes.{outcome}"
        yield from _known_outcome(where, outcome, framework)
        yield from _weight(where, outcome, weight)
        yield from _by_person(where, cell.cell, framework.outcomes.get(outcome), task, cells)


def _resits(path: str, task: Task) -> Iterator[Fault]:
    mapped = {cell.cell.partition("/")[0] for cell in task.cells}
    for index, name in enumerate(task.assignments):
        if name not in mapped:
            text = _(
                "No cell of the assignment {name} is mapped; its attempts would prove nothing."
            )
            yield Fault(
                f"{path}.assignments[{index}]",
                name,
                text.format(name=name),
                _("Map its cells too (keys start with {name}/).").format(name=name),
                kind="warning",
                code="assignment_unmapped",
            )


def _task(index: int, task: Task, framework: Framework, cells: Cells) -> Iterator[Fault]:
    path = f"tasks[{index}]"
    for number, cell in enumerate(task.cells):
        yield from _cell(f"{path}.cells[{number}]", task, cell, framework, cells)
    for number, gate in enumerate(task.gates):
        yield from _known_cell(f"{path}.gates[{number}].cell", gate.cell, cells)
    yield from _resits(path, task)


def _critical(mapping: Mapping, framework: Framework) -> Iterator[Fault]:
    for outcome, names in mapping.critical.items():
        path = f"critical.{outcome}"
        yield from _known_outcome(path, outcome, framework)
        for name in names:
            task = mapping.task(name)
            if not (task.counts and outcome in task.outcomes):
                text = _(
                    "The critical task {name} cannot show {outcome}, so nobody could reach it."
                )
                yield Fault(
                    path,
                    name,
                    text.format(name=name, outcome=outcome),
                    _("Name a summative, capstone or observation task that maps the outcome."),
                    code="critical_impossible",
                )


def _too_few(mapping: Mapping, framework: Framework) -> Iterator[Fault]:
    for outcome in sorted(mapping.outcomes & framework.outcomes.keys()):
        needed = framework.outcomes[outcome].n
        found = sum(task.counts and outcome in task.outcomes for task in mapping.tasks)
        if found < needed:
            text = ngettext(
                "{outcome} needs {needed} counting task; this course has {found}.",
                "{outcome} needs {needed} counting tasks; this course has {found}.",
                needed,
            )
            yield Fault(
                "tasks",
                outcome,
                text.format(outcome=outcome, needed=needed, found=found),
                _("Add a summative task, or say in course.yml that the course contributes."),
                kind="warning",
                code="too_few_tasks",
            )


def lint_mapping(mapping: Mapping, framework: Framework, cells: Cells) -> tuple[Fault, ...]:
    """Return everything that is wrong or worth knowing before a run opens.

    Args:
        mapping: The parsed mapping.
        framework: The framework it claims to map to.
        cells: Every grade cell of the course, by key ``<notebook>/<grade_id>``.
    """
    found = [*_framework_fault(mapping, framework)]
    for index, task in enumerate(mapping.tasks):
        found += _task(index, task, framework, cells)
    return (*found, *_critical(mapping, framework), *_too_few(mapping, framework))
