"""Turn what the grader found into a result, and a result into evidence.

Law: every submission ends with a verdict and a reason. A result becomes visible
and becomes records of the ledger in the same transaction (order of writes, 5), once: where
they cannot be written, nothing becomes visible. Evidence is only added: a later result for
the same attempt supersedes the earlier rows.
Rows hold pseudonyms, never names. A flagged result takes no points away: it is
preliminary, and its evidence waits, until an instructor has looked at it. A person's
judgement makes a new result; what a machine says of persons' points is never taken.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import (
    Assignment,
    Evidence,
    Job,
    Judgement,
    Person,
    Result,
    Submission,
)
from bioskills.base.wire import GradeResult
from bioskills.hub import ledger_rows
from bioskills.hub.campus import flags, judgements, judging, plausible
from bioskills.hub.campus.evidence_rows import AUTOMATIC, evidence_of, find_attempt

MAX_ANSWER_CHARS = 20_000
MAX_MENDED, MAX_MENDED_CHARS = 50, 500
_HASHES = ("notebook_sha256", "notebook_src_sha256", "cells_sha256", "environment", "seconds")


def record(session: Session, job: Job, grade: GradeResult, at: datetime) -> Result:
    """Store what grading gave, and publish it where the assignment says so; once per job.

    Args:
        session: The transaction that also ends the job.
        job: A grading job.
        grade: What the grader found.
        at: The present moment.

    Raises:
        Refused: What the grader says cannot be (`plausible.py`).
    """
    known = session.scalar(select(Result).where(Result.job_id == job.id))
    if known is not None:
        return known
    submission = _submission(session, job)
    plausible.check(session, job, submission, grade)
    result = _result(submission, job, grade, at)
    result.flags = flags.to_store(session, submission.id, grade.flags)
    result.mended = [flags.plain(text)[:MAX_MENDED_CHARS] for text in grade.mended[:MAX_MENDED]]
    judgements.keep(session, result, submission)
    session.add(result)
    session.flush()
    assignment = session.get_one(Assignment, submission.assignment_id)
    if assignment.release_policy == AUTOMATIC and not plausible.tells_too_much(grade):
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
    return _add_evidence(session, result, released_by, at)


def let_count(session: Session, result: Result, by: str, at: datetime) -> list[str]:
    """Let a flagged result count, because an instructor has looked at it.

    Where its learner sees it already, its evidence takes the place of what waited; where
    the flag alone held back what goes out by itself, it goes out now.

    Args:
        session: A writing session.
        result: A result in any state.
        by: Pseudonym of the instructor.
        at: The present moment.

    Returns:
        Codes of the flags that were open; empty where there was nothing to look at.
    """
    session.refresh(result, with_for_update=True)
    codes = flags.mark(result, by, at)
    session.flush()
    if codes and result.state == "held" and _goes_out_by_itself(session, result):
        publish(session, result, by, at)
    elif codes and result.state != "held":
        result.state = "preliminary" if _needs_person(result) else "published"
        _add_evidence(session, result, by, at)
    return codes


def put_in(
    session: Session, before: Result, rows: list[Judgement], by: str, at: datetime
) -> Result:
    """Return the result that people's judgements make of one, in the caller's transaction.

    Its flags were looked at. Where the learner sees the result already, or results go out by
    themselves, the new one goes out now; else it waits with the others to be returned.

    Args:
        session: A writing session.
        before: The newest result of the hand-in.
        rows: Every judgement that stands for it; at least one is new.
        by: Pseudonym of the instructor who puts them in.
        at: The present moment.
    """
    after = judgements.revise(session, before, rows, at)
    flags.mark(after, by, at)
    session.add(after)
    session.flush()
    if before.state != "held" or _goes_out_by_itself(session, after):
        publish(session, after, by, at)
    newest = max(judgements.open_ones(rows), key=lambda row: row.id)
    judgements.settle(session, newest, by, at, after.id)
    return after


def _add_evidence(session: Session, result: Result, by: str, at: datetime) -> list[Evidence]:
    attempt = find_attempt(session, result)
    if attempt is None:
        return []
    rows = evidence_of(session, attempt, by, at)
    ledger_rows.append_evidence(session, rows, attempt.run.slug)
    return rows


def could_not_be_graded(reason: str) -> GradeResult:
    """Return the verdict of work that no attempt could grade."""
    return GradeResult(verdict="needs_person", reason=reason, cells=[])


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
        cells=judging.of_machine(grade.cells),
        hashes=hashes,
        shown=grade.shown,
        graded_at=at,
        state="held",
    )


def _needs_person(result: Result) -> bool:
    unread = any(cell["needs_person"] for cell in result.cells)
    return result.verdict == "needs_person" or unread or bool(flags.open_flags(result))


def _goes_out_by_itself(session: Session, result: Result) -> bool:
    submission = session.get_one(Submission, result.submission_id)
    return session.get_one(Assignment, submission.assignment_id).release_policy == AUTOMATIC


def _pseudonym(session: Session, by: str) -> str:
    # A pseudonym first: a user may be named like somebody's pseudonym.
    if session.scalar(select(Person.id).where(Person.pseudonym == by)):
        return by
    return session.scalar(select(Person.pseudonym).where(Person.name == by)) or by
