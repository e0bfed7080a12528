"""Choose which of nbgrader's pages and calls are open here, and guard each of them.

Law: what is not named here is not there; a newer nbgrader's new page stays closed until
somebody has looked at it. At each request the hub says who comes and the campus
whether that person teaches this run. Points, comments and flags are written; sources,
releases, people and feedback are not: they belong to the platform.
"""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader
from nbgrader.server_extensions.formgrader import apihandlers
from nbgrader.server_extensions.formgrader import handlers as stock
from nbgrader.server_extensions.formgrader.base import BaseHandler
from tornado import web

from bioskills.base.text import _, ngettext
from bioskills.graders.formgrader.again import CampusDesk, CampusError, words_of
from bioskills.graders.formgrader.scripts import OwnScripts, policy

NAME = re.compile(r"\w[\w .()+-]{0,200}")
"""Names of assignments, notebooks and learners as they may stand in an address."""
HERE = Path(__file__).parent
READS, WRITES = ("GET", "HEAD"), ("GET", "HEAD", "PUT")
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
    "GradeHandler": WRITES,
    "CommentHandler": WRITES,
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


class Guarded(BaseHandler):  # type: ignore[misc]  # nbgrader is untyped
    """A handler of nbgrader's behind our walls; put before its class."""

    _nonce = ""

    @property
    def nonce(self) -> str:
        """The nonce of this answer."""
        if not self._nonce:
            self._nonce = secrets.token_urlsafe(18)
        return self._nonce

    @property
    def content_security_policy(self) -> str:
        """Let nothing run but the page's own scripts."""
        return policy(self.nonce)

    @property
    def desk(self) -> CampusDesk:
        """The campus."""
        if "bioskills_desk" not in self.settings:
            self.settings["bioskills_desk"] = CampusDesk()
        found: CampusDesk = self.settings["bioskills_desk"]
        return found

    @property
    def exporter(self) -> "_Exporting":
        """The exporter, for this answer."""
        return _Exporting(super().exporter, self.nonce)

    def set_default_headers(self) -> None:
        """Add what keeps other origins out."""
        super().set_default_headers()
        for header in ("Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy"):
            self.set_header(header, "same-origin")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")

    async def prepare(self) -> None:
        """Ask who comes, and refuse who does not teach here."""
        await super().prepare()
        if self._finished or self.current_user is None:
            return  # what follows sends them to sign in
        if not all(NAME.fullmatch(word) for word in self._words_of_address()):
            raise web.HTTPError(404)
        try:
            teaches = await self.desk.teaches(self.current_user.username)
        except CampusError as error:
            raise web.HTTPError(503, reason="Campus away") from error
        if not teaches:
            raise web.HTTPError(403)

    def _words_of_address(self) -> list[str]:
        return [word for word in (*self.path_args, *self.path_kwargs.values()) if word]

    def render(self, name: str, **values: Any) -> Any:
        """Return a page of nbgrader's."""
        # A page without its address is one of nbgrader's that only names its `resources`.
        given = {"base_url": self.base_url, **values}
        return super().render(name, nonce=self.nonce, words=_words(), **given)

    def on_finish(self) -> None:
        """Forget what was read: the grader writes the same gradebook."""
        super().on_finish()
        gradebook = self.settings.get("nbgrader_gradebook")
        if gradebook is not None:
            gradebook.db.remove()


class _Exporting:
    """nbgrader's use of an exporter, with the nonce of one answer."""

    def __init__(self, exporter: Any, nonce: str) -> None:
        self._exporter = exporter
        self._nonce = nonce

    def from_filename(self, filename: str, resources: dict[str, Any]) -> Any:
        """Return the page of a hand-in and its resources."""
        given = {**resources, "nonce": self._nonce}
        return self._exporter.from_filename(filename, resources=given)


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


class Elsewhere(Guarded):
    """Says where the platform does what this button does in plain nbgrader."""

    @web.authenticated
    def post(self, *_words_of_address: str) -> None:
        """Refuse in the form that nbgrader's pages show."""
        text = _(
            "Nothing was changed. On this platform assignments come from the course, hand-ins arrive by themselves, and results are returned from the course page on the campus."
        )
        self.write(json.dumps({"success": False, "log": text, "error": ""}))


class Autograde(Guarded):
    """Queues a grading of a learner's newest hand-in, or of everybody's."""

    @web.authenticated
    async def post(self, assignment: str, learner: str = "") -> None:
        """Answer as soon as the wish is noted."""
        try:
            found = await self.desk.grade(assignment, self.current_user.username, learner)
        except CampusError as error:
            answer: dict[str, Any] = {"success": False, "log": str(error), "error": ""}
        else:
            text = ngettext(
                "{n} hand-in is queued; the grader does the work, and the table shows how far it is.",
                "{n} hand-ins are queued; the grader does the work, and the table shows how far it is.",
                len(found),
            )
            answer = {"success": True, "log": text.format(n=len(found)), "error": ""}
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(answer))


class Gradings(Guarded):
    """Says how far the gradings of an assignment are."""

    @web.authenticated
    async def get(self, assignment: str) -> None:
        """Answer with one entry for each learner who handed in."""
        try:
            found = await self.desk.gradings(assignment)
        except CampusError as error:
            raise web.HTTPError(503, reason="Campus away") from error
        told = {g.learner: {"state": g.state, "words": words_of(g)} for g in found}
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(told))


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


def _words() -> dict[str, str]:
    """Return the words of our parts of the pages."""
    return {
        "all": _("Autograde everybody's newest hand-in"),
        "here": _(
            "These are nbgrader's own pages. Here you read hand-ins, give points and comments, and ask for gradings. Assignments, due dates and the return of results belong to the course page on the campus."
        ),
        "missing": _(
            "There is no graded notebook of this hand-in: it could not be run. The course page on the campus says why, and shows what was handed in."
        ),
        "people": _("Learners stand here under their pseudonyms; the campus knows their names."),
        "how": _(
            "Autograde queues the work for the grader of this platform. You need not wait for it: the column Status shows how far it is. Manual points are kept."
        ),
    }
