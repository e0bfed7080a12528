"""Let no body of a request be larger, or slower, than its kind may be.

Law: bytes are counted as they arrive, whatever the headers said. Only the three
uploads of the exchange may be long: they go to disk piece by piece, under a limit
of their own (`transfers.py`). Nothing waits for a silent sender without end.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from bioskills.base.text import _
from bioskills.base.wire import CAMPUS_PREFIX, Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Refusing = tuple[HTTPStatus, Refusal]

FORM_BYTES = 2 * 1024 * 1024
"""Most bytes of a form of ours; trees and courses go through the exchange."""
GRADER_BYTES = 8 * 1024 * 1024
"""Most bytes of what the grader says in JSON: a result with the learner's answers."""
MB = 1024 * 1024
COURSE_BYTES = 72 * MB
"""Most bytes of an uploaded course: what a course may hold, and the ZIP around it."""
COURSE_UPLOAD = f"{CAMPUS_PREFIX}course-versions/uploads"

_GRADER = f"{CAMPUS_PREFIX}api/v1/grader/"
_RUN = re.escape(f"{CAMPUS_PREFIX}exchange/v1/runs/") + "[^/]+"
_UPLOADS = {
    "PUT": re.compile(f"{_RUN}/(assignments/[^/]+/release|submissions/[^/]+/feedback-html)"),
    "POST": re.compile(f"{_RUN}/assignments/[^/]+/submissions"),
}


@dataclass(frozen=True)
class Patience:
    """How long a sender may take.

    Attributes:
        idle_s: Without a single byte.
        whole_s: Until the last byte.
    """

    idle_s: float = 60
    whole_s: float = 600


def body_limit(method: str, path: str) -> int | None:
    """Return the most bytes that a request may carry; None where its route streams it to disk."""
    upload = _UPLOADS.get(method)
    if upload and upload.fullmatch(path):
        return None
    if path == COURSE_UPLOAD:
        return COURSE_BYTES
    return GRADER_BYTES if path.startswith(_GRADER) else FORM_BYTES


def too_large(limit: int) -> Refusing:
    """Return the refusal of a body above the limit."""
    message = _("This is larger than the {n} MB that are accepted here, so nothing of it was kept.")
    refusal = Refusal(
        error="too_large", message=message.format(n=limit // MB), next=_("Send less at once.")
    )
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, refusal


class BodyEndedError(Exception):
    """The route will get no more of this body; the meter has the answer ready."""


class Meter:
    """Stand between a route and its caller, and count.

    The route is ended by an exception where it reads; whatever is made of that on
    the way out is thrown away, and the caller gets the meter's answer.
    """

    def __init__(self, receive: Receive, send: Send, limit: int | None, patience: Patience) -> None:
        self._receive, self._send = receive, send
        self._limit, self._patience = limit, patience
        self._until = asyncio.get_running_loop().time() + patience.whole_s
        self._bytes, self._ended, self._answered = 0, False, False
        self._refusal: Refusing | None = None

    async def run(self, app: App, scope: Scope) -> None:
        """Serve the request, or answer in the route's place."""
        try:
            await app(scope, self._next, self._answer)
        except Exception:
            # A parser may have made another error of ours.
            if self._refusal is None:
                raise
        if self._refusal and not self._answered:
            await refuse(self._refusal, self._send)

    async def _next(self) -> Message:
        # After the body, and after the answer, this is how a route waits for the caller to leave.
        if self._ended or self._answered:
            return await self._receive()
        message = await self._in_time()
        self._bytes += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._limit is not None and self._bytes > self._limit:
            raise self._end(too_large(self._limit))
        return message

    async def _in_time(self) -> Message:
        left = self._until - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(self._patience.idle_s, left)):
                return await self._receive()
        except TimeoutError:
            raise self._end(_too_slow(self._patience)) from None

    def _end(self, refusal: Refusing) -> BodyEndedError:
        self._refusal = self._refusal or refusal
        return BodyEndedError()

    async def _answer(self, message: Message) -> None:
        if self._refusal and not self._answered:
            return
        self._answered = True
        await self._send(message)


async def refuse(refusing: Refusing, send: Send) -> None:
    """Answer with a refusal in JSON."""
    status, words = refusing
    body = json.dumps(words.model_dump()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == HTTPStatus.REQUEST_TIMEOUT:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _too_slow(patience: Patience) -> Refusing:
    message = _(
        "This stopped arriving: for {idle} seconds nothing came, or it took longer than {whole} "
        "seconds. Nothing of it was kept; what you have stays where it is."
    ).format(idle=f"{patience.idle_s:g}", whole=f"{patience.whole_s:g}")
    refusal = Refusal(error="too_slow", message=message, next=_("Send it again."))
    return HTTPStatus.REQUEST_TIMEOUT, refusal
