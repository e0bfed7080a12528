"""Release assignments.

Law: a released tree is a new version with the next number and is never changed;
releasing the current tree again changes nothing. What still holds solutions or
hidden tests is refused: learners get every file of a release.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bioskills.base.tables import Assignment, AssignmentVersion, AuditEntry
from bioskills.base.text import _
from bioskills.base.wire import ReleaseResult
from bioskills.hub.campus.deliveries import (
    NOTEBOOK,
    Delivery,
    current_version,
    find_assignment,
)
from bioskills.hub.campus.objects import Objects
from bioskills.hub.campus.site import Refused
from bioskills.hub.campus.trees import Tree

HIDDEN_TESTS = b"BEGIN HIDDEN TESTS"
SOLUTION = b"BEGIN SOLUTION"
MARK_SCHEME = b"BEGIN MARK SCHEME"
_MARKERS = (HIDDEN_TESTS, SOLUTION, MARK_SCHEME)
"""What nbgrader looks for in the source, and takes out when it makes a release."""


def release(
    session: Session, delivery: Delivery, name: str, tree: Tree, *, by: str, at: datetime
) -> ReleaseResult:
    """Make a tree the current version of an assignment; the current one again changes nothing.

    Raises:
        Refused: No notebook in it, or an older version has exactly this tree.
    """
    assignment = find_assignment(session, delivery, name)
    # Two releases at once wait for each other, so that each gets its own number.
    session.refresh(assignment, with_for_update=True)
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


def _check_notebook(tree: Tree, name: str) -> None:
    if not any(NOTEBOOK.fullmatch(path) for path in tree.paths):
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
