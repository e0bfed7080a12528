"""Say which tests and cells most learners fail.

Law: learners are counted by their newest graded hand-in; a test is named as learners
see it, so that nothing here gives a hidden one away. A test that did not come to run
has neither been passed nor failed. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from bioskills.base import tables
from bioskills.courses.grading_notes import CellNotes
from bioskills.hub.campus.feedback import check_notes
from bioskills.hub.campus.pages_class import Class, title_of
from bioskills.hub.campus.pages_work import Work, cell_points, notes_of
from bioskills.hub.campus.wording import percent


@dataclass(frozen=True)
class Tried:
    """One named test, or one cell as a whole, and how many failed it.

    Attributes:
        test: Label of the test; empty where the whole cell is meant.
        of: Newest hand-ins in which it ran.
    """

    assignment: str
    cell: str
    test: str = ""
    hidden: bool = False
    failed: int = 0
    of: int = 0

    @property
    def share(self) -> str:
        """The share that failed, in percent."""
        return percent(Fraction(self.failed, self.of))

    @property
    def width(self) -> str:
        """The share that failed, for a bar of 100."""
        return f"{100 * self.failed / self.of:.0f}"


def hardest(group: Class, version: tables.CourseVersion) -> list[Tried]:
    """Return every test and cell that somebody failed, the hardest first."""
    found: dict[tuple[str, str, str], Tried] = {}
    for assignment in group.assignments:
        title = title_of(group.manifest, assignment.name)
        notes = notes_of(version, assignment.name).cells
        for cell in _newest_cells(group.works_on(assignment)):
            for tried in _tried(title, cell, notes):
                _add(found, (assignment.name, cell["cell"], tried.test), tried)
    failed = [tried for tried in found.values() if tried.failed]
    return sorted(failed, key=lambda t: (-t.failed / t.of, -t.failed, t.assignment, t.cell, t.test))


def _newest_cells(works: Iterable[Work]) -> Iterator[dict[str, Any]]:
    for work in works:
        graded = [row for row in work.submissions if row.id in work.results]
        if graded:
            yield from work.results[graded[0].id].cells


def _tried(
    assignment: str, cell: dict[str, Any], notes: Mapping[str, CellNotes]
) -> Iterator[Tried]:
    points, most = cell_points(cell), Fraction(cell["max_points"])
    if points is None or not most:
        return
    name = str(cell["cell"]).rpartition("/")[2]
    note = notes.get(name)
    title = note.title if note else name.replace("_", " ")
    yield Tried(assignment, title, failed=int(points < most), of=1)
    checks = note.checks if note else []
    for check in check_notes(checks, cell.get("failed_checks") or [], full=points >= most):
        if check.passed is not None:
            yield Tried(
                assignment, title, check.label, not check.visible, int(not check.passed), of=1
            )


def _add(found: dict[tuple[str, str, str], Tried], key: tuple[str, str, str], one: Tried) -> None:
    known = found.get(key)
    found[key] = (
        replace(known, failed=known.failed + one.failed, of=known.of + one.of) if known else one
    )
