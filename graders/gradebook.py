"""Write a finished grading into the run's gradebook.

Law: one transaction per submission; manual scores are never written here; what
needs a person follows from the manual score that stands there now, by
nbgrader's own rule. Every other learner's row stays untouched, and an earlier
hand-in that is graded late never replaces a newer one. The gradebook holds
pseudonyms; due dates and extensions are the campus's.

A gradebook is a SQLite file (WAL: readers never wait) or a PostgreSQL database. Who
writes a file holds its lock for the moment of the transaction.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import create_engine, event, insert, select

from bioskills.base.store import sqlite_path
from bioskills.base.wire import CellScore, GradeResult, Job
from bioskills.graders.engine import COURSE, ensure_gradebook
from bioskills.graders.late_penalty import write_penalties
from bioskills.graders.scratch_book import decimal

MOST_COMMENT = 20_000

BUSY_TIMEOUT_MS = 30_000
OF_LEARNERS = {"student", "submitted_assignment", "submitted_notebook", "grade", "comment"}
"""Tables of a gradebook with rows of learners."""


class Gradebooks:
    """The open gradebooks of one writer: opening one costs more than writing a grading."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Any, object]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all."""
        for url in list(self._open):
            self._drop(url)

    def record(self, url: str, job: Job, result: GradeResult) -> GradeResult | None:
        """Write automatic scores of one submission.

        Args:
            url: The gradebook's SQLAlchemy URL.
            job: Names learner, assignment and time of the hand-in.
            result: What grading gave; no cells where it could not be run.

        Returns:
            The result with the manual points and comments that the gradebook holds; None where it
            holds a later hand-in, which stays.
        """
        with self._one_transaction(url) as gradebook:
            submission = _submission(gradebook, job)
            if submission is None:
                return None
            scores = {cell.cell: cell for cell in result.cells}
            grades = {f"{b.name}/{g.name}": g for b in submission.notebooks for g in b.grades}
            for name, grade in grades.items():
                write_score(grade, scores.get(name))
            write_penalties(gradebook, submission, job)
            written = _comments(submission, job)
            cells = [
                _as_it_stands(cell, grades.get(cell.cell), written.get(cell.cell, ""))
                for cell in result.cells
            ]
            return result.model_copy(update={"cells": cells})

    @contextmanager
    def _one_transaction(self, url: str) -> Iterator[Any]:
        """Yield a gradebook whose every commit is held back until the end."""
        with locked(url):
            gradebook = self._opened(url)
            commit, gradebook.db.commit = gradebook.db.commit, gradebook.db.flush
            try:
                yield gradebook
                commit()
            except BaseException:
                self._drop(url)  # with all that was not committed
                raise
            finally:
                gradebook.db.commit = commit
                gradebook.db.remove()

    def _opened(self, url: str) -> Any:
        known, mark = self._open.get(url, (None, None))
        if known is not None and mark == _mark(url):
            return known
        self._drop(url)
        self._open[url] = (_open(url), _mark(url))
        return self._open[url][0]

    def _drop(self, url: str) -> None:
        known, _mark = self._open.pop(url, (None, None))
        if known is not None:
            known.db.rollback()
            known.close()


def record(url: str, job: Job, result: GradeResult) -> GradeResult | None:
    """Write one submission into a gradebook that is opened for it alone."""
    with Gradebooks() as books:
        return books.record(url, job, result)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Keep other programs of ours from writing this gradebook; PostgreSQL needs no lock."""
    path = sqlite_path(url)
    if path is None:
        yield
        return
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def without_learners(source: str, target: str) -> None:
    """Copy a gradebook's assignments and cells into a new one, and no learner.

    Args:
        source: SQLAlchemy URL.
        target: SQLAlchemy URL; no gradebook is there yet.
    """
    from nbgrader.api import Base  # noqa: PLC0415 - 1,300 modules, only where they are used

    ensure_gradebook(target)
    one, other = create_engine(source), create_engine(target)
    try:
        with one.connect() as reading, other.begin() as writing:
            for table in Base.metadata.sorted_tables:
                if table.name in OF_LEARNERS:
                    continue
                rows = [dict(row) for row in reading.execute(select(table)).mappings()]
                if rows:
                    writing.execute(insert(table), rows)
    finally:
        one.dispose()
        other.dispose()


def _open(url: str) -> Any:
    from nbgrader.api import Gradebook  # noqa: PLC0415 - 1,300 modules, only where they are used

    ensure_gradebook(url)
    gradebook = Gradebook(url, COURSE)
    if sqlite_path(url):
        event.listen(gradebook.engine, "connect", _patiently)
        gradebook.db.remove()
        gradebook.engine.dispose()
    return gradebook


def _patiently(connection: Any, _record: Any) -> None:
    # nbgrader's own commands on the same file wait for us and we for them; readers never do.
    for pragma in ("journal_mode=WAL", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _mark(url: str) -> object:
    """Return what changes when another file takes a gradebook's place."""
    path: Path | None = sqlite_path(url)
    if path is None or not path.exists():
        return None
    found = path.stat()
    return found.st_dev, found.st_ino


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


def _comments(submission: Any, job: Job) -> dict[str, str]:
    """Return what a person wrote, by graded cell.

    nbgrader keeps comments with the cells that learners write in; the course's notes say
    which of them a test belongs to.
    """
    found = {
        f"{book.name}/{comment.name}": (comment.manual_comment or "")[:MOST_COMMENT]
        for book in submission.notebooks
        for comment in book.comments
    }
    notes = job.notes.get(job.assignments[0])
    cells = notes.get("cells", {}) if isinstance(notes, dict) else {}
    for book in submission.notebooks:
        for name, about in cells.items():
            answer = found.get(f"{book.name}/{about.get('answer')}", "")
            found[f"{book.name}/{name}"] = found.get(f"{book.name}/{name}", "") or answer
    return found


def _as_it_stands(cell: CellScore, grade: Any, written: str) -> CellScore:
    if grade is None:
        return cell
    return cell.model_copy(
        update={
            "manual_points": decimal(grade.manual_score),
            "needs_person": bool(grade.needs_manual_grade),
            "person_comment": written,
        }
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
