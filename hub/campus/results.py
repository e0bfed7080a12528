"""Turn what the grader found into a result, and a result into evidence.

Law: every submission ends with a verdict and a reason. A result becomes visible
and becomes evidence in the same transaction (order of writes, 5), once. Evidence
is only added: a later result for the same attempt supersedes the earlier rows.
Rows hold pseudonyms, never names.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import (
    Assignment,
    CourseVersion,
    Evidence,
    Job,
    Person,
    Result,
    Run,
    Submission,
)
from bioskills.base.text import _
from bioskills.base.wire import CellScore, GradeResult
from bioskills.competence.evidence import MACHINE
from bioskills.competence.exact import NotExactError
from bioskills.competence.framework import RULE
from bioskills.competence.hashes import sha256_of
from bioskills.competence.mapping import MappingError, parse_mapping
from bioskills.competence.scores import (
    GradeCell,
    MissingCellsError,
    OutcomeScore,
    attempt_scores,
    to_stored,
)
from bioskills.competence.tasks import Mapping, Task

log = logging.getLogger("bioskills.campus")

AUTOMATIC = "automatic"
"""`released_by` and `published_by` of what no person had to look at."""

MAX_ANSWER_CHARS = 20_000
_NOTHING = "0.0000"
_HASHES = ("notebook_sha256", "notebook_src_sha256", "cells_sha256", "environment", "seconds")


@dataclass(frozen=True)
class _Attempt:
    """A result with everything that its evidence names."""

    result: Result
    submission: Submission
    assignment: Assignment
    run: Run
    pseudonym: str
    mapping: Mapping
    task: Task

    @property
    def waiting(self) -> bool:
        """Whether nothing could be graded, so that a person must look at all of it."""
        return self.result.verdict == "needs_person" and not self.result.cells


def record(session: Session, job: Job, grade: GradeResult, at: datetime) -> Result:
    """Store what grading gave, and publish it where the assignment says so; once per job.

    Args:
        session: The transaction that also ends the job.
        job: A grading job.
        grade: What the grader found.
        at: The present moment.
    """
    known = session.scalar(select(Result).where(Result.job_id == job.id))
    if known is not None:
        return known
    submission = _submission(session, job)
    result = _result(submission, job, grade, at)
    session.add(result)
    session.flush()
    assignment = session.get_one(Assignment, submission.assignment_id)
    if assignment.release_policy == AUTOMATIC:
        publish(session, result, AUTOMATIC, at)
    return result


def publish(session: Session, result: Result, by: str, at: datetime) -> list[Evidence]:
    """Let the learner see a result and write its evidence, in the caller's transaction.

    Args:
        session: A writing session.
        result: A result in any state; one that is published already stays as it is.
        by: `AUTOMATIC`, or the user name or pseudonym of who returned it.
        at: The present moment.

    Returns:
        The rows that were added; empty where it was published before.
    """
    # Read again inside this transaction: two clicks on Return publish once.
    session.refresh(result, with_for_update=True)
    if result.state != "held":
        return []
    released_by = _pseudonym(session, by)
    result.state = "preliminary" if _needs_person(result) else "published"
    result.published_at, result.published_by = at, released_by
    attempt = _attempt(session, result)
    rows = _evidence(session, attempt, released_by, at) if attempt else []
    session.add_all(rows)
    session.flush()
    return rows


def could_not_be_graded(reason: str) -> GradeResult:
    """Return the verdict of work that no attempt could grade."""
    return GradeResult(verdict="needs_person", reason=reason, cells=[])


def grade_cell(cell: CellScore) -> GradeCell:
    """Return a cell as the competence rules read it."""
    return GradeCell(
        name=cell.cell,
        cell_type=cell.cell_type,
        max_score=cell.max_points,
        auto_score=cell.auto_points,
        manual_score=cell.manual_points,
        extra_credit=cell.extra_credit,
        needs_manual_grade=cell.needs_person,
    )


def _submission(session: Session, job: Job) -> Submission:
    if job.submission_id is None:
        raise ValueError(f"job {job.id} grades no submission")
    return session.get_one(Submission, job.submission_id)


def _result(submission: Submission, job: Job, grade: GradeResult, at: datetime) -> Result:
    hashes: dict[str, Any] = grade.model_dump(include=set(_HASHES))
    hashes["answers"] = {key: text[:MAX_ANSWER_CHARS] for key, text in grade.answers.items()}
    return Result(
        submission_id=submission.id,
        job_id=job.id,
        verdict=grade.verdict,
        reason=grade.reason,
        cells=[cell.model_dump() for cell in grade.cells],
        hashes=hashes,
        graded_at=at,
        state="held",
    )


def _needs_person(result: Result) -> bool:
    return result.verdict == "needs_person" or any(cell["needs_person"] for cell in result.cells)


def _pseudonym(session: Session, by: str) -> str:
    return session.scalar(select(Person.pseudonym).where(Person.name == by)) or by


def _attempt(session: Session, result: Result) -> _Attempt | None:
    """Return the attempt, or None where the course maps this assignment to no outcome."""
    row = session.execute(
        select(Submission, Assignment, Run, CourseVersion, Person.pseudonym)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Run, Run.id == Assignment.run_id)
        .join(CourseVersion, CourseVersion.id == Run.course_version_id)
        .join(Person, Person.id == Submission.person_id)
        .where(Submission.id == result.submission_id)
    ).one()
    submission, assignment, run, course, pseudonym = row
    mapping = _mapping(course)
    task = mapping.task_of(assignment.name) if mapping else None
    if mapping is None or task is None:
        return None
    return _Attempt(result, submission, assignment, run, pseudonym, mapping, task)


def _mapping(course: CourseVersion) -> Mapping | None:
    try:
        return parse_mapping(course.mapping, course.course)
    except MappingError as error:
        # A course that was installed unchecked must not keep results from learners.
        log.error("No evidence from %s %s: %s", course.course, course.version, error)  # noqa: TRY400
        return None


def _evidence(
    session: Session, attempt: _Attempt, released_by: str, at: datetime
) -> list[Evidence]:
    number = _attempt_of_task(session, attempt)
    earlier = _earlier(session, attempt, number)
    common = _common_columns(attempt, number, released_by, at)
    return [
        Evidence(outcome=outcome, supersedes=earlier.get(outcome), **common, **_columns(score))
        for outcome, score in sorted(_scores(attempt).items())
    ]


def _scores(attempt: _Attempt) -> dict[str, OutcomeScore | None]:
    """Return the score per outcome; None for each one where nothing could be graded."""
    if attempt.waiting:
        return dict.fromkeys(_outcomes_of(attempt))
    rows = [grade_cell(CellScore.model_validate(cell)) for cell in attempt.result.cells]
    try:
        return dict(attempt_scores(attempt.mapping, attempt.task.id, rows))
    except (MissingCellsError, NotExactError) as error:
        # A fault of the course, not of the learner: nothing is lowered, a person is asked.
        attempt.result.verdict, attempt.result.state = "needs_person", "preliminary"
        text = _("The course's rules do not fit this work, so a person must look. {error}")
        attempt.result.reason = attempt.result.reason or text.format(error=error)
        return dict.fromkeys(_outcomes_of(attempt))


def _outcomes_of(attempt: _Attempt) -> list[str]:
    prefix = f"{attempt.assignment.name}/"
    own = [cell for cell in attempt.task.cells if cell.cell.startswith(prefix)]
    return sorted({outcome for cell in own for outcome in cell.outcomes})


def _columns(score: OutcomeScore | None) -> dict[str, Any]:
    if score is None:
        return {"score": None, "raw": None, "max": _NOTHING, "pending": True}
    return {
        "score": None if score.score is None else to_stored(score.score),
        "raw": None if score.pending else to_stored(score.raw),
        "max": to_stored(score.max),
        "pending": score.pending,
    }


def _common_columns(
    attempt: _Attempt, number: int, released_by: str, at: datetime
) -> dict[str, Any]:
    hashes = attempt.result.hashes
    return {
        "kind": "grade",
        "at": at,
        "actor": MACHINE if released_by == AUTOMATIC else released_by[:16],
        "learner": attempt.pseudonym,
        "task": attempt.task.id,
        "attempt": number,
        "submitted_at": attempt.submission.submitted_at,
        "framework": attempt.mapping.framework,
        "mapping": attempt.mapping.ref,
        "rule": RULE,
        "notebook_sha256": hashes.get("notebook_sha256") or attempt.submission.tree_sha256,
        "notebook_src_sha256": hashes.get("notebook_src_sha256", ""),
        "cells_sha256": hashes.get("cells_sha256", ""),
        "feedback_sha256": _feedback_sha256(attempt.result),
        "image": hashes.get("environment", "")[:80],
        "released_by": released_by,
        "run_id": attempt.run.id,
        "result_id": attempt.result.id,
    }


def _feedback_sha256(result: Result) -> str:
    return sha256_of({"reason": result.reason, "cells": result.cells})


def _attempt_of_task(session: Session, attempt: _Attempt) -> int:
    """Count this hand-in among all of the task's assignments: a resit goes on counting."""
    ids = session.scalars(
        select(Submission.id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(
            Submission.person_id == attempt.submission.person_id,
            Assignment.run_id == attempt.run.id,
            Assignment.name.in_(attempt.task.assignments),
            Submission.id <= attempt.submission.id,
        )
    )
    return len(list(ids))


def _earlier(session: Session, attempt: _Attempt, number: int) -> dict[str, int]:
    rows = session.execute(
        select(Evidence.outcome, Evidence.seq)
        .join(Result, Result.id == Evidence.result_id)
        .where(
            Evidence.learner == attempt.pseudonym,
            Evidence.run_id == attempt.run.id,
            Evidence.task == attempt.task.id,
            Evidence.attempt == number,
            Result.submission_id == attempt.submission.id,
        )
        .order_by(Evidence.seq)
    )
    # Ordered, so that of several rows the newest stays.
    return {row.outcome: row.seq for row in rows}
