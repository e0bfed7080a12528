"""Ask whether a result can be what it says before it is believed.

Law: the grader runs code of learners beside it, so what it says is checked like
anybody's word: only cells that the course has, only points that the cells can give,
and no judgement of a person from a machine. A refused result changes nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import Assignment, CourseVersion, Job, Result, Run, Submission
from bioskills.base.text import _
from bioskills.base.wire import ODD_POINTS, CellScore, GradeResult
from bioskills.hub.campus.points_rules import points_faults, points_of, shown
from bioskills.hub.campus.site import Refused
from bioskills.hub.campus.sizes import size_faults

_MOST_SHOWN = 10
_MOST_TEXTS, _MOST_TEXT, _MOST_TEXTS_BYTES = 200, 5_000, 100_000
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def check(session: Session, job: Job, submission: Submission, grade: GradeResult) -> None:
    """Let a result pass that this job can have given.

    Raises:
        Refused: With every fault; the job stays with its worker.
    """
    assignment = session.get_one(Assignment, submission.assignment_id)
    notes = _cell_notes(session, job, assignment.name)
    faults = [*_key_faults(grade, assignment.name, notes), *size_faults(grade)]
    person_was_here = _graded_before(session, submission)
    for cell in grade.cells:
        faults += _points_faults(cell)
        faults += _judgement_faults(cell, person_may_have_graded=person_was_here)
        if _note(notes, cell).get("graded") == "person":
            faults += _machine_faults(cell)
    faults += _shown_faults(grade)
    if faults:
        message = _("The result of job {n} cannot be right, so it was not taken: {faults}.")
        message = message.format(n=job.id, faults="; ".join(faults[:_MOST_SHOWN]))
        raise Refused(422, "implausible", message, _("Grade again, or say that this try failed."))


def tells_too_much(grade: GradeResult) -> bool:
    """Say whether these points may be a message: a person looks before the learner sees them.

    Learner code can choose the number that a test cell returns, and so tell its author
    something of a hidden test with each hand-in.
    """
    return any(flag.code == ODD_POINTS for flag in grade.flags)


def _cell_notes(session: Session, job: Job, assignment: str) -> dict[str, Any]:
    run = session.get_one(Run, job.run_id)
    notes = session.get_one(CourseVersion, run.course_version_id).notes.get(assignment) or {}
    return dict(notes.get("cells") or {})


def _graded_before(session: Session, submission: Submission) -> bool:
    """Say whether a gradebook can hold points that a person gave this learner here."""
    mine = select(Result.id).join(Submission, Submission.id == Result.submission_id)
    same = (
        Submission.assignment_id == submission.assignment_id,
        Submission.person_id == submission.person_id,
    )
    return session.scalar(mine.where(*same).limit(1)) is not None


def _note(notes: dict[str, Any], cell: CellScore) -> dict[str, Any]:
    return dict(notes.get(cell.cell.partition("/")[2]) or {})


def _key_faults(grade: GradeResult, assignment: str, notes: dict[str, Any]) -> Iterator[str]:
    known = {f"{assignment}/{name}" for name in notes}
    for cell, times in Counter(cell.cell for cell in grade.cells).items():
        if times > 1:
            yield _("{cell} comes {n} times").format(cell=shown(cell), n=times)
        if notes and cell not in known:
            yield _("{assignment} has no cell {cell}").format(
                assignment=assignment, cell=shown(cell)
            )


def _points_faults(cell: CellScore) -> Iterator[str]:
    yield from points_faults(cell.cell, cell.max_points, None)
    for given in (cell.auto_points, cell.manual_points):
        yield from points_faults(cell.cell, given, points_of(cell.max_points))


def _judgement_faults(cell: CellScore, *, person_may_have_graded: bool) -> Iterator[str]:
    """Find points that only a person gives.

    A gradebook keeps a person's points of an earlier hand-in, and the grader reports
    them; such a cell then waits for a person again, so they count for nothing yet.
    """
    if cell.extra_credit is not None:
        yield _("{cell} has extra credit, which a machine cannot give").format(
            cell=shown(cell.cell)
        )
    if cell.person_comment and not person_may_have_graded:
        yield _("{cell} has a comment of a person, but no person graded it").format(
            cell=shown(cell.cell)
        )
    if cell.manual_points is not None and not (person_may_have_graded and cell.needs_person):
        yield _("{cell} has points of a person, but no person graded it").format(
            cell=shown(cell.cell)
        )


def _machine_faults(cell: CellScore) -> Iterator[str]:
    """Find a machine's judgement where the course asks for a person's.

    An answer that was left as it was given out has 0 points by nbgrader's own rule.
    """
    points = points_of(cell.auto_points or "0")
    untouched = cell.auto_points is not None and points == 0
    if points or not (cell.needs_person or untouched):
        yield _("{cell} is graded by a person, not by a machine").format(cell=shown(cell.cell))


def _shown_faults(grade: GradeResult) -> Iterator[str]:
    """Find output that is more, or other, than short plain text."""
    sizes = [len(key.encode()) + len(text.encode()) for key, text in grade.shown.items()]
    if (
        len(sizes) > _MOST_TEXTS
        or max(sizes, default=0) > _MOST_TEXT
        or sum(sizes) > _MOST_TEXTS_BYTES
    ):
        yield _("more of what was printed is to be shown than may be")
    if any(_UNSEEN.search(text) for text in (*grade.shown, *grade.shown.values())):
        yield _("what was printed holds characters that nobody sees")
