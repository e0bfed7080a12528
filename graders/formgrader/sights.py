"""Say whose work or points a page or call of nbgrader's shows.

Law: each of nbgrader's handlers that are open stands in one of the two tables here, so
that nothing about a learner is shown before the campus has noted that it was seen.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nbgrader.api import MissingEntry

from bioskills.base.wire import Sight


def sight_of(handler: Any) -> Sight | None:
    """Return what this request is about to show of learners; None where that is nothing.

    Args:
        handler: A handler of nbgrader's whose person is known.
    """
    found = SIGHTS.get(type(handler).__name__)
    by = handler.current_user.username
    return found(handler, by) if found else None


def _hand_in(handler: Any, notebook: str, by: str) -> Sight | None:
    try:
        found = handler.gradebook.find_submission_notebook_by_id(notebook)
    except MissingEntry:
        return None  # nbgrader says that it is not there
    assignment = found.assignment.assignment.name
    return Sight(by=by, assignment=assignment, learner=found.student.id, work=True)


def _page(handler: Any, by: str) -> Sight | None:
    # A page about one notebook; the call of the same name is about points alone.
    words = handler.path_args
    if len(words) == 1:
        return _hand_in(handler, words[0], by)
    return Sight(by=by, assignment=words[0], learner=words[1])


def _by_argument(handler: Any, by: str) -> Sight | None:
    return _hand_in(handler, handler.get_argument("submission_id", ""), by)


def _assignment(handler: Any, by: str) -> Sight:
    return Sight(by=by, assignment=handler.path_args[0])


def _learner(handler: Any, by: str) -> Sight:
    learner, *assignment = handler.path_args
    return Sight(by=by, learner=learner, assignment=assignment[0] if assignment else "")


def _everybody(_handler: Any, by: str) -> Sight:
    return Sight(by=by)


SIGHTS: Mapping[str, Callable[[Any, str], Sight | None]] = MappingProxyType(
    {
        "SubmissionHandler": _page,
        "GradeCollectionHandler": _by_argument,
        "CommentCollectionHandler": _by_argument,
        "SubmissionCollectionHandler": _assignment,
        "SubmittedNotebookCollectionHandler": _assignment,
        "StudentCollectionHandler": _everybody,
        "StudentHandler": _learner,
        "StudentSubmissionCollectionHandler": _learner,
        "StudentNotebookSubmissionCollectionHandler": _learner,
    }
)
"""Handlers that show somebody's work or points, and whose."""

SHOW_NOBODY = frozenset(
    {
        *("ManageAssignmentsHandler", "ManageSubmissionsHandler", "ManageStudentsHandler"),
        *("ManageStudentsAssignmentsHandler", "ManageStudentNotebookSubmissionsHandler"),
        *("GradebookAssignmentsHandler", "GradebookNotebooksHandler"),
        *("GradebookNotebookSubmissionsHandler", "SubmissionNavigationHandler", "StatusHandler"),
        *("FlagSubmissionHandler", "AssignmentCollectionHandler", "AssignmentHandler"),
        "NotebookCollectionHandler",
    }
)
"""Empty tables that a call fills, redirections, and figures of all learners together."""
