"""Stand before each of nbgrader's handlers.

Law: at each request the hub says who comes and the campus whether that person
teaches this run, and notes whose work or points that person is about to see; no name in an address
can become a part of a page; each page runs its own scripts alone; and what was read from the gradebook is forgotten after each answer,
because the grader writes it, too.
"""

import re
import secrets
from pathlib import Path
from typing import Any

from nbgrader.server_extensions.formgrader.base import BaseHandler
from tornado import web

from bioskills.base.text import _
from bioskills.graders.formgrader.again import CampusDesk, CampusError
from bioskills.graders.formgrader.hand_in import time_of
from bioskills.graders.formgrader.scripts import policy
from bioskills.graders.formgrader.sights import sight_of

NAME = re.compile(r"\w[\w .()+-]{0,200}")
"""Names of assignments, notebooks and learners as they may stand in an address."""


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
        """Ask who comes, refuse who does not teach here, and have noted whom they will see."""
        await super().prepare()
        if self._finished or self.current_user is None:
            return  # what follows sends them to sign in
        if not all(NAME.fullmatch(word) for word in self._words_of_address()):
            raise web.HTTPError(404)
        try:
            if not await self.desk.teaches(self.current_user.username):
                raise web.HTTPError(403)
            if seen := sight_of(self):
                await self.desk.note(seen)
        except CampusError as error:
            raise web.HTTPError(503, reason="Campus away") from error

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
        given = {**resources, "nonce": self._nonce, "hand_in": time_of(Path(filename).parent)}
        return self._exporter.from_filename(filename, resources=given)


def _words() -> dict[str, str]:
    """Return the words of our parts of the pages."""
    return {
        "all": _("Autograde everybody's newest hand-in"),
        "here": _(
            "These are nbgrader's own pages. Here you read hand-ins, give points and comments, and ask for gradings. Points and comments count when you put them into results, on the page Grading of the campus; assignments, due dates and the return of results belong there, too."
        ),
        "missing": _(
            "There is no graded notebook of this hand-in: it could not be run. The course page on the campus says why, and shows what was handed in."
        ),
        "people": _("Learners stand here under their pseudonyms; the campus knows their names."),
        "how": _(
            "Autograde queues the work for the grader of this platform. You need not wait for it: the column Status shows how far it is. Manual points are kept."
        ),
    }
