"""Rules about `competence.yaml`: which grade cell proves which outcome.

Law: pure. What a mapping must be is decided by `bioskills.competence`; here it
is only held against the course's notebooks and `course.yml`.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from bioskills.base.text import _
from bioskills.competence.framework import (
    SHOWN,
    ChangedFrameworkError,
    Framework,
    UnknownFrameworkError,
    load_framework,
)
from bioskills.competence.mapping import CellInfo, MappingError, lint_mapping, parse_mapping
from bioskills.competence.mapping import Fault as MappingFault
from bioskills.competence.mapping import Mapping as CellMapping
from bioskills.competence.tasks import Task
from bioskills.courses.faults import Fault
from bioskills.courses.reading import Course

MAPPING = "competence.yaml"

# Outcomes with these verbs need a reason in the learner's words, not only a right answer.
_REASONED = ("explains", "compares")


def mapping_sound(course: Course) -> Iterator[Fault]:
    """The mapping can be read and names cells and outcomes that exist."""
    for fault in _lint(course):
        if fault.kind == "error":
            yield Fault(MAPPING, fault.path, fault.value, fault.message, fault.next)


def mapping_enough(course: Course) -> Iterator[Fault]:
    """The course has as many tasks for an outcome as the outcome needs."""
    for fault in _lint(course):
        if fault.kind == "warning":
            yield Fault(MAPPING, fault.path, fault.value, fault.message, fault.next)


def mapping_agrees(course: Course) -> Iterator[Fault]:
    """What course.yml promises is what the mapping proves, and every cell proves something."""
    mapping, manifest = _mapping(course), course.manifest
    if mapping is None or manifest is None:
        return
    for outcome in sorted(manifest.outcomes - mapping.outcomes):
        message = _("course.yml names {outcome}, but no grade cell proves it")
        yield Fault(MAPPING, "tasks", outcome, message.format(outcome=outcome))
    for outcome in sorted(mapping.outcomes - manifest.outcomes):
        message = _("{outcome} is proved here, but course.yml does not name it")
        yield Fault(MAPPING, "tasks", outcome, message.format(outcome=outcome))
    proved = {cell.cell for cell in mapping.cells}
    for key in sorted(_cells(course).keys() - proved):
        yield Fault(MAPPING, "tasks", key, _("the grade cell {key} proves nothing").format(key=key))
    for assignment in manifest.assignments:
        task = mapping.task_of(assignment.id)
        if task and task.counts != (assignment.kind == "summative"):
            message = _("{name} is {kind} in course.yml, but its task is {other}")
            text = message.format(name=assignment.id, kind=assignment.kind, other=task.kind)
            yield Fault(MAPPING, f"tasks.{task.id}.kind", task.kind, text)


def framework_shown(course: Course) -> Iterator[Fault]:
    """The mapping speaks of the framework that this version's campus shows."""
    mapping = _mapping(course)
    if mapping is not None and mapping.framework != SHOWN:
        message = _(
            "this version's campus shows outcomes of {shown} only: learners get their points, "
            "but passport and tables say nothing about outcomes of {other}"
        )
        text = message.format(shown=SHOWN, other=mapping.framework)
        yield Fault(MAPPING, "framework", mapping.framework, text)


def notes_name_mapped_outcomes(course: Course) -> Iterator[Fault]:
    """The outcomes shown beside a cell are the ones its points count for."""
    mapping = _mapping(course)
    mapped = {cell.cell: set(cell.outcomes) for cell in mapping.cells} if mapping else {}
    for assignment, notes in course.notes.items():
        for grade_id, entry in notes.cells.items():
            counted = mapped.get(f"{assignment}/{grade_id}")
            if counted is not None and set(entry.outcomes) != counted:
                message = _("shown: {shown}; counted: {counted}").format(
                    shown=", ".join(entry.outcomes) or "-", counted=", ".join(sorted(counted))
                )
                yield Fault(f"grading/{assignment}.yml", f"cells.{grade_id}.outcomes", "", message)


def reasons_weigh_enough(course: Course) -> Iterator[Fault]:
    """Nobody reaches an outcome that *explains* or *compares* by automatic cells alone."""
    mapping = _mapping(course)
    framework = _framework(mapping.framework) if mapping else None
    if mapping is None or framework is None:
        return
    for task in mapping.tasks:
        for outcome in sorted(task.outcomes & framework.outcomes.keys()) if task.counts else ():
            known = framework.outcomes[outcome]
            share = _automatic_share(task, outcome, _cells(course))
            if known.statement.startswith(_REASONED) and share >= known.theta:
                message = _(
                    "{share:.0%} of {outcome} in {task} are automatic; {theta:.0%} are enough"
                )
                text = message.format(
                    share=float(share), outcome=outcome, task=task.id, theta=float(known.theta)
                )
                yield Fault(MAPPING, f"tasks.{task.id}", outcome, text)


def _automatic_share(task: Task, outcome: str, cells: Mapping[str, CellInfo]) -> Fraction:
    total = automatic = Fraction(0)
    for cell in task.cells:
        info = cells.get(cell.cell)
        if info and outcome in cell.outcomes:
            points = cell.outcomes[outcome] * Fraction(info.max_points)
            total += points
            automatic += 0 if info.manual else points
    return automatic / total if total else Fraction(0)


def _cells(course: Course) -> dict[str, CellInfo]:
    return {
        f"{assignment}/{cell.grade_id}": CellInfo(f"{cell.points:g}", not cell.is_autograded)
        for assignment, book in course.sources.items()
        for cell in book.graded
    }


def _lint(course: Course) -> tuple[MappingFault, ...]:
    try:
        mapping = parse_mapping(_text(course))
    except MappingError as error:
        return error.faults if MAPPING in course.files else ()
    try:
        framework = load_framework(mapping.framework)
    except (UnknownFrameworkError, ChangedFrameworkError) as error:
        message = " ".join(f"{p.where} {p.what} {p.rule}".rstrip() for p in error.problems)
        step = _("See which there are: bioskills framework list")
        return (MappingFault("framework", mapping.framework, message, step),)
    return lint_mapping(mapping, framework, _cells(course))


def _mapping(course: Course) -> CellMapping | None:
    try:
        return parse_mapping(_text(course))
    except MappingError:
        return None


def _text(course: Course) -> str:
    return course.files.get(MAPPING, b"").decode("utf-8", errors="replace")


def _framework(ref: str) -> Framework | None:
    try:
        return load_framework(ref)
    except (UnknownFrameworkError, ChangedFrameworkError):
        return None
