"""The rule about assignments whose tests run apart from the answers (`isolated: true`).

Law: pure. Only plain data and calls of functions cross between the two
processes, so tests must not need more of an answer.
"""

from collections.abc import Iterator

from bioskills.base.text import _
from bioskills.courses.faults import Fault
from bioskills.courses.free_names import binds, classes, needs
from bioskills.courses.notebooks import Notebook
from bioskills.courses.reading import Course


def answers_cross_as_data(course: Course) -> Iterator[Fault]:
    """No test of an isolated assignment needs a class that an answer defines."""
    for assignment, book in course.sources.items():
        notes = course.notes.get(assignment)
        if notes and notes.isolated:
            yield from _classes_needed(book)


def _classes_needed(book: Notebook) -> Iterator[Fault]:
    made: set[str] = set()
    for cell in book.code():
        if cell.is_answer:
            made = (made | classes(cell.source)) - (binds(cell.source) - classes(cell.source))
        elif cell.is_autograded:
            for name in sorted(needs(cell.source) & made):
                message = _("the test needs the class {name} of an answer")
                yield Fault(book.path, cell.grade_id, name, message.format(name=name))
