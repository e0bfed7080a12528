"""Answer the calls that are ours, or nbgrader's with our bounds.

Law: points are of the size that a cell can have, since the campus refuses a result with
others; a grading is asked for, never done here; what the platform does elsewhere is
refused in a sentence.
"""

import json
import math
from typing import Any

from nbgrader.api import MissingEntry
from nbgrader.server_extensions.formgrader import apihandlers
from tornado import web

from bioskills.base.text import _, ngettext
from bioskills.graders.formgrader.again import CampusError, words_of
from bioskills.graders.formgrader.guard import Guarded

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


class Points(Guarded, apihandlers.GradeHandler):  # type: ignore[misc]  # nbgrader is untyped
    """Gives points, of the size that the cell can have: the campus refuses all others."""

    SUPPORTED_METHODS = WRITES

    @web.authenticated
    def put(self, grade_id: str) -> None:
        """Write points; nbgrader's page sends them as text."""
        try:
            most = float(self.gradebook.find_grade_by_id(grade_id).max_score or 0)
            told = self.get_json_body()
            points, more = (_number(told.get(k)) for k in ("manual_score", "extra_credit"))
        except MissingEntry as error:
            raise web.HTTPError(404) from error
        except (AttributeError, TypeError, ValueError) as error:
            raise web.HTTPError(400) from error
        if not 0 <= (points or 0) <= most or not 0 <= (more or 0) <= MOST_EXTRA:
            raise web.HTTPError(400)
        self._told = {**told, "manual_score": points, "extra_credit": more}
        super().put(grade_id)

    def get_json_body(self) -> Any:
        """Return what was sent, its numbers as numbers."""
        return getattr(self, "_told", None) or super().get_json_body()


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
