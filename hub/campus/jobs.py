"""Hand work to the grader, and take its verdicts.

Law: a job is a durable intent, made in the transaction that makes its submission.
A worker holds it for a limited time; when that ends, or when the grader says that
it holds it no longer, it is taken again. Every grading job ends with a result: after
the last try, a person is asked. All verbs may be repeated: nothing is doubled.

The key of a grading is its hand-in, the assignment's version, the run, and the
*environment*: what it is graded with, limits included. A hand-in does not know the
last; the grader names it when it claims, and a job that turns out to have been done
with exactly that goes away undone (`job_keys.py`).
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, or_, select
from sqlalchemy.orm import Session

from bioskills.base import wire
from bioskills.base.settings import Grading
from bioskills.base.tables import Job, Result, Run
from bioskills.base.text import _
from bioskills.hub.campus import results
from bioskills.hub.campus.job_keys import GRADE, RELEASE, complete_key, ensure_grading, grade_again
from bioskills.hub.campus.job_messages import messages
from bioskills.hub.campus.site import Refused

__all__ = ["GRADE", "RELEASE", "ensure_grading", "grade_again"]

PAUSE_S = 5
"""Seconds before the second try; each further try waits twice as long."""


def ensure_release(session: Session, run: Run) -> Job:
    """Return the job that releases a run's assignments; make it where there is none.

    One that ended is queued again: what is released already stays as it is.
    """
    known = session.scalar(select(Job).where(Job.kind == RELEASE, Job.run_id == run.id))
    if known is None:
        known = Job(kind=RELEASE, run_id=run.id)
        session.add(known)
    elif known.state in {"failed", "done"}:
        known.state, known.tries, known.ended_at, known.lease_until = "queued", 0, None, None
    session.flush()
    return known


def is_work(session: Session, at: datetime) -> bool:
    """Say whether a claim would find something; for a session that only reads."""
    return session.scalar(select(Job.id).where(_free(at)).limit(1)) is not None


def claim(session: Session, ask: wire.Claim, at: datetime, limits: Grading) -> list[wire.Job]:
    """Give waiting jobs to the caller, at most as many as it asks for.

    Releases come first, then first gradings before repeated ones, the oldest first.
    Jobs whose last worker went silent come back; those out of tries end with a verdict.
    """
    given_up = select(Job).where(_expired(at), Job.tries >= limits.max_attempts)
    for silent in session.scalars(given_up).all():
        _give_up(session, silent, _("The grader stopped while it worked on it."), at)
    found: list[Job] = []
    while len(found) < ask.at_most:
        job = session.scalar(_next(at))
        if job is None:
            break
        if not complete_key(session, job, ask.environment):
            continue
        _begin(job, at, limits)
        session.flush()
        found.append(job)
    return messages(session, found)


def ahead_of(session: Session, job: Job, at: datetime) -> int:
    """Return how many waiting or running gradings come before this one; 0 where it runs."""
    if job.state != "queued":
        return 0
    waiting = session.scalars(select(Job.id).where(_free(at)).order_by(*_order())).all()
    running = session.scalars(select(Job.id).where(Job.state == "running")).all()
    before = waiting.index(job.id) if job.id in waiting else len(waiting)
    return before + len(running)


def report(
    session: Session, job_id: int, how: wire.JobProgress, at: datetime, limits: Grading
) -> None:
    """Note how far a job is, and prolong its worker's time.

    Raises:
        Refused: The job is not being worked on.
    """
    job = _running(session, job_id)
    job.step, job.done, job.of = how.step, how.done, how.of
    renew(job, at, limits)


def find(session: Session, job_id: int) -> Job:
    """Return a job by its number.

    Raises:
        Refused: There is none.
    """
    job = session.get(Job, job_id, with_for_update=True)
    if job is None:
        message = _("There is no job {n}.").format(n=job_id)
        raise Refused(404, "not_found", message, _("Ask for the next job."))
    return job


def renew(job: Job, at: datetime, limits: Grading) -> None:
    """Let the worker keep its job for another while."""
    job.lease_until = at + timedelta(seconds=limits.job_timeout_s)


def finish(session: Session, job_id: int, grade: wire.GradeResult, at: datetime) -> Result | None:
    """Store the result and end the job in one transaction; the second time changes nothing.

    Returns:
        The result; None for a release job.
    """
    job = find(session, job_id)
    result = results.record(session, job, grade, at) if job.kind == GRADE else None
    if job.state != "failed":
        _end(job, "done", grade.reason, at)
    return result


def fail(session: Session, job_id: int, why: wire.JobFailure, at: datetime, limits: Grading) -> Job:
    """Note that one try failed: the job waits for the next, or ends with a verdict."""
    job = find(session, job_id)
    if job.state != "running":
        return job
    if job.tries >= limits.max_attempts:
        _give_up(session, job, why.message, at)
    else:
        pause = timedelta(seconds=0 if why.at_once else PAUSE_S * 2 ** (job.tries - 1))
        job.state, job.message, job.lease_until = "queued", why.message, at + pause
    return job


def put_back(session: Session, job_id: int) -> Job:
    """Let a job wait again that its worker gave back undone; the try does not count."""
    job = find(session, job_id)
    if job.state == "running":
        job.state, job.tries, job.lease_until = "queued", job.tries - 1, None
    return job


def take_back(session: Session, ask: wire.Claim, at: datetime, limits: Grading) -> int:
    """Let every job wait again that is under way and not among those that the grader holds.

    Those that it holds it keeps for another while. There is one grader: what it does not
    hold is left over from one that ended, or from an answer that was lost. Jobs out of
    tries end with a verdict.

    Returns:
        How many jobs were left over.
    """
    if ask.holding is None:
        return 0
    running = session.scalars(select(Job).where(Job.state == "running").with_for_update()).all()
    for job in running:
        if job.id in ask.holding:
            renew(job, at, limits)
        elif ask.at_most and job.tries >= limits.max_attempts:
            _give_up(session, job, _("The grader stopped while it worked on it."), at)
        else:
            job.state, job.lease_until = "queued", None
            job.tries -= not ask.at_most
    return sum(job.id not in ask.holding for job in running)


def _running(session: Session, job_id: int) -> Job:
    job = find(session, job_id)
    if job.state != "running":
        message = _("Job {n} is {state}, so no work on it may begin.")
        raise Refused(
            409, "not_running", message.format(n=job.id, state=job.state), _("Claim the next job.")
        )
    return job


def _begin(job: Job, at: datetime, limits: Grading) -> None:
    job.state, job.tries, job.started_at = "running", job.tries + 1, at
    job.step, job.done, job.of = None, None, None
    renew(job, at, limits)


def _next(at: datetime) -> Select[Job]:
    free = select(Job).where(_free(at)).order_by(*_order()).limit(1)
    return free.with_for_update(skip_locked=True)


def _order() -> tuple[ColumnElement[Any], ...]:
    """Return the order of the queue: nobody's first feedback waits for a repeated grading."""
    repeated = exists().where(Result.submission_id == Job.submission_id)
    return case((Job.kind == RELEASE, 0), else_=1), repeated, Job.id.asc()


def _free(at: datetime) -> ColumnElement[bool]:
    return or_(_waiting(at), _expired(at))


def _waiting(at: datetime) -> ColumnElement[bool]:
    ready = or_(Job.lease_until.is_(None), Job.lease_until <= at)
    return and_(Job.state == "queued", ready)


def _expired(at: datetime) -> ColumnElement[bool]:
    return and_(Job.state == "running", Job.lease_until <= at)


def _end(job: Job, state: str, message: str, at: datetime) -> None:
    if job.ended_at is None:
        job.state, job.message, job.ended_at, job.lease_until = state, message, at, None


def _give_up(session: Session, job: Job, message: str, at: datetime) -> None:
    _end(job, "failed", message, at)
    if job.kind == GRADE:
        text = _(
            "Your work was received and is safe, but it could not be graded automatically "
            "({n} tries). Your instructor will look at it; you need not do anything."
        )
        results.record(session, job, results.could_not_be_graded(text.format(n=job.tries)), at)
