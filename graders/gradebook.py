"""Write a finished grading into the run's gradebook.

Law: one transaction per submission; manual scores are never written here; what
needs a person is recomputed from the manual score that stands there now, by
nbgrader's own rule. Every other learner's row stays untouched.
"""

from typing import Any

from bioskills.base.wire import CellScore, Job


def record(url: str, job: Job, cells: list[CellScore]) -> None:
    """Write automatic scores of one submission.

    Args:
        url: The gradebook's SQLAlchemy URL.
        job: Names learner, assignment and time of the hand-in.
        cells: The scores that grading gave.
    """
    from nbgrader.api import Gradebook  # noqa: PLC0415 - 1,300 modules, only where they are used

    with Gradebook(url, "course") as gradebook:
        gradebook.update_or_create_student(job.learner)
        stamp = job.submitted_at.replace(tzinfo=None) if job.submitted_at else None
        gradebook.update_or_create_submission(job.assignments[0], job.learner, timestamp=stamp)
        scores = {cell.cell: cell for cell in cells}
        for book in gradebook.find_submission(job.assignments[0], job.learner).notebooks:
            for grade in book.grades:
                _write(grade, scores.get(f"{book.name}/{grade.name}"))
        gradebook.db.commit()


def _write(grade: Any, score: CellScore | None) -> None:
    if score is None:
        return
    grade.auto_score = None if score.auto_points is None else float(score.auto_points)
    grade.needs_manual_grade = score.needs_person and grade.manual_score is None
