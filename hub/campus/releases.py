"""Release assignments, and say which ones a run has.

Law: a released tree is a new version with the next number and is never changed;
releasing the current tree again changes nothing. What still holds solutions or
hidden tests is refused: learners get every file of a release.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bioskills.base.tables import (
    Assignment,
    AssignmentVersion,
    AuditEntry,
    Cohort,
    CourseVersion,
    Extension,
    Run,
)
from bioskills.base.text import _
from bioskills.base.wire import AssignmentInfo, AssignmentList, ReleaseResult
from bioskills.courses.manifest import Assignment as Plan
from bioskills.hub.campus.objects import Objects
from bioskills.hub.campus.pages_work import assignments_of, manifest_of
from bioskills.hub.campus.site import Refused
from bioskills.hub.campus.trees import Tree, stored_files
from bioskills.hub.membership import has_seat, seats

LAB_ROLES = ("learner", "instructor")
"""Who may fetch and hand in: learners, and instructors who try their own course."""

HIDDEN_TESTS = b"### BEGIN HIDDEN TESTS"
SOLUTION = b"### BEGIN SOLUTION"
_MARKERS = (HIDDEN_TESTS, SOLUTION)
_NOTEBOOK = re.compile(r"[^/]+\.ipynb")


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


def open_to_learners(delivery: Delivery, assignment: Assignment, at: datetime) -> None:
    """Refuse learners an assignment that is still in preparation.

    Raises:
        Refused: The run has not begun, or the assignment is a draft.
    """
    if at < delivery.run.opens_at or assignment.state == "draft":
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
    shown = [a for a in assignments_of(session, delivery.run) if drafts or a.state != "draft"]
    infos = [_info(session, delivery, assignment, person_id) for assignment in shown]
    return AssignmentList(run=delivery.run.slug, assignments=infos)


def due_for(session: Session, assignment: Assignment, person_id: int | None) -> datetime | None:
    """Return when an assignment is due for a person, an extension included."""
    extended = session.scalar(
        select(Extension.due_at).where(
            Extension.assignment_id == assignment.id, Extension.person_id == person_id
        )
    )
    return extended or assignment.due_at


def notebooks_of(version: AssignmentVersion) -> list[str]:
    """Return the names of the notebooks on the first level of a released tree."""
    return [e.path for e in stored_files(version.files) if _NOTEBOOK.fullmatch(e.path)]


def release(
    session: Session, delivery: Delivery, name: str, tree: Tree, *, by: str, at: datetime
) -> ReleaseResult:
    """Make a tree the current version of an assignment; the current one again changes nothing.

    Raises:
        Refused: No notebook in it, or an older version has exactly this tree.
    """
    assignment = find_assignment(session, delivery, name)
    _check_notebook(tree, name)
    current = current_version(session, assignment)
    if current is None or current.tree_sha256 != tree.sha256:
        _check_not_older(session, assignment, tree)
        current = _add_version(session, assignment, tree, by, at)
        session.add(_audit(delivery, name, current, by, at))
        return _released(delivery, name, current, new=True)
    return _released(delivery, name, current, new=False)


def refuse_secrets(tree: Tree, objects: Objects) -> None:
    """Refuse a release that still holds solutions or hidden tests.

    Raises:
        Refused: Naming every such file.
    """
    found = [entry.path for entry in tree.files if holds(objects.chunks(entry.sha256), _MARKERS)]
    if found:
        message = _(
            "Not released: {files} still holds solutions or hidden tests. "
            "Learners would receive them."
        ).format(files=", ".join(found))
        after = _("Run: nbgrader generate_assignment, then release what it made.")
        raise Refused(422, "secrets", message, after)


def holds(chunks: Iterable[bytes], markers: tuple[bytes, ...]) -> bool:
    """Say whether one of the markers occurs in a stream, also across two pieces."""
    keep, tail = max(map(len, markers)) - 1, b""
    for chunk in chunks:
        window = tail + chunk
        if any(marker in window for marker in markers):
            return True
        tail = window[-keep:]
    return False


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


def _check_notebook(tree: Tree, name: str) -> None:
    if not any(_NOTEBOOK.fullmatch(path) for path in tree.paths):
        message = _("The release of {name} holds no notebook.").format(name=name)
        raise Refused(422, "no_notebook", message, _("Run: nbgrader generate_assignment"))


def _check_not_older(session: Session, assignment: Assignment, tree: Tree) -> None:
    number = session.scalar(
        select(AssignmentVersion.number).where(
            AssignmentVersion.assignment_id == assignment.id,
            AssignmentVersion.tree_sha256 == tree.sha256,
        )
    )
    if number is not None:
        message = _(
            "Exactly this was released before as version {n}, and a newer version is current. "
            "A version is released once."
        ).format(n=number)
        raise Refused(409, "older_version", message, _("Change a line of it and release again."))


def _add_version(
    session: Session, assignment: Assignment, tree: Tree, by: str, at: datetime
) -> AssignmentVersion:
    highest = session.scalar(
        select(func.max(AssignmentVersion.number)).where(
            AssignmentVersion.assignment_id == assignment.id
        )
    )
    version = AssignmentVersion(
        assignment_id=assignment.id,
        number=(highest or 0) + 1,
        tree_sha256=tree.sha256,
        files=tree.as_stored(),
        released_at=at,
        released_by=by,
    )
    session.add(version)
    session.flush()
    return version


def _audit(
    delivery: Delivery, name: str, version: AssignmentVersion, by: str, at: datetime
) -> AuditEntry:
    subject = f"{delivery.run.slug}/{name}"
    detail = {"version": version.number, "tree_sha256": version.tree_sha256}
    return AuditEntry(at=at, actor=by, action="released", subject=subject, detail=detail)


def _released(
    delivery: Delivery, name: str, version: AssignmentVersion, *, new: bool
) -> ReleaseResult:
    return ReleaseResult(
        run=delivery.run.slug,
        assignment=name,
        version=version.number,
        tree_sha256=version.tree_sha256,
        new=new,
    )
