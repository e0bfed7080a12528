"""Hand work to the grader, and take its verdicts.

Law: a job is a durable intent, made in the transaction that makes its submission.
A worker holds it for a limited time; when that ends, anybody may take it again.
Every grading job ends with a result: after the last try, a person is asked. All
verbs may be repeated: nothing is doubled.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.orm import Session

from bioskills.base import wire
from bioskills.base.settings import Grading
from bioskills.base.tables import (
    Assignment,
    AssignmentVersion,
    CourseVersion,
    Job,
    Person,
    Result,
    Run,
    Submission,
)
from bioskills.base.text import _
from bioskills.hub.campus import results
from bioskills.hub.campus.deliveries import due_for
from bioskills.hub.campus.pages_work import assignments_of
from bioskills.hub.campus.site import Refused

RELEASE, GRADE = "release", "grade"
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


def ensure_grading(
    session: Session, submission: Submission, run_id: int, environment: str = ""
) -> Job:
    """Return the job that grades a submission in an environment; make it where there is none."""
    key = {
        "kind": GRADE,
        "submission_id": submission.id,
        "assignment_version_id": submission.assignment_version_id,
        "run_id": run_id,
        "environment": environment,
    }
    known = session.scalar(select(Job).filter_by(**key))
    if known is None:
        known = Job(**key)
        session.add(known)
        session.flush()
    return known


def grade_again(session: Session, submission: Submission, run_id: int) -> Job:
    """Queue one more grading of a submission; its result will supersede the earlier one."""
    count = len(list(session.scalars(select(Job.id).where(Job.submission_id == submission.id))))
    return ensure_grading(session, submission, run_id, f"again-{count}")


def claim(session: Session, at: datetime, limits: Grading) -> wire.Job | None:
    """Give the oldest waiting job to the caller, releases first; None when there is none.

    Jobs whose last worker went silent come back; those out of tries end with a verdict.
    """
    given_up = select(Job).where(_expired(at), Job.tries >= limits.max_attempts)
    for silent in session.scalars(given_up).all():
        _give_up(session, silent, _("The grader stopped while it worked on it."), at)
    job = session.scalar(
        select(Job)
        .where(or_(_waiting(at), _expired(at)))
        .order_by(case((Job.kind == RELEASE, 0), else_=1), Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if job is None:
        return None
    job.state, job.tries = "running", job.tries + 1
    renew(job, at, limits)
    session.flush()
    return _as_wire(session, job)


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


def begin(session: Session, job_id: int, at: datetime, limits: Grading) -> None:
    """Note that a worker is about to write (order of writes, 1), and prolong its time.

    Raises:
        Refused: The job is not being worked on.
    """
    job = find(session, job_id)
    if job.state != "running":
        message = _("Job {n} is {state}, so no work on it may begin.")
        raise Refused(
            409, "not_running", message.format(n=job.id, state=job.state), _("Claim the next job.")
        )
    renew(job, at, limits)


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


def fail(session: Session, job_id: int, message: str, at: datetime, limits: Grading) -> Job:
    """Note that one try failed: the job waits for the next, or ends with a verdict."""
    job = find(session, job_id)
    if job.state != "running":
        return job
    if job.tries >= limits.max_attempts:
        _give_up(session, job, message, at)
    else:
        pause = timedelta(seconds=PAUSE_S * 2 ** (job.tries - 1))
        job.state, job.message, job.lease_until = "queued", message, at + pause
    return job


def put_back(session: Session, job_id: int) -> Job:
    """Let a job wait again that its worker gave back undone; the try does not count."""
    job = find(session, job_id)
    if job.state == "running":
        job.state, job.tries, job.lease_until = "queued", job.tries - 1, None
    return job


def recover(session: Session, at: datetime, limits: Grading) -> int:
    """Let every job wait again that was being worked on; those out of tries end with a verdict.

    The one grader calls this when it starts: whatever runs is then left over.

    Returns:
        How many jobs were left over.
    """
    left = session.scalars(select(Job).where(Job.state == "running").with_for_update()).all()
    for job in left:
        if job.tries >= limits.max_attempts:
            _give_up(session, job, _("The grader stopped while it worked on it."), at)
        else:
            job.state, job.lease_until = "queued", None
    return len(left)


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


def _as_wire(session: Session, job: Job) -> wire.Job:
    run = session.get_one(Run, job.run_id)
    course = session.get_one(CourseVersion, run.course_version_id)
    common: dict[str, object] = {
        "id": job.id,
        "kind": job.kind,
        "run": run.slug,
        "course": course.course,
        "course_version": course.version,
        "notes": course.notes,
    }
    more = _grading_part(session, job) if job.kind == GRADE else _release_part(session, run)
    return wire.Job.model_validate({**common, **more})


def _release_part(session: Session, run: Run) -> dict[str, object]:
    return {"assignments": [assignment.name for assignment in assignments_of(session, run)]}


def _grading_part(session: Session, job: Job) -> dict[str, object]:
    submission = session.get_one(Submission, job.submission_id)
    assignment = session.get_one(Assignment, submission.assignment_id)
    version = session.get_one(AssignmentVersion, submission.assignment_version_id)
    return {
        "assignments": [assignment.name],
        "learner": session.get_one(Person, submission.person_id).pseudonym,
        "submission_id": submission.id,
        "attempt": submission.attempt,
        "version": version.number,
        "submitted_at": submission.submitted_at,
        "due_at": due_for(session, assignment, submission.person_id),
    }
