"""No body is read that is too large, too slow, or of somebody without a token."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Form, Request
from fastapi.responses import PlainTextResponse

from bioskills.base.places import database_url, places_of
from bioskills.base.settings import Settings
from bioskills.base.store import ensure_schema
from bioskills.hub.campus.__main__ import make_site
from bioskills.hub.campus.app import create_app
from bioskills.hub.campus.bodies import FORM_BYTES, GRADER_BYTES, Patience, body_limit
from bioskills.hub.campus.headers import Guard

HOST = b"campus--service.hub.localhost:8000"
PREFIX = "/services/campus/"
GRADER = PREFIX + "api/v1/grader/jobs/1/result"
RUN = PREFIX + "exchange/v1/runs/spring/"
UPLOADS = [
    ("PUT", RUN + "assignments/p1/release"),
    ("POST", RUN + "assignments/p1/submissions"),
    ("PUT", RUN + "submissions/1/feedback-html"),
]
GRADER_BODIES = [("POST", GRADER), ("POST", PREFIX + "api/v1/grader/jobs/1/fail")]
TOKEN = "grader-token-0123456789"


class Sender:
    """A caller that sends pieces, and counts how many were taken."""

    def __init__(self, piece: bytes, pieces: int, pause_s: float = 0) -> None:
        self.piece, self.left, self.pause_s = piece, pieces, pause_s
        self.taken = 0
        self.sent: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(self.pause_s)
        if not self.left:
            return {"type": "http.request", "body": b"", "more_body": False}
        self.left, self.taken = self.left - 1, self.taken + 1
        return {"type": "http.request", "body": self.piece, "more_body": True}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def ask(self, app: Any, method: str, path: str, token: str = "", kind: str = "") -> int:
        headers = [(b"host", HOST), (b"transfer-encoding", b"chunked")]
        headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
        headers += [(b"content-type", kind.encode())] if kind else []
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(),
            "headers": headers, "query_string": b"", "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8010), "scheme": "http", "root_path": "",
            "http_version": "1.1", "asgi": {"version": "3.0", "spec_version": "2.3"},
        }  # fmt: skip
        await app(scope, self.receive, self.send)
        statuses = [m["status"] for m in self.sent if m["type"] == "http.response.start"]
        assert len(statuses) == 1
        return int(statuses[0])

    @property
    def text(self) -> str:
        return b"".join(m.get("body", b"") for m in self.sent).decode()


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[FastAPI]:
    settings = Settings.model_validate({"paths": {"data_dir": str(tmp_path)}})
    places = places_of(settings)
    for folder in (places.campus, places.database):
        folder.mkdir(parents=True)
    for name in ("hub_token", "grader_token"):
        (places.campus / name).write_text(TOKEN)
        (places.campus / name).chmod(0o600)
    ensure_schema(database_url(settings))
    site = make_site(settings)
    assert site.grader_token_sha256 == hashlib.sha256(TOKEN.encode()).hexdigest()
    yield create_app(replace(site))
    site.store.close()
    site.hub.close()


def reading_app(**limits: float) -> FastAPI:
    app = FastAPI()
    app.add_middleware(Guard, settings=Settings(), patience=Patience(**limits))

    @app.post("/services/campus/api/form")
    async def form(text: Annotated[str, Form()]) -> PlainTextResponse:
        return PlainTextResponse(text)

    @app.api_route("/services/campus/{rest:path}", methods=["POST", "PUT"])
    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(sum([len(chunk) async for chunk in request.stream()])))

    return app


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        *((method, path, None) for method, path in UPLOADS),
        ("POST", GRADER, GRADER_BYTES),
        ("POST", PREFIX + "tokens", FORM_BYTES),
        ("POST", PREFIX + "api/v1/lab/x", FORM_BYTES),
        # An upload's address with another verb, or with more behind it, is no upload.
        ("PUT", RUN + "assignments/p1/submissions", FORM_BYTES),
        ("POST", RUN + "assignments/p1/release", FORM_BYTES),
        ("PUT", RUN + "assignments/p1/release/x", FORM_BYTES),
    ],
)
def test_only_the_three_uploads_have_no_limit_here(
    method: str, path: str, limit: int | None
) -> None:
    assert body_limit(method, path) == limit


@pytest.mark.parametrize(
    ("path", "limit"), [(GRADER, GRADER_BYTES), (PREFIX + "api/v1/lab/x", FORM_BYTES)]
)
async def test_a_body_without_a_length_is_cut_at_the_limit(path: str, limit: int) -> None:
    piece = b"x" * 65_536
    sender = Sender(piece, 10_000)

    status = await sender.ask(reading_app(), "POST", path)

    assert status == 413
    assert f"{limit // 1024 // 1024} MB" in sender.text
    assert sender.taken * len(piece) <= limit + len(piece)


async def test_a_body_at_the_limit_is_taken() -> None:
    sender = Sender(b"x" * (GRADER_BYTES // 8), 8)

    assert await sender.ask(reading_app(), "POST", GRADER) == 200
    assert sender.text == str(GRADER_BYTES)


async def test_a_parser_that_words_the_end_its_own_way_is_not_heard() -> None:
    sender = Sender(b"text=" + b"x" * 65_536 + b"&", 1000)

    status = await sender.ask(
        reading_app(),
        "POST",
        PREFIX + "api/form",
        kind="application/x-www-form-urlencoded",
    )

    assert (status, "too_large" in sender.text) == (413, True)


async def test_a_body_that_says_it_is_too_large_is_not_begun() -> None:
    transport = httpx.ASGITransport(reading_app(), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST.decode()}") as client:
        answer = await client.post(GRADER, headers={"Content-Length": str(GRADER_BYTES + 1)})

    assert answer.status_code == 413


async def test_an_upload_is_streamed_past_every_limit_here() -> None:
    sender = Sender(b"x" * 1_000_000, 12)

    assert await sender.ask(reading_app(), *UPLOADS[1]) == 200
    assert sender.text == "12000000"


@pytest.mark.parametrize(("method", "path"), [*UPLOADS, ("POST", GRADER)])
async def test_a_sender_that_falls_silent_is_told_so(method: str, path: str) -> None:
    sender = Sender(b"x", 5, pause_s=2)

    status = await sender.ask(reading_app(idle_s=0.05), method, path)

    assert (status, sender.taken) == (408, 0)
    assert "what you have stays where it is" in sender.text


async def test_a_sender_that_drips_is_ended_too() -> None:
    sender = Sender(b"x", 1000, pause_s=0.02)

    assert await sender.ask(reading_app(idle_s=5, whole_s=0.2), *UPLOADS[1]) == 408
    assert sender.taken < 20


async def test_an_answer_that_takes_long_is_not_cut() -> None:
    app = FastAPI()
    app.add_middleware(Guard, settings=Settings(), patience=Patience(idle_s=0.05, whole_s=0.1))

    @app.post(GRADER)
    async def slow(request: Request) -> PlainTextResponse:
        await request.body()
        await asyncio.sleep(0.2)
        return PlainTextResponse("done")

    sender = Sender(b"x", 1)

    assert await sender.ask(app, "POST", GRADER) == 200


@pytest.mark.parametrize(("method", "path"), [*UPLOADS, *GRADER_BODIES])
@pytest.mark.parametrize("token", ["", "two words"])
async def test_no_byte_is_read_before_the_caller_is_known(
    campus: FastAPI, method: str, path: str, token: str
) -> None:
    sender = Sender(b"{", 10_000)

    status = await sender.ask(campus, method, path, token, "application/json")

    assert (status, sender.taken) == (401, 0)


@pytest.mark.parametrize("piece", [b"{", b"[]", b'{"verdict": "graded"}', b"\xff"])
@pytest.mark.parametrize(("method", "path"), GRADER_BODIES)
async def test_what_the_grader_says_wrongly_is_refused_with_a_sentence(
    campus: FastAPI, method: str, path: str, piece: bytes
) -> None:
    sender = Sender(piece, 1)

    assert await sender.ask(campus, method, path, TOKEN) == 422
    assert "This was not understood: body" in sender.text
