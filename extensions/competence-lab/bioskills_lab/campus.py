"""Talk to the campus with the token of this server.

Law: every call ends in time; where no answer comes it ends in a sentence. The
token is sent to the one configured address and to no other: no redirect is
followed and no proxy of the environment is used.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, BinaryIO

import httpx

from bioskills_lab.problems import Refused, no_answer, strange_answer
from bioskills_lab.words import _, language

ADDRESS = "BIOSKILLS_CAMPUS_API"
TOKEN = "JUPYTERHUB_API_TOKEN"  # noqa: S105  # the name of the variable, not its value
VERSION_HEADER = "X-Bioskills-Version"
CONNECT_S = 3.0
ANSWER_S = 20.0
HAND_IN_S = 60.0
CHUNK = 1 << 16


class Campus:
    """The campus as one lab sees it."""

    def __init__(self, address: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=address.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {token}"},
            event_hooks={"request": [_in_the_reader_s_language]},
            timeout=httpx.Timeout(HAND_IN_S, connect=CONNECT_S),
            trust_env=False,
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def overview(self) -> dict[str, Any]:
        """Fetch everything the panel shows."""
        return await self._json("api/v1/lab/overview")

    async def feedback(self, submission_id: int) -> dict[str, Any]:
        """Fetch what came back for one hand-in."""
        return await self._json(f"api/v1/lab/feedback/{submission_id}")

    async def progress(self, submission_id: int) -> dict[str, Any]:
        """Fetch where the grading of one hand-in is."""
        return await self._json(f"api/v1/lab/progress/{submission_id}")

    async def release(self, run: str, assignment: str, into: BinaryIO, cap: int) -> int | None:
        """Fetch the released tree as tar; give the number of its version."""
        path = f"exchange/v1/runs/{run}/assignments/{assignment}/release"
        headers = await self._tree(path, into, cap)
        version = headers.get(VERSION_HEADER, "")
        return int(version) if version.isdigit() else None

    async def materials(self, run: str, into: BinaryIO, cap: int) -> None:
        """Fetch README, lessons, data and pictures of a run as tar."""
        await self._tree(f"api/v1/lab/runs/{run}/materials", into, cap)

    async def hand_in(
        self, run: str, assignment: str, tree: BinaryIO, version: int | None
    ) -> dict[str, Any]:
        """Send a tree; give the receipt."""
        path = f"exchange/v1/runs/{run}/assignments/{assignment}/submissions"
        tree.seek(0, os.SEEK_END)
        headers = {"Content-Type": "application/x-tar", "Content-Length": str(tree.tell())}
        if version is not None:
            headers[VERSION_HEADER] = str(version)
        tree.seek(0)
        async with _in_time(HAND_IN_S):
            answer = await self._client.post(path, content=_chunks(tree), headers=headers)
        return _body(answer)

    async def _json(self, path: str) -> dict[str, Any]:
        async with _in_time(ANSWER_S):
            answer = await self._client.get(path)
        return _body(answer)

    async def _tree(self, path: str, into: BinaryIO, cap: int) -> httpx.Headers:
        async with _in_time(ANSWER_S), self._client.stream("GET", path) as answer:
            if answer.status_code != HTTPStatus.OK:
                await answer.aread()
                raise _refusal(answer)
            received = 0
            async for chunk in answer.aiter_bytes(CHUNK):
                received += len(chunk)
                if received > cap:
                    raise strange_answer(_("more than {mb} MB of files").format(mb=cap >> 20))
                await asyncio.to_thread(into.write, chunk)
        into.seek(0)
        return answer.headers


def campus_of_environment() -> Campus:
    """Make the client from the variables that the hub sets for this server.

    Raises:
        Refused: This server was not started by the hub.
    """
    address, token = os.environ.get(ADDRESS, ""), os.environ.get(TOKEN, "")
    if not address.startswith(("http://", "https://")) or not token:
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "no_campus",
            _("This server does not know its campus. Your files are not touched."),
            _("Ask the administrator to set {name} for learners' servers.").format(name=ADDRESS),
        )
    return Campus(address, token)


async def _in_the_reader_s_language(request: httpx.Request) -> None:
    request.headers["Accept-Language"] = language()


@asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except (TimeoutError, httpx.TimeoutException):
        raise no_answer(HTTPStatus.GATEWAY_TIMEOUT) from None
    except httpx.HTTPError:
        raise no_answer() from None


async def _chunks(tree: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(tree.read, CHUNK):
        yield chunk


def _body(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise _refusal(answer)
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise strange_answer(_("no JSON object"))
    return body


def _refusal(answer: httpx.Response) -> Refused:
    """Pass the campus's own sentence on, or make one."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        step = body.get("next")
        word = str(body.get("error", "refused"))
        return Refused(
            answer.status_code, word, body["message"], step if isinstance(step, str) else ""
        )
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return no_answer()
    return strange_answer(_("status {status}").format(status=answer.status_code))
