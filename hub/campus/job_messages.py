"""Put into words for the grader what its jobs are.

Law: a job names its learner by pseudonym and carries everything that grading needs,
but the files. Of the course's notes a grading carries those of its assignment alone.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import wire
from bioskills.base.tables import (
    Assignment,
    AssignmentVersion,
    CourseVersion,
    Job,
    Person,
    Run,
    Submission,
)
from bioskills.hub.campus.deliveries import Delivery, due_for, late_rule_for
from bioskills.hub.campus.job_keys import GRADE
from bioskills.hub.campus.pages_work import assignments_of
from bioskills.hub.cold_courses import asks_for_cold


def messages(session: Session, jobs: Sequence[Job]) -> list[wire.Job]:
    """Return what the grader reads about these jobs, in their order."""
    return [_grading(session, job) if job.kind == GRADE else _release(session, job) for job in jobs]


def _release(session: Session, job: Job) -> wire.Job:
    run = session.get_one(Run, job.run_id)
    course = session.get_one(CourseVersion, run.course_version_id)
    return wire.Job(
        id=job.id,
        kind="release",
        run=run.slug,
        course=course.course,
        course_version=course.version,
        assignments=[assignment.name for assignment in assignments_of(session, run)],
        notes=course.notes,
        cold=asks_for_cold(course.manifest),
    )


def _grading(session: Session, job: Job) -> wire.Job:
    row = session.execute(
        select(Submission, Assignment, AssignmentVersion.number, Person.pseudonym, Run)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(AssignmentVersion, AssignmentVersion.id == Submission.assignment_version_id)
        .join(Person, Person.id == Submission.person_id)
        .join(Run, Run.id == job.run_id)
        .where(Submission.id == job.submission_id)
    ).one()
    submission, assignment, version, pseudonym, run = row
    course = session.get_one(CourseVersion, run.course_version_id)  # one row for a whole claim
    notes = (
        {assignment.name: course.notes[assignment.name]} if assignment.name in course.notes else {}
    )
    due = due_for(session, assignment, submission.person_id, submission.submitted_at)
    late = late_rule_for(session, Delivery(run, course, ""), assignment)
    return wire.Job(
        id=job.id,
        kind="grade",
        run=run.slug,
        course=course.course,
        course_version=course.version,
        assignments=[assignment.name],
        learner=pseudonym,
        submission_id=submission.id,
        attempt=submission.attempt,
        version=version,
        submitted_at=submission.submitted_at,
        due_at=due,
        late_percent=int(late.share_lost(due, submission.submitted_at) * 100)
        if submission.late
        else 0,
        notes=notes,
        cold=asks_for_cold(course.manifest),
    )
