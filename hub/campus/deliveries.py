"""Find runs and assignments for those who may know of them.

Law: a run that is not for a person sounds the same as one that does not exist. An
extension moves one person's due date and nobody else's.

Vocabulary: a *delivery* is a run with the course it delivers and its cohort.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bioskills.base.tables import (
    Assignment,
    AssignmentVersion,
    Cohort,
    CourseVersion,
    Extension,
    Run,
)
from bioskills.base.tables_teaching import LateRule as LateRow
from bioskills.base.tables_teaching import Resit
from bioskills.base.text import _
from bioskills.base.wire import AssignmentInfo, AssignmentList
from bioskills.courses.manifest import Assignment as Plan
from bioskills.hub.campus.late_rules import LateRule, latest, rule_of
from bioskills.hub.campus.pages_work import assignments_of, manifest_of
from bioskills.hub.campus.site import Refused
from bioskills.hub.campus.trees import stored_files
from bioskills.hub.membership import has_seat, seats

LAB_ROLES = ("learner", "instructor")
"""Who may fetch and hand in: learners, and instructors who try their own course."""

NOTEBOOK = re.compile(r"[^/]+\.ipynb")
"""A notebook on the first level of a tree: what is graded."""


@dataclass(frozen=True)
class Delivery:
    """A run with the course it delivers and the cohort it is for."""

    run: Run
    course: CourseVersion
    cohort: str

    def plan(self, name: str) -> Plan | None:
        """Return what the course's manifest says about an assignment."""
        return manifest_of(self.course).assignment(name)


def find_delivery(session: Session, slug: str) -> Delivery:
    """Return a run by its slug.

    Raises:
        Refused: There is no such run.
    """
    row = session.execute(
        select(Run, CourseVersion, Cohort.slug)
        .join(CourseVersion, CourseVersion.id == Run.course_version_id)
        .join(Cohort, Cohort.id == Run.cohort_id)
        .where(Run.slug == slug)
    ).first()
    if row is None:
        raise unknown_run(slug)
    return Delivery(row[0], row[1], row[2])


def find_for_lab(session: Session, slug: str, person: str, at: datetime) -> Delivery:
    """Return a run for the owner of a lab, who must have a seat in its cohort.

    Raises:
        Refused: No such run, or not for this person; both sound the same.
    """
    found = find_delivery(session, slug)
    if not has_seat(session, person, found.cohort, LAB_ROLES, at):
        raise unknown_run(slug)
    return found


def runs_for_lab(session: Session, person: str, at: datetime) -> list[str]:
    """Return the slugs of all runs that a lab's owner may work in."""
    cohorts = {seat.cohort for seat in seats(session, person, at) if seat.role in LAB_ROLES}
    chosen = select(Run.slug).join(Cohort, Cohort.id == Run.cohort_id)
    return list(session.scalars(chosen.where(Cohort.slug.in_(cohorts)).order_by(Run.slug)))


def unknown_run(slug: str) -> Refused:
    """Return the refusal for a run that does not exist or is not the caller's."""
    message = _("There is no run {run} that you take part in.").format(run=slug)
    return Refused(404, "not_found", message, _("See your runs: nbgrader list"))


def find_assignment(session: Session, delivery: Delivery, name: str) -> Assignment:
    """Return an assignment of a run.

    Raises:
        Refused: There is none of this name.
    """
    found = session.scalar(
        select(Assignment).where(Assignment.run_id == delivery.run.id, Assignment.name == name)
    )
    if found is None:
        slug = delivery.run.slug
        message = _("The run {run} has no assignment {name}.").format(run=slug, name=name)
        after = _("See its assignments: nbgrader list --course={run}").format(run=slug)
        raise Refused(404, "not_found", message, after)
    return found


def current_version(session: Session, assignment: Assignment) -> AssignmentVersion | None:
    """Return the newest released version, or None before the first release."""
    return session.scalar(
        select(AssignmentVersion)
        .where(AssignmentVersion.assignment_id == assignment.id)
        .order_by(AssignmentVersion.number.desc())
        .limit(1)
    )


