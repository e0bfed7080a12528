"""Choose which of nbgrader's pages and calls are open here, each behind the guard.

Law: what is not named here is not there; a newer nbgrader's new page stays closed until
somebody has looked at it. Points, comments and flags are written; sources, releases,
people and feedback are not: they belong to the platform.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader
from nbgrader.server_extensions.formgrader import apihandlers
from nbgrader.server_extensions.formgrader import handlers as stock
from tornado import web

from bioskills.graders.formgrader.calls import (
    Autograde,
    Comments,
    Elsewhere,
    Gradings,
    Points,
)
from bioskills.graders.formgrader.guard import Guarded
from bioskills.graders.formgrader.scripts import OwnScripts

HERE = Path(__file__).parent
READS = ("GET", "HEAD")
OPEN: dict[str, tuple[str, ...]] = {
    "ManageAssignmentsHandler": READS,
    "ManageSubmissionsHandler": READS,
    "GradebookAssignmentsHandler": READS,
    "GradebookNotebooksHandler": READS,
    "GradebookNotebookSubmissionsHandler": READS,
    "ManageStudentsHandler": READS,
    "ManageStudentsAssignmentsHandler": READS,
    "ManageStudentNotebookSubmissionsHandler": READS,
    "SubmissionHandler": READS,
    "SubmissionNavigationHandler": READS,
    "StatusHandler": READS,
    "GradeCollectionHandler": READS,
    "CommentCollectionHandler": READS,
    "FlagSubmissionHandler": ("POST",),
    "AssignmentCollectionHandler": READS,
    "AssignmentHandler": READS,
    "NotebookCollectionHandler": READS,
    "SubmissionCollectionHandler": READS,
    "SubmittedNotebookCollectionHandler": READS,
    "StudentCollectionHandler": READS,
    "StudentHandler": READS,
    "StudentSubmissionCollectionHandler": READS,
    "StudentNotebookSubmissionCollectionHandler": READS,
}
"""nbgrader's handlers that are open, with the methods that are."""
ELSEWHERE = (
    "AssignHandler",
    "UnReleaseHandler",
    "ReleaseHandler",
    "CollectHandler",
    "GenerateFeedbackHandler",
    "ReleaseFeedbackHandler",
    "GenerateAllFeedbackHandler",
    "ReleaseAllFeedbackHandler",
)
"""Buttons that answer where the platform does it."""


class FirstPage(Guarded):
    """Leads to the assignments; nbgrader's own would load a configuration that the address names."""

    @web.authenticated
    def get(self) -> None:
        """Redirect."""
        self.redirect(f"{self.base_url}/formgrader/manage_assignments")


class Nothing(Guarded):
    """Answers for every address that is not open."""

    @web.authenticated
    def get(self) -> None:
        """Refuse."""
        raise web.HTTPError(404)


def guarded(handler: type[Any], methods: tuple[str, ...]) -> type[Any]:
    """Return a handler of nbgrader's with our guard and these methods alone."""
    return type(handler.__name__, (Guarded, handler), {"SUPPORTED_METHODS": methods})


def handlers() -> list[tuple[Any, ...]]:
    """Return every address that is open, with its handler."""
    calls = r"/formgrader/api"
    return [
        (r"/formgrader/?", FirstPage),
        (calls + r"/submission/([^/]+)/([^/]+)/autograde", Autograde),
        (calls + r"/assignment/([^/]+)/autograde", Autograde),
        (calls + r"/assignment/([^/]+)/gradings", Gradings),
        (calls + r"/grade/([^/]+)", Points),
        (calls + r"/comment/([^/]+)", Comments),
        *_stock(),
        (r"/formgrader/static/(.*)", web.StaticFileHandler, {"path": stock.static_path}),
        (r"/formgrader/ours/(.*)", web.StaticFileHandler, {"path": str(HERE / "static")}),
        (r"/formgrader/.*", Nothing),
    ]


def _stock() -> Iterator[tuple[str, type[Any]]]:
    for pattern, handler, *_options in (*apihandlers.default_handlers, *stock.default_handlers):
        if handler.__name__ in ELSEWHERE:
            yield pattern, Elsewhere
        elif handler.__name__ in OPEN:
            yield pattern, guarded(handler, OPEN[handler.__name__])


def page_environment() -> Environment:
    """Return nbgrader's templates, every value escaped, with ours before them."""
    nbgrader = OwnScripts(FileSystemLoader(stock.template_path), "nonce")
    ours = OwnScripts(FileSystemLoader(HERE / "templates"), "nonce")
    loader = ChoiceLoader([ours, nbgrader, PrefixLoader({"nbgrader": nbgrader})])
    return Environment(loader=loader, autoescape=True)
