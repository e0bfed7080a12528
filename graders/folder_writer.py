"""Write graded submissions into the gradebook of a plain nbgrader course folder.

Law: one transaction per submission, and in it what `nbgrader autograde` would
have written: scores, comments, timestamp, late penalty, by nbgrader's own code.
Manual scores are never written. Between two submissions the gradebook is free
for others.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bioskills.base.wire import CellScore, GradeResult
from bioskills.graders.course_folder import CourseFolder
from bioskills.graders.gradebook import write_score


@dataclass(frozen=True)
class Writer:
    """An open gradebook.

    Attributes:
        folder: The course folder.
        gradebook: nbgrader's, whose own commits are held back.
        commit: Makes what was written stand.
        cells: The assignment's cells, kept at hand: every grade asks for its own.
    """

    folder: CourseFolder
    gradebook: Any
    commit: Callable[[], None]
    cells: list[Any]

    def record(
        self,
        student: str,
        timestamp: datetime | None,
        result: GradeResult,
        books: Mapping[str, str],
    ) -> None:
        """Write one graded submission, whole or not at all.

        Args:
            student: nbgrader's name of the learner.
            timestamp: When it was handed in; None leaves what the gradebook has.
            result: What grading gave.
            books: The graded notebooks' texts, by name.
        """
        try:
            self._write(student, timestamp, result, books)
            self.commit()
        except BaseException:
            self.gradebook.db.rollback()
            raise

    def _write(
        self,
        student: str,
        timestamp: datetime | None,
        result: GradeResult,
        books: Mapping[str, str],
    ) -> None:
        known = {"timestamp": timestamp} if timestamp else {}
        self.gradebook.update_or_create_student(student)
        submission = self.gradebook.update_or_create_submission(
            self.folder.assignment, student, **known
        )
        scores = {cell.cell: cell for cell in result.cells}
        for book in submission.notebooks:
            self._score(book, scores)
            if book.name in books:
                _comment(book, books[book.name])
        self.gradebook.db.flush()
        for book in submission.notebooks:
            if book.name in books:
                self._penalize(submission, book)

    def _score(self, book: Any, scores: Mapping[str, CellScore]) -> None:
        for grade in book.grades:
            write_score(grade, scores.get(f"{book.name}/{grade.name}"))

    def _penalize(self, submission: Any, book: Any) -> None:
        """Write nbgrader's late penalty of one notebook."""
        from nbgrader.preprocessors import AssignLatePenalties  # noqa: PLC0415
        from traitlets.config import Config  # noqa: PLC0415

        book.late_submission_penalty = None
        late = submission.total_seconds_late
        if late <= 0:
            return
        config = Config()
        method = self.folder.config.get("LateSubmissionPlugin.penalty_method", "none")
        config.LateSubmissionPlugin.penalty_method = method
        step = AssignLatePenalties(config=config)
        step.init_plugin()
        self.gradebook.db.refresh(book)
        penalty = step.plugin_inst.late_submission_penalty(submission.student_id, book.score, late)
        if penalty is not None:
            book.late_submission_penalty = step._check_late_penalty(book, penalty)  # noqa: SLF001 - the only place where this rule stands


@contextmanager
def open_writer(folder: CourseFolder) -> Iterator[Writer]:
    """Open the gradebook for one run."""
    from nbgrader import api  # noqa: PLC0415 - 1,300 modules, only where they are used

    with api.Gradebook(folder.gradebook_url, folder.course_id) as gradebook:
        session = gradebook.db()
        # A learner's rows are read once in a run; the assignment's stay as they are.
        session.expire_on_commit = False
        assignment = gradebook.find_assignment(folder.assignment)
        kinds = (api.GradeCell, api.SolutionCell, api.TaskCell)
        books = [book.id for book in assignment.notebooks]
        cells = [
            cell
            for kind in kinds
            for cell in session.query(kind).filter(kind.notebook_id.in_(books))
        ]
        commit, gradebook.db.commit = session.commit, gradebook.db.flush
        commit()
        yield Writer(folder, gradebook, commit, [assignment, *assignment.notebooks, *cells])


def _comment(book: Any, text: str) -> None:
    """Write nbgrader's own remark on answers that were not written."""
    import nbformat  # noqa: PLC0415 - only where it is used
    from nbgrader import utils  # noqa: PLC0415
    from nbgrader.preprocessors import SaveAutoGrades  # noqa: PLC0415

    saver = SaveAutoGrades()
    saver.gradebook = _Comments({comment.name: comment for comment in book.comments})
    saver.notebook_id = saver.assignment_id = saver.student_id = ""
    for cell in nbformat.reads(text, as_version=nbformat.current_nbformat).cells:
        if utils.is_solution(cell) or utils.is_task(cell):
            saver._add_comment(cell, {})  # noqa: SLF001 - the only place where this rule stands


class _Comments:
    """What nbgrader's step asks a gradebook for, at hand: a query for each cell is dear."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known
        self.db = self

    def find_comment(self, name: str, *_place: str) -> Any:
        """Return the comment on a cell."""
        return self.known[name]

    def commit(self) -> None:
        """Leave that to the transaction."""
