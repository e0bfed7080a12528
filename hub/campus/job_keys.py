"""Say when two gradings are the same.

Law: one job for each hand-in (its files never change), version of the assignment, run
and environment; *environment* names what it is graded with, limits included. It is
empty until a grader takes the job, `again-<n>` where a person asked for one more
grading whatever was done before.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import Job, Result, Submission

RELEASE, GRADE = "release", "grade"
AGAIN = "again-"
UNDER_WAY = frozenset({"queued", "running"})


def ensure_grading(
    session: Session, submission: Submission, run_id: int, environment: str = ""
) -> Job:
    """Return the job that grades a submission in an environment; make it where there is none."""
    key = _key(submission.id, submission.assignment_version_id, run_id, environment)
    known = session.scalar(select(Job).filter_by(**key))
    if known is None:
        known = Job(**key)
        session.add(known)
        session.flush()
    return known


def grade_again(session: Session, submission: Submission, run_id: int) -> Job:
    """Queue one more grading of a submission; its result will supersede the earlier one."""
    number = len(list(session.scalars(select(Job.id).where(Job.submission_id == submission.id))))
    while (job := ensure_grading(session, submission, run_id, f"{AGAIN}{number}")).ended_at:
        number += 1
    return job


def grade_changed(
    session: Session, submissions: Iterable[Submission], run_id: int, environment: str
) -> list[Job]:
    """Queue a grading of what would now be graded with something else, or never was graded.

    Args:
        session: A writing session.
        submissions: Of one run.
        run_id: The run.
        environment: What the grader grades with now; empty where it has not said so yet:
            then every submission is queued, and what is unchanged goes away undone.

    Returns:
        The jobs that were queued.
    """
    changed = [s for s in submissions if is_changed(session, s, environment)]
    jobs = [ensure_grading(session, submission, run_id, environment) for submission in changed]
    return [
        grade_again(session, submission, run_id) if job.ended_at else job
        for submission, job in zip(changed, jobs, strict=True)
    ]


def is_changed(session: Session, submission: Submission, environment: str) -> bool:
    """Say whether a grading now would be another one than the last; not while one is under way."""
    states = session.scalars(select(Job.state).where(Job.submission_id == submission.id))
    if UNDER_WAY.intersection(states):
        return False
    newest = select(Result.hashes).where(Result.submission_id == submission.id)
    hashes = session.scalar(newest.order_by(Result.id.desc()).limit(1)) or {}
    return not environment or hashes.get("environment") != environment


def complete_key(session: Session, job: Job, environment: str) -> bool:
    """Write into a job what it will be graded with, as it is taken.

    Returns:
        False where exactly that was done or asked for before: the job is removed.
    """
    fixed = job.kind != GRADE or not environment or job.environment.startswith(AGAIN)
    if fixed or job.environment == environment:
        return True
    key = _key(job.submission_id, job.assignment_version_id, job.run_id, environment)
    if session.scalar(select(Job.id).filter_by(**key)) is None:
        job.environment = environment
        return True
    session.delete(job)
    session.flush()
    return False


def _key(
    submission: int | None, version: int | None, run: int, environment: str
) -> dict[str, object]:
    return {
        "kind": GRADE,
        "submission_id": submission,
        "assignment_version_id": version,
        "run_id": run,
        "environment": environment,
    }
