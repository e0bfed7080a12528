"""Bring what coming late costs into the gradebook, as nbgrader's own plugin.

Law: the campus says how many per cent (it knows due date, extension and rule); nbgrader's
plugin makes points of them and nbgrader's preprocessor bounds them. No other row is
touched: scores stay as they were, and competence never sees a penalty.
"""

from typing import Any

from bioskills.base.wire import Job


def write_penalties(gradebook: Any, submission: Any, job: Job) -> None:
    """Write the late penalty of every notebook of a submission; none where it was in time."""
    from nbgrader.preprocessors import AssignLatePenalties  # noqa: PLC0415 - 1,300 modules

    gradebook.db.flush()
    step = AssignLatePenalties(plugin_class=plugin_for(job.late_percent))
    step.init_plugin()
    late = (job.submitted_at - job.due_at) if job.submitted_at and job.due_at else None
    for book in submission.notebooks:
        book.late_submission_penalty = None
        if job.late_percent and late is not None:
            gradebook.db.refresh(book)
            seconds = late.total_seconds()
            penalty = step.plugin_inst.late_submission_penalty(job.learner, book.score, seconds)
            book.late_submission_penalty = step._check_late_penalty(book, penalty)  # noqa: SLF001 - the only place where this rule stands


def plugin_for(percent: int) -> Any:
    """Return a plugin of nbgrader that takes this share off a late notebook's score."""
    from nbgrader.plugins import LateSubmissionPlugin  # noqa: PLC0415 - 1,300 modules

    class PercentPlugin(LateSubmissionPlugin):  # type: ignore[misc]  # nbgrader is untyped
        """Takes off a share of the score."""

        def late_submission_penalty(
            self, student_id: str, score: float, total_seconds_late: float
        ) -> float | None:
            """Return the points that are taken off."""
            del student_id
            return score * percent / 100 if total_seconds_late > 0 else None

    return PercentPlugin
