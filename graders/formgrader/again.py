"""Let *Autograde* ask the campus, which queues the grading; tell it what a person judges.

Law: nothing is graded in this process, so nobody waits for it: the button's request
ends when the wish is noted, and the page asks now and then how far it is. The person
is named to the campus, which looks up whether they teach the run.
"""

import json
import os
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from tornado import httpclient

from bioskills.base.text import _, ngettext
from bioskills.base.wire import (
    AssignmentGradings,
    GradeAgain,
    Judgement,
    LearnerGrading,
    Refusal,
    Sight,
)

TIMEOUT_S = 10.0
MOST_REMEMBERED = 1000


class CampusError(Exception):
    """The campus did not do it; the text says why, for the instructor."""


class CampusDesk:
    """The campus's routes for formgraders, asked without keeping anybody waiting."""

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        self._url = variables["BIOSKILLS_CAMPUS_URL"] + "api/v1/formgrader"
        self._headers = {"Authorization": f"Bearer {variables['BIOSKILLS_RUN_TOKEN']}"}
        self._age_s = float(variables["BIOSKILLS_PERMISSIONS_AGE_S"])
        self._known: dict[str, float] = {}

    async def teaches(self, name: str) -> bool:
        """Say whether this person is instructor or assessor of the run; believed for some seconds.

        Raises:
            CampusError: The campus is away.
        """
        if self._is_fresh(name):
            return True
        answer = await self._ask("GET", f"/instructors/{quote(name, safe='')}")
        if answer.code == HTTPStatus.FORBIDDEN:
            self._known.pop(name, None)
            return False
        _check(answer)
        self._remember(name)
        return True

    async def note(self, seen: Sight) -> None:
        """Have noted what somebody is about to see; once for some seconds.

        Raises:
            CampusError: It was refused, or the campus is away: then it must not be shown.
        """
        key = seen.model_dump_json()
        if not self._is_fresh(key):
            _check(await self._ask("POST", "/looks", key))
            self._remember(key)

    def _is_fresh(self, key: str) -> bool:
        return time.monotonic() - self._known.get(key, float("-inf")) < self._age_s

    def _remember(self, key: str) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = time.monotonic()

    async def grade(self, assignment: str, by: str, learner: str = "") -> list[LearnerGrading]:
        """Queue gradings of the newest hand-ins, of one learner or of all.

        Raises:
            CampusError: It was refused, or the campus is away.
        """
        body = GradeAgain(by=by, learner=learner).model_dump_json()
        return _gradings(await self._ask("POST", _path(assignment), body))

    async def gradings(self, assignment: str) -> list[LearnerGrading]:
        """Return how far the gradings of an assignment are.

        Raises:
            CampusError: The campus is away.
        """
        return _gradings(await self._ask("GET", _path(assignment)))

    async def judge(self, assignment: str, judgement: Judgement) -> None:
        """Have written down what a person is about to save.

        Raises:
            CampusError: It was refused, or the campus is away.
        """
        path = f"/assignments/{quote(assignment, safe='')}/judgements"
        _check(await self._ask("POST", path, judgement.model_dump_json()))

    async def _ask(
        self, method: str, path: str, body: str | None = None
    ) -> httpclient.HTTPResponse:
        client = httpclient.AsyncHTTPClient()
        try:
            return await client.fetch(
                self._url + path,
                raise_error=False,
                method=method,
                headers={**self._headers, "Content-Type": "application/json"},
                body=body,
                request_timeout=TIMEOUT_S,
                connect_timeout=TIMEOUT_S,
            )
        except (OSError, httpclient.HTTPError) as error:
            raise CampusError(_away()) from error


def words_of(grading: LearnerGrading) -> str:
    """Return what the page shows of a grading."""
    match grading.state:
        case "queued":
            text = ngettext("waiting, {n} before it", "waiting, {n} before it", grading.before)
            return text.format(n=grading.before)
        case "running" if grading.of:
            return _("being graded, {done} of {of} cells").format(done=grading.done, of=grading.of)
        case "running":
            return _("being graded")
        case "failed":
            return grading.message or _("it could not be graded")
        case _:
            return ""


def _path(assignment: str) -> str:
    return f"/assignments/{quote(assignment, safe='')}/gradings"


def _gradings(answer: httpclient.HTTPResponse) -> list[LearnerGrading]:
    _check(answer)
    return AssignmentGradings.model_validate_json(answer.body).gradings


def _check(answer: httpclient.HTTPResponse) -> None:
    if answer.code < HTTPStatus.BAD_REQUEST:
        return
    try:
        refusal: Any = Refusal.model_validate(json.loads(answer.body or b"{}"))
    except ValueError as error:
        raise CampusError(_away()) from error
    raise CampusError(f"{refusal.message} {refusal.next}".strip())


def _away() -> str:
    return _("The campus does not answer at present. Nothing is lost; try again in a minute.")
