"""Write a finished grading into the run's gradebook.

Law: one transaction per submission; manual scores are never written here; what
needs a person follows from the manual score that stands there now, by
nbgrader's own rule. Every other learner's row stays untouched, and an earlier
hand-in that is graded late never replaces a newer one. The gradebook holds
pseudonyms; due dates and extensions are the campus's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from bioskills.base.wire import CellScore, GradeResult, Job
from bioskills.graders.engine import COURSE
from bioskills.graders.slot_worker import decimal


def record(url: str, job: Job, result: GradeResult) -> GradeResult | None:
    """Write automatic scores of one submission.

    Args:
        url: The gradebook's SQLAlchemy URL.
        job: Names learner, assignment and time of the hand-in.
        result: What grading gave; no cells where it could not be run.

    Returns:
        The result with the manual points that the gradebook holds; None where it
        holds a later hand-in, which stays.
    """
    with one_transaction(url) as gradebook:
        submission = _submission(gradebook, job)
        if submission is None:
            return None
        scores = {cell.cell: cell for cell in result.cells}
        grades = {f"{b.name}/{g.name}": g for b in submission.notebooks for g in b.grades}
        for name, grade in grades.items():
            write_score(grade, scores.get(name))
        cells = [_as_it_stands(cell, grades.get(cell.cell)) for cell in result.cells]
        return result.model_copy(update={"cells": cells})


def _submission(gradebook: Any, job: Job) -> Any:
    """Return the submission's row, made or brought up to date; None where it is of a later one."""
    from nbgrader.api import MissingEntry  # noqa: PLC0415

    moment = (job.submitted_at or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    try:
        known = gradebook.find_submission(job.assignments[0], job.learner)
    except MissingEntry:
        known = None
    if known is not None and known.timestamp and known.timestamp > moment:
        return None
    gradebook.update_or_create_student(job.learner)
    return gradebook.update_or_create_submission(job.assignments[0], job.learner, timestamp=moment)


def write_score(grade: Any, score: CellScore | None) -> None:
    """Write what the machine found for one graded cell; None where it found nothing."""
    grade.auto_score = float(score.auto_points) if score and score.auto_points else None
    # nbgrader's rule (SaveAutoGrades); a cell that was not run at all waits for a person too.
    waits = score is None or score.needs_person
    grade.needs_manual_grade = waits or grade.manual_score is not None


def _as_it_stands(cell: CellScore, grade: Any) -> CellScore:
    if grade is None:
        return cell
    manual = decimal(grade.manual_score)
    return cell.model_copy(
        update={"manual_points": manual, "needs_person": bool(grade.needs_manual_grade)}
    )


@contextmanager
def one_transaction(url: str, course: str = COURSE) -> Iterator[Any]:
    """Open a gradebook whose every commit is held back until the end.

    Args:
        url: The gradebook's SQLAlchemy URL.
        course: nbgrader's name of the course.
    """
    from nbgrader.api import Gradebook  # noqa: PLC0415 - 1,300 modules, only where they are used

    with Gradebook(url, course) as gradebook:
        commit, gradebook.db.commit = gradebook.db.commit, gradebook.db.flush
        yield gradebook
        commit()
