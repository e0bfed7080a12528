"""Make evidence of a result: one row per learner, task, attempt and outcome.

Law: evidence is only added; a later result for the same attempt supersedes the
earlier rows. Rows hold pseudonyms, never names. A fault of the course lowers
nobody: the outcome waits for a person.
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
    Person,
    Result,
    Run,
    Submission,
)
from bioskills.base.text import _
from bioskills.base.wire import CellScore
from bioskills.competence.evidence import MACHINE
from bioskills.competence.exact import NotExactError
from bioskills.competence.framework import RULE
from bioskills.competence.hashes import sha256_of
from bioskills.competence.mapping import MappingError, parse_mapping
from bioskills.competence.scores import (
    MissingCellsError,
    OutcomeScore,
    attempt_scores,
    grade_cell,
    to_stored,
)
from bioskills.competence.tasks import Mapping, Task
from bioskills.hub.campus.flags import open_flags

log = logging.getLogger("bioskills.campus")

AUTOMATIC = "automatic"
"""`released_by` and `published_by` of what no person had to look at."""

_NOTHING = "0.0000"


@dataclass(frozen=True)
class Attempt:
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
        """Whether nothing could be graded or it is flagged, so that a person must look at all of it."""
        nothing = self.result.verdict == "needs_person" and not self.result.cells
        return nothing or bool(open_flags(self.result))


def find_attempt(session: Session, result: Result) -> Attempt | None:
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
    return Attempt(result, submission, assignment, run, pseudonym, mapping, task)


def _mapping(course: CourseVersion) -> Mapping | None:
    try:
        return parse_mapping(course.mapping, course.course)
    except MappingError as error:
        # A course that was installed unchecked must not keep results from learners.
        log.error("No evidence from %s %s: %s", course.course, course.version, error)  # noqa: TRY400
        return None


def evidence_of(
    session: Session, attempt: Attempt, released_by: str, at: datetime
) -> list[Evidence]:
    """Return the rows of one attempt, not yet stored."""
    number = _attempt_of_task(session, attempt)
    earlier = _earlier(session, attempt, number)
    common = _common_columns(attempt, number, released_by, at)
    machine = MACHINE if released_by == AUTOMATIC else released_by[:16]
    return [
        Evidence(
            outcome=outcome,
            actor=_judge_of(attempt, outcome) or machine,
            supersedes=earlier.get(outcome),
            **common,
            **_columns(score),
        )
        for outcome, score in sorted(_scores(attempt).items())
    ]


def _judge_of(attempt: Attempt, outcome: str) -> str:
    """Return who judged the work for this outcome, of several the last one; empty for nobody."""
    found = attempt.result.judged or {}
    own = (found.get(cell.cell) for cell in attempt.task.cells if outcome in cell.outcomes)
    last = max((one for one in own if one), key=lambda one: str(one["at"]), default=None)
    return str(last["by"]) if last else ""


def _scores(attempt: Attempt) -> dict[str, OutcomeScore | None]:
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


def _outcomes_of(attempt: Attempt) -> list[str]:
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
    attempt: Attempt, number: int, released_by: str, at: datetime
) -> dict[str, Any]:
    hashes = attempt.result.hashes
    return {
        "kind": "grade",
        "at": at,
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


def _attempt_of_task(session: Session, attempt: Attempt) -> int:
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


def _earlier(session: Session, attempt: Attempt, number: int) -> dict[str, int]:
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
