"""The fixed list of verbs under `<base_url>bioskills/`.

Law: whoever is not the owner of this server may change nothing with it. The
XSRF protection of Jupyter Server stays on; outside a hub nobody is the owner
unless the environment names one.
"""

import os
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import tornado.web
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join

from bioskills_lab.campus import campus_of_environment
from bioskills_lab.fields import Asked, read_asked, read_id
from bioskills_lab.limits import limits
from bioskills_lab.problems import Refused
from bioskills_lab.running import run_cells
from bioskills_lab.words import _, speak
from bioskills_lab.work import Desk

HUB_USER = "JUPYTERHUB_USER"
LOCAL_OWNER = "BIOSKILLS_LAB_OWNER"
_DESK = "bioskills_lab_desk"
_LARGEST_REQUEST = 10_000


class Verb(APIHandler):  # type: ignore[misc]  # Jupyter Server's handlers are untyped
    """What all verbs share: the desk, the owner, the form of an answer."""

    @property
    def desk(self) -> Desk:
        """Give the desk of this server, made at the first call."""
        if _DESK not in self.settings:
            server = self.serverapp
            runner = partial(
                run_cells,
                kernel_spec_manager=server.kernel_spec_manager if server else None,
                config=server.config if server else None,
            )
            home = Path(server.root_dir if server else Path.home())
            self.settings[_DESK] = Desk(campus_of_environment(), home, runner)
        return self.settings[_DESK]  # type: ignore[no-any-return]

    async def answer(self, act: Callable[[Desk], Awaitable[dict[str, Any]]]) -> None:
        """Do it and send what it gives, or the refusal."""
        self.set_header("Cache-Control", "no-store")
        speak(self.request.headers.get("Accept-Language", ""))
        try:
            await self.finish(await act(self.desk))
        except Refused as refused:
            self.set_status(refused.status)
            await self.finish(refused.as_json())

    def refuse_others(self) -> None:
        """Refuse anybody but the owner of this server.

        Raises:
            Refused: 403.
        """
        if not owns(getattr(self.current_user, "username", "")):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "not_yours",
                _("This is another person's server: here you can look, but nothing was changed."),
                _("Use the panel in your own JupyterLab."),
            )

    def asked(self, item: str) -> Asked:
        """Read the request of the owner."""
        self.refuse_others()
        return read_asked(self.request.body[:_LARGEST_REQUEST], item)


def owns(username: str) -> bool:
    """Say whether the signed-in person is the owner of this server."""
    owner = os.environ.get(HUB_USER, "")
    if owner:
        return username == owner
    # A server of one's own has one person, whose name Jupyter makes up at each sign-in.
    return bool(username) and bool(os.environ.get(LOCAL_OWNER, ""))


class Overview(Verb):
    """GET: everything the panel shows."""

    @tornado.web.authenticated
    async def get(self) -> None:
        """Answer."""
        await self.answer(lambda desk: desk.overview())


class FeedbackOf(Verb):
    """GET: what came back for the hand-in `id`."""

    @tornado.web.authenticated
    async def get(self) -> None:
        """Answer."""
        await self.answer(lambda desk: desk.feedback(read_id(self.get_query_argument("id", ""))))


class ProgressOf(Verb):
    """GET: where the grading of the hand-in `id` is."""

    @tornado.web.authenticated
    async def get(self) -> None:
        """Answer."""
        await self.answer(lambda desk: desk.progress(read_id(self.get_query_argument("id", ""))))


class Limits(Verb):
    """GET: what the lab uses and may use; nothing of the campus."""

    @tornado.web.authenticated
    async def get(self) -> None:
        """Answer."""
        self.set_header("Cache-Control", "no-store")
        await self.finish(await limits())


class Start(Verb):
    """POST `run`, `assignment`, `attempt`: put the assignment into the learner's files."""

    @tornado.web.authenticated
    async def post(self) -> None:
        """Answer."""
        await self.answer(lambda desk: desk.start(self.asked("assignment")))


class Check(Verb):
    """POST `run`, `assignment`: run the visible checks in a fresh kernel."""

    @tornado.web.authenticated
    async def post(self) -> None:
        """Answer."""
        await self.answer(lambda desk: desk.check(self.asked("assignment")))


class HandIn(Verb):
    """POST `run`, `assignment`, `anyway`: send the work; the answer holds the receipt."""

    @tornado.web.authenticated
    async def post(self) -> None:
        """Answer."""
        await self.answer(lambda desk: desk.hand_in(self.asked("assignment")))


class OpenLesson(Verb):
    """POST `run`, `lesson`: fetch the materials once; the answer holds the path."""

    @tornado.web.authenticated
    async def post(self) -> None:
        """Answer."""
        await self.answer(lambda desk: desk.open_lesson(self.asked("lesson")))


VERBS: dict[str, type[Verb]] = {
    "overview": Overview,
    "feedback": FeedbackOf,
    "progress": ProgressOf,
    "limits": Limits,
    "start": Start,
    "check": Check,
    "hand-in": HandIn,
    "open-lesson": OpenLesson,
}


def add_verbs(web_app: tornado.web.Application) -> None:
    """Add the verbs to a Jupyter Server."""
    base = web_app.settings["base_url"]
    handlers = [(url_path_join(base, "bioskills", name), verb) for name, verb in VERBS.items()]
    web_app.add_handlers(".*$", handlers)