def released_version(session: Session, delivery: Delivery, name: str) -> AssignmentVersion:
    """Return what is released of an assignment.

    Raises:
        Refused: Nothing is released yet.
    """
    assignment = find_assignment(session, delivery, name)
    version = current_version(session, assignment)
    if version is None:
        message = _("The assignment {name} is not released yet.").format(name=name)
        raise Refused(409, "not_open", message, _("Try again later, or ask your instructor."))
    return version


def open_to_learners(
    delivery: Delivery, assignment: Assignment, at: datetime, again: Resit | None = None
) -> None:
    """Refuse learners an assignment that is still in preparation, and was not given to them.

    Raises:
        Refused: The run has not begun, or the assignment is a draft.
    """
    given = again is not None and at <= again.due_at
    if at < delivery.run.opens_at or (assignment.state == "draft" and not given):
        message = _("The assignment {name} is not open yet.").format(name=assignment.name)
        raise Refused(409, "not_open", message, _("The dates are shown in the Lab panel."))


def list_assignments(
    session: Session, delivery: Delivery, person_id: int | None, *, drafts: bool
) -> AssignmentList:
    """Return the assignments of a run as one caller sees them.

    Args:
        session: A reading session.
        delivery: The run.
        person_id: Whose extensions count; None for the general dates.
        drafts: Whether assignments in preparation are listed.
    """
    shown = [
        row
        for row in assignments_of(session, delivery.run)
        if drafts or row.state != "draft" or resit_for(session, row, person_id)
    ]
    infos = [_info(session, delivery, assignment, person_id) for assignment in shown]
    return AssignmentList(run=delivery.run.slug, assignments=infos)


def due_for(
    session: Session,
    assignment: Assignment,
    person_id: int | None,
    at: datetime | None = None,
) -> datetime | None:
    """Return when an assignment is due for a person: the latest of all dates that count.

    Args:
        session: Of our database.
        assignment: Which.
        person_id: Whose date.
        at: When the work came: another attempt that was given later does not count for it.
    """
    first = first_due_for(session, assignment, person_id)
    again = resit_for(session, assignment, person_id)
    if again is None or (at is not None and at < again.given_at):
        return first
    return latest(first, again.due_at)


def first_due_for(
    session: Session, assignment: Assignment, person_id: int | None
) -> datetime | None:
    """Return when an assignment is due for a person, another attempt left out."""
    extended = session.scalar(
        select(Extension.due_at)
        .where(Extension.assignment_id == assignment.id, Extension.person_id == person_id)
        .where(Extension.ended_at.is_(None))
        .order_by(Extension.id.desc())
        .limit(1)
    )
    return latest(extended, assignment.due_at)


def resit_for(session: Session, assignment: Assignment, person_id: int | None) -> Resit | None:
    """Return the other attempt that a person was given here, also as another one's resit."""
    mine = select(Resit).where(
        func.coalesce(Resit.by_assignment_id, Resit.assignment_id) == assignment.id,
        Resit.person_id == person_id,
        Resit.ended_at.is_(None),
    )
    return session.scalar(mine.order_by(Resit.id.desc()).limit(1))


def late_rule_for(session: Session, delivery: Delivery, assignment: Assignment) -> LateRule:
    """Return what happens with late work on an assignment."""
    row = session.scalar(select(LateRow).where(LateRow.assignment_id == assignment.id))
    return rule_of(row, delivery.plan(assignment.name))


def notebooks_of(version: AssignmentVersion) -> list[str]:
    """Return the names of the notebooks on the first level of a released tree."""
    return [e.path for e in stored_files(version.files) if NOTEBOOK.fullmatch(e.path)]


def _info(
    session: Session, delivery: Delivery, assignment: Assignment, person_id: int | None
) -> AssignmentInfo:
    plan, version = delivery.plan(assignment.name), current_version(session, assignment)
    return AssignmentInfo.model_validate(
        {
            "name": assignment.name,
            "title": plan.title if plan else assignment.name,
            "version": version.number if version else None,
            "state": assignment.state,
            "due_at": due_for(session, assignment, person_id),
            "notebooks": notebooks_of(version) if version else [],
            "points": f"{plan.points:g}" if plan else "0",
        }
    )
