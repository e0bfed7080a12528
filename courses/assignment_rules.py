"""Rules about assignments: tests, their labels and hints, points, rubrics, wrong answers.

Law: pure; what can be read off the notebooks and the notes is judged here.
Whether a solution passes and a wrong answer fails is judged by the trial.
"""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from bioskills.base.text import _
from bioskills.courses.faults import Fault
from bioskills.courses.grading_notes import CellNotes, message_ids
from bioskills.courses.manifest import MANIFEST
from bioskills.courses.notebooks import (
    HIDDEN_TESTS,
    SOLUTION,
    Cell,
    Notebook,
    lines_in,
    visible_source,
)
from bioskills.courses.reading import Course

HINTS = 3
_SHORT_CONSTANT = 2


class _Graded(NamedTuple):
    """A graded cell with its notes."""

    assignment: str
    book: Notebook
    cell: Cell
    notes: CellNotes | None

    @property
    def notes_file(self) -> str:
        return f"grading/{self.assignment}.yml"


def _graded(course: Course) -> Iterator[_Graded]:
    for assignment, book in course.sources.items():
        notes = course.notes.get(assignment)
        for cell in book.graded:
            entry = notes.cells.get(cell.grade_id) if notes else None
            yield _Graded(assignment, book, cell, entry)


def _automatic(course: Course) -> Iterator[tuple[_Graded, CellNotes]]:
    for graded in _graded(course):
        if graded.notes and graded.cell.is_autograded:
            yield graded, graded.notes


def notes_complete(course: Course) -> Iterator[Fault]:
    """Every grade cell has its notes, and notes are about grade cells."""
    for graded in _graded(course):
        yield from _notes_faults(graded)
    for assignment, notes in course.notes.items():
        book = course.sources.get(assignment)
        known = {cell.grade_id for cell in book.graded} if book else set()
        for grade_id in notes.cells:
            if grade_id not in known:
                message = _("{assignment} has no grade cell {cell}")
                text = message.format(assignment=assignment, cell=grade_id)
                yield Fault(f"grading/{assignment}.yml", f"cells.{grade_id}", grade_id, text)


def _notes_faults(graded: _Graded) -> Iterator[Fault]:
    key = f"cells.{graded.cell.grade_id}"
    if graded.notes is None:
        message = _("the grade cell {cell} of {book} has no notes")
        text = message.format(cell=graded.cell.grade_id, book=graded.book.path)
        yield Fault(graded.notes_file, key, "", text)
        return
    expected = "automatic" if graded.cell.is_autograded else "person"
    if graded.notes.graded != expected:
        message = _("the cell is graded by: {expected}").format(expected=expected)
        yield Fault(graded.notes_file, f"{key}.graded", graded.notes.graded, message)
    answers = {cell.grade_id for cell in graded.book.cells if cell.is_answer}
    if expected == "automatic" and graded.notes.answer not in answers:
        message = _("{answer} is no answer cell of {book}")
        text = message.format(answer=graded.notes.answer, book=graded.book.path)
        yield Fault(graded.notes_file, f"{key}.answer", str(graded.notes.answer), text)


def tests_visible_and_hidden(course: Course) -> Iterator[Fault]:
    """Every test cell has visible tests first and hidden tests after them."""
    for graded in _graded(course):
        cell = graded.cell
        if not cell.is_autograded:
            continue
        visible, hidden = (
            visible_source(cell.source),
            "\n".join(lines_in(cell.source, HIDDEN_TESTS)),
        )
        for kind, text in ((_("visible"), visible), (_("hidden"), hidden)):
            if "assert" not in text:
                message = _("the cell has no {kind} test").format(kind=kind)
                yield Fault(graded.book.path, cell.grade_id, "", message)
        if "assert" in cell.source.rpartition(f"END {HIDDEN_TESTS}")[2] and hidden:
            # The trial tells visible from hidden failures by what was reached first.
            message = _("a visible test stands after the hidden tests")
            yield Fault(graded.book.path, cell.grade_id, "", message, _("Move it before them."))


def checks_match_messages(course: Course) -> Iterator[Fault]:
    """The checks in the notes are the [id] of the messages, visible and hidden alike."""
    for graded, notes in _automatic(course):
        source = graded.cell.source
        hidden = "\n".join(lines_in(source, HIDDEN_TESTS))
        written = dict.fromkeys(message_ids(visible_source(source)), True)
        written |= dict.fromkeys(message_ids(hidden), False)
        noted = {check.id: check.visible for check in notes.checks}
        key = f"cells.{graded.cell.grade_id}.checks"
        for check_id in sorted(written.keys() ^ noted.keys()):
            message = (
                _("the test has a message [{id}], the notes have no such check")
                if check_id in written
                else _("no message of the test starts with [{id}]")
            )
            yield Fault(graded.notes_file, key, check_id, message.format(id=check_id))
        for check_id in sorted(written.keys() & noted.keys()):
            if written[check_id] != noted[check_id]:
                message = _(
                    "the notes say visible: {noted} of {id}, the notebook says the opposite"
                )
                text = message.format(noted=str(noted[check_id]).lower(), id=check_id)
                yield Fault(graded.notes_file, key, check_id, text)


def hints_laddered(course: Course) -> Iterator[Fault]:
    """Every automatic cell has three hints: where, compare with what, which kind of step."""
    for graded, notes in _automatic(course):
        if len(notes.hints) != HINTS:
            message = _("{n} hints; there are {expected}")
            text = message.format(n=len(notes.hints), expected=HINTS)
            yield Fault(graded.notes_file, f"cells.{graded.cell.grade_id}.hints", "", text)


