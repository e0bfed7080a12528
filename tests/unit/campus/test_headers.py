"""Every answer is protected, and nothing is believed that a proxy could have been told."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from bioskills.base.settings import Settings
from bioskills.hub.campus.headers import FORM_BYTES, Guard, content_policy, is_for_programs

PUBLIC = "http://campus--service.hub.localhost:8000"
PAGE, PROGRAM, STATIC = (
    "/services/campus/page",
    "/services/campus/api/v1/x",
    "/services/campus/static/campus.css",
)

Ask = Callable[..., Any]


def app_of(settings: Settings) -> FastAPI:
    app = FastAPI()
    app.add_middleware(Guard, settings=settings)

    @app.api_route("/services/campus/{rest:path}", methods=["GET", "POST"])
    def anything(request: Request) -> PlainTextResponse:
        loose = {
            "Content-Security-Policy": "default-src *",
            "Cache-Control": "public",
            "X-Frame-Options": "ALLOW",
        }
        return PlainTextResponse(str(request.url.path), headers=loose)

    return app


@pytest.fixture
def ask() -> Ask:
    async def send(
        path: str, method: str = "GET", peer: str = "127.0.0.1", **options: Any
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app_of(Settings()), client=(peer, 50000))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as client:
            return await client.request(method, path, **options)

    return send


async def test_every_answer_carries_the_policy_and_no_route_can_weaken_it(ask: Ask) -> None:
    answer = await ask(PAGE)

    assert answer.headers.get_list("content-security-policy") == [content_policy(Settings())]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-frame-options"] == "DENY"


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    policy = dict(part.strip().split(" ", 1) for part in content_policy(Settings()).split(";"))

    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "form-action": "'self' http://hub.localhost:8000",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (PAGE, "no-store"),
        (PROGRAM, "no-store"),
        (STATIC, "no-cache"),
        (STATIC + "?v=0123", "public, max-age=31536000, immutable"),
        (PAGE + "?v=0123", "no-store"),
    ],
)
async def test_no_cache_keeps_a_page(ask: Ask, path: str, kept: str) -> None:
    assert (await ask(path)).headers.get_list("cache-control") == [kept]


@pytest.mark.parametrize(
    ("host", "page", "program"),
    [
        ("campus--service.hub.localhost:8000", 200, 200),
        # Labs and the grader call over loopback; a browser never does.
        (f"127.0.0.1:{Settings().network.campus_port}", 421, 200),
        (f"localhost:{Settings().network.campus_port}", 421, 421),
        ("hub.localhost:8000", 421, 421),
        ("max.hub.localhost:8000", 421, 421),
        ("evil.example", 421, 421),
        ("", 421, 421),
    ],
)
async def test_the_campus_answers_to_its_own_name_alone(
    ask: Ask, host: str, page: int, program: int
) -> None:
    found = [(await ask(path, headers={"Host": host})).status_code for path in (PAGE, PROGRAM)]

    assert found == [page, program]


async def test_the_forwarded_host_is_not_the_host(ask: Ask) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "campus--service.hub.localhost:8000"}

    assert (await ask(PAGE, headers=forged)).status_code == 421


@pytest.mark.parametrize(
    ("peer", "status"), [("127.0.0.1", 200), ("::1", 200), ("10.0.0.9", 403), ("nonsense", 403)]
)
async def test_only_a_peer_on_this_machine_is_served(ask: Ask, peer: str, status: int) -> None:
    answer = await ask(PAGE, peer=peer, headers={"X-Forwarded-For": "127.0.0.1"})

    assert answer.status_code == status


async def test_a_refusal_of_the_guard_is_protected_too(ask: Ask) -> None:
    answer = await ask(PAGE, headers={"Host": "evil.example"})

    assert answer.headers["content-security-policy"] == content_policy(Settings())
    assert answer.json()["next"] == "Use campus--service.hub.localhost:8000."


@pytest.mark.parametrize(
    ("fetch", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
        # A link from a lab or a mail is followed; its session decides the rest.
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, 403),
    ],
)
async def test_a_page_of_another_origin_cannot_load_ours(
    ask: Ask, fetch: dict[str, str], status: int
) -> None:
    assert (await ask(PAGE, headers=fetch)).status_code == status


@pytest.mark.parametrize(
    ("framing", "status"),
    [
        ({"Content-Length": str(FORM_BYTES)}, 200),
        ({"Content-Length": str(FORM_BYTES + 1)}, 413),
        ({"Content-Length": "-1"}, 413),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
async def test_a_form_is_not_read_without_end(
    ask: Ask, framing: dict[str, str], status: int
) -> None:
    assert (await ask(PAGE, "POST", headers=framing)).status_code == status


@pytest.mark.parametrize(
    ("path", "programs"),
    [
        ("/services/campus/api/v1/x", True),
        ("/services/campus/exchange/v1/x", True),
        ("/services/campus/apix", False),
    ],
)
def test_pages_and_programs_are_told_apart_by_path(path: str, programs: bool) -> None:
    assert is_for_programs(path) is programs
