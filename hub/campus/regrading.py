"""Grade again what would be graded differently now, and nothing else.

Law: a hand-in is graded against the version that it was begun from, whatever was
released later. What is under way is left alone. Each grading is a job of its own, so
that a second click, or a crash between two, doubles nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.hub.campus import jobs
from bioskills.hub.campus.pages_changes import Change, note
from bioskills.hub.campus.pages_class import Class
from bioskills.hub.campus.pages_work import Work

_UNDER_WAY = ("queued", "running")


@dataclass(frozen=True)
class Changed:
    """One hand-in that would be graded differently now, and why."""

    submission: tables.Submission
    person: tables.Person
    why: str


def present_environment(session: Session) -> str:
    """Return what the grader grades with now, as its newest result names it; empty where unknown."""
    named = tables.Result.hashes["environment"].as_string()
    newest = select(named).where(named != "").order_by(tables.Result.id.desc()).limit(1)
    return session.scalar(newest) or ""


def changed_in(group: Class, assignment: tables.Assignment, present: str) -> list[Changed]:
    """Return the hand-ins of one assignment that should be graded again, oldest first.

    Args:
        group: The class.
        assignment: One of its assignments.
        present: What the grader grades with now; empty where unknown.
    """
    people = {person.id: person for person in group.learners}
    found = [
        Changed(submission, people[work.person_id], why)
        for work in group.works_on(assignment)
        for submission in work.submissions
        for why in [_why(work, submission, present)]
        if why
    ]
    return sorted(found, key=lambda item: item.submission.id)


def grade_again(session: Session, change: Change, wanted: Iterable[int], present: str) -> int:
    """Queue a grading of these hand-ins, as far as they changed; say how many."""
    chosen = set(wanted)
    changed = changed_in(change.group, change.assignment, present)
    rows = [item.submission for item in changed if item.submission.id in chosen]
    for row in rows:
        jobs.grade_again(session, row, change.group.run.id)
    if rows:
        detail = {"submissions": [row.id for row in rows], "environment": present}
        note(session, change, "graded again", detail)
    return len(rows)


def _why(work: Work, submission: tables.Submission, present: str) -> str:
    job, result = work.jobs.get(submission.id), work.results.get(submission.id)
    if job is None or job.state in _UNDER_WAY:
        return ""
    if job.state == "failed":
        return _("The last try failed.")
    if job.assignment_version_id != submission.assignment_version_id:
        return _("It was graded against another version of the assignment.")
    before = str(result.hashes.get("environment") or "") if result else ""
    if present and before != present:
        text = _("It was graded with another environment, {before}; the grader now has {now}.")
        return text.format(before=before or _("unknown"), now=present)
    return ""