def assertions_have_messages(course: Course) -> Iterator[Fault]:
    """Every assertion has a message with an id, and no message gives the answer away."""
    for graded, _notes in _automatic(course):
        try:
            tree = ast.parse(graded.cell.source)
        except SyntaxError as error:
            message = _("the test is not Python: {reason}").format(reason=error.msg)
            yield Fault(graded.book.path, graded.cell.grade_id, "", message)
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert):
                yield from _assertion_faults(graded, node)


def _assertion_faults(graded: _Graded, node: ast.Assert) -> Iterator[Fault]:
    where = _("{cell}, line {line}").format(cell=graded.cell.grade_id, line=node.lineno)
    words = (
        [part.value for part in ast.walk(node.msg) if isinstance(part, ast.Constant)]
        if (node.msg)
        else []
    )
    text = "".join(word for word in words if isinstance(word, str))
    if not message_ids(text):
        message = _("the assertion has no message that starts with [id]")
        yield Fault(graded.book.path, where, text, message)
    for constant in _expected_values(node.test):
        if re.search(rf"(?<!\w){re.escape(constant)}(?!\w)", text):
            message = _("the message holds {value}, which the test compares with")
            yield Fault(graded.book.path, where, constant, message.format(value=constant))


def _expected_values(test: ast.expr) -> Iterator[str]:
    """Yield the constants that a result is compared with, long enough to give something away."""
    for compare in (node for node in ast.walk(test) if isinstance(node, ast.Compare)):
        sides = [compare.left, *compare.comparators]
        for side in sides:
            value = side.value if isinstance(side, ast.Constant) else None
            if not isinstance(value, bool | None) and len(str(value)) > _SHORT_CONSTANT:
                yield str(value)


def points_add_up(course: Course) -> Iterator[Fault]:
    """The points in course.yml are the sum of the grade cells, each above 0."""
    for assignment, book in course.sources.items():
        for cell in book.graded:
            if cell.points <= 0:
                yield Fault(book.path, cell.grade_id, str(cell.points), _("the cell has no points"))
        entry = course.manifest.assignment(assignment) if course.manifest else None
        total = sum(cell.points for cell in book.graded)
        if entry and abs(entry.points - total) > 1e-9:  # noqa: PLR2004 - floats of YAML and JSON
            message = _("course.yml says {said:g} points, the cells have {total:g}")
            text = message.format(said=entry.points, total=total)
            yield Fault(MANIFEST, f"assignments.{assignment}.points", f"{entry.points:g}", text)


def answers_have_solutions(course: Course) -> Iterator[Fault]:
    """Every code answer holds a marked solution, so that only that part is cleared."""
    for book in course.sources.values():
        for cell in book.code():
            writes = bool(cell.nbgrader.get("solution"))
            if writes and not any(line.strip() for line in lines_in(cell.source, SOLUTION)):
                message = _("the answer cell has no marked solution")
                yield Fault(book.path, cell.grade_id, "", message)


def rubrics_complete(course: Course) -> Iterator[Fault]:
    """Every cell that a person grades has a rubric from 0 to the cell's points."""
    for graded in _graded(course):
        if graded.cell.is_autograded or graded.notes is None:
            continue
        points = {level.points for level in graded.notes.rubric}
        key = f"cells.{graded.cell.grade_id}.rubric"
        if not points:
            yield Fault(graded.notes_file, key, "", _("the cell has no rubric"))
        elif max(points) != graded.cell.points or min(points) != 0:
            message = _("the rubric goes from {low:g} to {high:g}, the cell from 0 to {points:g}")
            text = message.format(low=min(points), high=max(points), points=graded.cell.points)
            yield Fault(graded.notes_file, key, "", text)


def variants_fit(course: Course) -> Iterator[Fault]:
    """Every wrong answer names cells that exist, and every test cell has one to stop."""
    for assignment, variants in course.variants.items():
        book = course.sources.get(assignment)
        cells = {cell.grade_id: cell for cell in book.cells if cell.grade_id} if book else {}
        for name, variant in variants.items():
            file = f"variants/{assignment}/{name}.yml"
            for key, grade_id in (("cell", variant.cell), *(("fails", f) for f in variant.fails)):
                right = cells.get(grade_id)
                if right is None or (right.is_answer if key == "fails" else not right.is_answer):
                    message = _("{assignment} has no such cell: {cell}")
                    text = message.format(assignment=assignment, cell=grade_id)
                    yield Fault(file, key, grade_id, text)
    for graded in _graded(course):
        if graded.cell.is_autograded and not _hidden_variants(course, graded):
            message = _(
                "no wrong answer passes the visible tests of {cell} and must fail its hidden ones"
            )
            text = message.format(cell=graded.cell.grade_id)
            yield Fault(f"variants/{graded.assignment}", graded.cell.grade_id, "", text)


def _hidden_variants(course: Course, graded: _Graded) -> list[str]:
    variants = course.variants.get(graded.assignment, {})
    return [
        name
        for name, variant in variants.items()
        if variant.passes_visible and graded.cell.grade_id in variant.fails
    ]


def tests_labelled(course: Course) -> Iterator[Fault]:
    """Test cells have visible and hidden tests, notes, labels and hints."""
    yield from notes_complete(course)
    yield from tests_visible_and_hidden(course)
    yield from checks_match_messages(course)
    yield from hints_laddered(course)


def points_and_answers(course: Course) -> Iterator[Fault]:
    """Points add up, and every answer has its solution."""
    yield from points_add_up(course)
    yield from answers_have_solutions(course)
