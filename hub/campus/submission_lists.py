"""List and find hand-ins, for those who may see them.

Law: the state of a hand-in is worked out by the same rule as on the pages. The
grader knows people by pseudonym alone.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import Assignment, AssignmentVersion, Person, Run, Submission
from bioskills.base.text import _
from bioskills.base.wire import SubmissionInfo
from bioskills.hub.campus.deliveries import Delivery
from bioskills.hub.campus.pages_shelf import read_works
from bioskills.hub.campus.pages_work import Work, state_of
from bioskills.hub.campus.site import Refused


def list_submissions(
    session: Session, run: Run, name: str, people: dict[int, str], at: datetime
) -> list[SubmissionInfo]:
    """Return the hand-ins of these people, newest first.

    Args:
        session: A reading session.
        run: The run.
        name: The assignment.
        people: What to call each person, by person id.
        at: The present moment.
    """
    works = read_works(session, run, people)
    found = [
        _as_info(session, work, submission, people[work.person_id], at)
        for work in works.values()
        if work.assignment.name == name
        for submission in work.submissions
    ]
    return sorted(found, key=lambda info: info.submission_id, reverse=True)


def people_who_handed_in(session: Session, assignment: Assignment) -> list[Person]:
    """Return everybody with a hand-in, also those who have left the cohort."""
    return list(
        session.scalars(
            select(Person)
            .distinct()
            .join(Submission, Submission.person_id == Person.id)
            .where(Submission.assignment_id == assignment.id)
            .order_by(Person.id)
        )
    )


def find_submission(session: Session, delivery: Delivery, submission_id: int) -> Submission:
    """Return a hand-in of a run.

    Raises:
        Refused: There is none of this number in this run.
    """
    found = session.scalar(
        select(Submission)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Submission.id == submission_id, Assignment.run_id == delivery.run.id)
    )
    if found is None:
        message = _("The run {run} has no submission {n}.")
        message = message.format(run=delivery.run.slug, n=submission_id)
        raise Refused(404, "not_found", message, _("See them: nbgrader list --inbound"))
    return found


def names_of(people: Iterable[Person], *, pseudonyms: bool = False) -> dict[int, str]:
    """Return what to call each person: the user name, or the pseudonym for the grader."""
    return {person.id: person.pseudonym if pseudonyms else person.name for person in people}


def _as_info(
    session: Session, work: Work, submission: Submission, learner: str, at: datetime
) -> SubmissionInfo:
    version = session.get_one(AssignmentVersion, submission.assignment_version_id)
    return SubmissionInfo(
        submission_id=submission.id,
        receipt=submission.receipt,
        assignment=work.assignment.name,
        version=version.number,
        attempt=submission.attempt,
        submitted_at=submission.submitted_at,
        tree_sha256=submission.tree_sha256,
        late=submission.late,
        # The page's rule for the newest hand-in, asked for this one.
        state=state_of(replace(work, submissions=(submission,)), at),
        learner=learner,
    )
