"""Let a person look at the tests that were not run, in nbgrader's own commands too.

Law: stock's steps have saved the scores; none is changed here, only the mark by which
formgrader lists a cell for a person is set. Our own grading sets it in its gradebook
(`scratch_book.scores_of`); this step is for `nbgrader autograde` in a plain folder.
"""

from typing import Any

from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

WAITS = "bioskills_waits"
"""Key of nbgrader's `resources`: grade_ids of this notebook whose 0 points are nobody's judgement."""


class AskAPerson(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Mark the cells that the step which ran the notebook names; runs after `SaveAutoGrades`."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Set `needs_manual_grade` of each named cell; the notebook stays as it is."""
        waits = resources.get(WAITS) or []
        if waits:
            self._mark(resources["nbgrader"], waits)
        return nb, resources

    def _mark(self, about: Any, waits: list[str]) -> None:
        with Gradebook(about["db_url"]) as gradebook:
            for cell in waits:
                grade = gradebook.find_grade(
                    cell, about["notebook"], about["assignment"], about["student"]
                )
                grade.needs_manual_grade = True
            gradebook.db.commit()
