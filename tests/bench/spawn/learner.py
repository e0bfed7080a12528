"""One learner at a computer: signs in, starts the lab, opens a notebook, runs three cells.

Law: a learner has a learner's rights. The token is the one that anybody makes on
the hub's *Token* page after signing in by the form; nothing is opened for it. A
cell is over when its reply **and** the idle state came: output may follow the reply.
"""

import asyncio
import json
import re
import socket
import time
import uuid
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

PATIENCE_S = 300
CELL_S = 120
READ_BYTES = 1 << 20
CELLS = (
    ("first_reply", "print(1 + 1)", "2"),
    (
        "imports",
        """import pandas as pd
from Bio.Seq import Seq
print(pd.DataFrame({"a": [1, 2]}).a.sum(), Seq("ATGC").reverse_complement())""",
        "3 GCAT",
    ),
    ("cell", "from collections import Counter\nprint(Counter('ACGT' * 1000)['G'])", "1000"),
)
OPENED = ("lab/api/settings", "api/kernelspecs", "api/contents?content=1")


class LostError(Exception):
    """A learner did not get through."""


class ThisMachine(AbstractResolver):
    """Every host name is this machine; the Host header stays."""

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: Any = 0,  # noqa: ARG002 - aiohttp gives it
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


def browser(token: str = "") -> aiohttp.ClientSession:
    """Return a new browser, with a learner's token or with cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=ThisMachine(), limit=0),
        cookie_jar=aiohttp.DummyCookieJar() if token else aiohttp.CookieJar(unsafe=True),
        headers={"Authorization": f"token {token}"} if token else {},
        timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
        read_bufsize=READ_BYTES,
    )


async def make_token(hub: str, name: str, password: str) -> str:
    """Sign in by the form and make a token as the *Token* page does."""
    async with browser() as page:
        form = await (await page.get(f"{hub}/hub/login")).text()
        data = {"username": name, "password": password, "_xsrf": _found(XSRF_FIELD, form)}
        await page.post(f"{hub}/hub/login", data=data, allow_redirects=False)
        tokens = await (await page.get(f"{hub}/hub/token")).text()
        answer = await page.post(
            f"{hub}/hub/api/users/{name}/tokens",
            params={"_xsrf": _found(XSRF_SCRIPT, tokens)},
            headers={"Referer": f"{hub}/hub/token"},
            json={"note": "bench", "expires_in": 7200},
        )
        if answer.status != 201:
            raise LostError(f"{name} got no token: {answer.status} {(await answer.text())[:200]}")
        return (await answer.json())["token"]


XSRF_FIELD = re.compile(r'name="_xsrf" value="([^"]+)"')
XSRF_SCRIPT = re.compile(r'xsrf_token: "([^"]+)"')


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    if not match:
        raise LostError(f"{pattern.pattern} is not on the page: {text[:300]}")
    return match[1]


class Learner:
    """One person; `times` holds seconds by step."""

    def __init__(self, name: str, hub: str, lab: str, token: str) -> None:
        self.name, self.hub, self.lab = name, f"{hub}/hub/api/users/{name}", lab
        self.browser = browser(token)
        self.times: dict[str, float] = {}
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    async def arrive(self) -> None:
        """Click *Start*, watch the progress, see the Lab page."""
        began = time.monotonic()
        await self._call("POST", f"{self.hub}/server")
        await self._ready()
        self.times["ready"] = time.monotonic() - began
        page = await self._call("GET", f"{self.lab}/lab")
        if b"jupyter-config-data" not in page:
            raise LostError(f"not a Lab page: {page[:200]!r}")
        self.times["page"] = time.monotonic() - began

    async def _ready(self) -> None:
        async with self.browser.get(f"{self.hub}/server/progress") as answer:
            async for line in answer.content:
                event = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if event.get("failed"):
                    raise LostError(f"the lab did not start: {event.get('message')}")
                if event.get("ready"):
                    return
        raise LostError("the progress ended without a lab")

    async def work(self) -> None:
        """Open a notebook and run the cells."""
        began = time.monotonic()
        for path in OPENED:
            await self._call("GET", f"{self.lab}/{path}")
        self.times["opened"] = time.monotonic() - began
        began = time.monotonic()
        await self._open_notebook(began)
        for step, code, wanted in CELLS:
            said = await asyncio.wait_for(self.run(code), CELL_S)
            if said.strip() != wanted:
                raise LostError(f"{step} said {said[-300:]!r}")
            self.times[step] = time.monotonic() - began
            began = time.monotonic()

    async def _open_notebook(self, began: float) -> None:
        kernel = json.loads(await self._call("GET", f"{self.lab}/api/kernelspecs"))["default"]
        wish = {"path": "a.ipynb", "name": "a.ipynb", "type": "notebook"}
        made = await self._call(
            "POST", f"{self.lab}/api/sessions", json={**wish, "kernel": {"name": kernel}}
        )
        self.times["session"] = time.monotonic() - began
        found = json.loads(made)["kernel"]["id"]
        self.session = uuid.uuid4().hex
        self.socket = await self.browser.ws_connect(
            f"{self.lab}/api/kernels/{found}/channels?session_id={self.session}", max_msg_size=0
        )
        self.times["connected"] = time.monotonic() - began

    async def run(self, code: str) -> str:
        """Return what a cell printed, when its reply and the idle state have come."""
        number, said, waits_for = uuid.uuid4().hex, "", {"execute_reply", "idle"}
        await self.socket.send_json(self._request(number, code))
        async for frame in self.socket:
            message = json.loads(frame.data)
            if message["parent_header"].get("msg_id") != number:
                continue
            content = message["content"]
            said += content.get("text", "") + content.get("evalue", "")
            waits_for -= {message["msg_type"], content.get("execution_state")}
            if not waits_for:
                return said
        raise LostError("the connection to the kernel ended")

    def _request(self, number: str, code: str) -> dict[str, Any]:
        header = {"msg_id": number, "username": self.name, "session": self.session}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        return {
            "channel": "shell",
            "header": {
                **header,
                "msg_type": "execute_request",
                "version": "5.3",
                "date": "2026-01-01T00:00:00Z",
            },
            "parent_header": {},
            "metadata": {},
            "content": {**content, "user_expressions": {}, "stop_on_error": True},
            "buffers": [],
        }

    async def leave(self) -> None:
        """Stop the lab and close the browser."""
        if self.socket:
            await self.socket.close()
        try:
            await self._call("DELETE", f"{self.hub}/server")
        finally:
            await self.browser.close()

    async def _call(self, method: str, url: str, **options: Any) -> bytes:
        async with self.browser.request(method, url, **options) as answer:
            body = await answer.read()
            if answer.status >= 400:
                raise LostError(f"{method} {url}: {answer.status} {body[:200]!r}")
            return body
