"""Answer the calls that are ours, or nbgrader's with our bounds.

Law: what a person decides is written down at the campus, with who and for which hand-in,
before the gradebook changes: nothing that formgrader shows is unknown there. Points are of
the size that a cell can have; a grading is asked for, never done here; what the platform does elsewhere is
refused in a sentence.
"""

import json
import math
from http import HTTPStatus
from typing import Any

from nbgrader.api import MissingEntry
from nbgrader.server_extensions.formgrader import apihandlers
from tornado import web

from bioskills.base.text import _, ngettext
from bioskills.base.wire import Judgement
from bioskills.graders.formgrader.again import CampusError, words_of
from bioskills.graders.formgrader.guard import Guarded
from bioskills.graders.formgrader.hand_in import HEADER, held_time, is_shown
from bioskills.graders.gradebook import MOST_COMMENT
from bioskills.graders.scratch_book import decimal

WRITES = ("GET", "HEAD", "PUT")
MOST_EXTRA = 1_000_000


class Elsewhere(Guarded):
    """Says where the platform does what this button does in plain nbgrader."""

    @web.authenticated
    def post(self, *_words_of_address: str) -> None:
        """Refuse in the form that nbgrader's pages show."""
        text = _(
            "Nothing was changed. On this platform assignments come from the course, hand-ins arrive by themselves, and results are returned from the course page on the campus."
        )
        self.write(json.dumps({"success": False, "log": text, "error": ""}))


class Judging(Guarded):
    """Saves for a person what the campus has written down before."""

    SUPPORTED_METHODS = WRITES
    _told: dict[str, Any] | None = None

    async def judged(self, row: Any, **decided: Any) -> bool:
        """Have a judgement written down; where that is refused, say why and return False.

        Args:
            row: The gradebook's grade or comment.
            decided: Further fields of the judgement.
        """
        submission = row.notebook.assignment
        if not is_shown(submission, self.request.headers.get(HEADER, "")):
            text = _(
                "This was not saved: the page shows another hand-in than the gradebook holds now. Load the page again, and read the newer one."
            )
            return self._refuse(text)
        judgement = Judgement(
            by=self.current_user.username,
            learner=row.student.id,
            submitted_at=held_time(submission),
            cell=f"{row.notebook.name}/{row.name}",
            **decided,
        )
        try:
            await self.desk.judge(row.assignment.name, judgement)
        except CampusError as error:
            return self._refuse(str(error))
        return True

    def get_json_body(self) -> Any:
        """Return what is to be saved."""
        return self._told or super().get_json_body()

    def _refuse(self, text: str) -> bool:
        self.set_status(HTTPStatus.CONFLICT)
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"title": _("Not saved"), "message": text}))
        return False


class Points(Judging, apihandlers.GradeHandler):  # type: ignore[misc]  # nbgrader is untyped
    """Gives points, of the size that the cell can have: the campus refuses all others."""

    @web.authenticated
    async def put(self, grade_id: str) -> None:
        """Write points; nbgrader's page sends them as text."""
        try:
            grade = self.gradebook.find_grade_by_id(grade_id)
            most = float(grade.max_score or 0)
            told = self.get_json_body()
            points, more = (_number(told.get(k)) for k in ("manual_score", "extra_credit"))
        except MissingEntry as error:
            raise web.HTTPError(404) from error
        except (AttributeError, TypeError, ValueError) as error:
            raise web.HTTPError(400) from error
        if not 0 <= (points or 0) <= most or not 0 <= (more or 0) <= MOST_EXTRA:
            raise web.HTTPError(400)
        self._told = {**told, "manual_score": points, "extra_credit": more}
        decided = {"points": decimal(points), "extra_credit": decimal(more)}
        if await self.judged(grade, kind="points", **decided):
            super().put(grade_id)


class Comments(Judging, apihandlers.CommentHandler):  # type: ignore[misc]  # nbgrader is untyped
    """Keeps what a person writes about a cell."""

    @web.authenticated
    async def put(self, comment_id: str) -> None:
        """Write a comment."""
        try:
            comment = self.gradebook.find_comment_by_id(comment_id)
            told = self.get_json_body()
            text = told.get("manual_comment") or ""
        except MissingEntry as error:
            raise web.HTTPError(404) from error
        except (AttributeError, TypeError, ValueError) as error:
            raise web.HTTPError(400) from error
        if not isinstance(text, str) or len(text) > MOST_COMMENT:
            raise web.HTTPError(400)
        self._told = {**told, "manual_comment": text}
        if await self.judged(comment, kind="comment", comment=text):
            super().put(comment_id)


def _number(value: object) -> float | None:
    """Return a number that JSON holds as number or text.

    Raises:
        ValueError: It is none, or not finite.
    """
    if value is None or value == "":
        return None
    found = float(str(value))
    if not math.isfinite(found):
        raise ValueError(value)
    return found


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
