"""A caller that says nothing takes no place for long, and a full table of files fills no log."""

import asyncio
import errno
import logging
import resource
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from bioskills.base.settings import Settings
from bioskills.hub.campus import __main__ as service
from bioskills.hub.campus.connections import OnceAMinute, PromptProtocol

WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SHORT_S = 0.3


class Hasty(PromptProtocol):
    header_s = SHORT_S


async def slow_app(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * SHORT_S)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(
        slow_app, port=0, http=Hasty, lifespan="off", log_level="error", timeout_keep_alive=30
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the library has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def heard(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Return all that was answered until the other end closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause_s)
        async with asyncio.timeout(100 * SHORT_S):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("begin", [(), (b"GET / HTTP/1.1\r\n",), (b"GET /slow HT",)])
async def test_a_caller_that_asks_nothing_is_closed(port: int, begin: tuple[bytes, ...]) -> None:
    assert await heard(port, *begin) == b""


async def test_headers_that_come_drop_by_drop_are_closed_too(port: int) -> None:
    drops = [WHOLE[:-2], *(b"A: 1\r\n" for _n in range(12))]

    assert await heard(port, *drops, pause_s=SHORT_S / 8) == b""


async def test_an_answer_may_take_longer_than_the_headers(port: int) -> None:
    last = WHOLE.replace(b"GET /", b"GET /slow").replace(
        b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"
    )

    assert (await heard(port, last)).endswith(b"ok")


async def test_the_second_request_of_a_connection_has_the_same_limit(port: int) -> None:
    answer = await heard(port, WHOLE, b"GET /", pause_s=0.1)

    assert answer.endswith(b"ok")


async def test_the_rest_of_a_refused_body_is_not_awaited_for_ever(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"

    assert (await heard(port, head, b"x", b"x", pause_s=0.05)).endswith(b"ok")


def test_the_service_sets_every_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "create_app", lambda _site: slow_app)
    config = service.server_config(SimpleNamespace(settings=Settings()))  # type: ignore[arg-type]

    assert config.http is PromptProtocol
    assert config.ws == "none"
    assert config.limit_concurrency == 600
    assert config.timeout_keep_alive <= 10
    assert PromptProtocol.header_s <= 30


def line(error: Exception | None) -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    return logging.LogRecord("asyncio", logging.ERROR, "", 0, "socket.accept()", None, info)  # type: ignore[arg-type]


def test_no_file_left_is_said_once_a_minute() -> None:
    moment = [100.0]
    once = OnceAMinute(lambda: moment[0])
    full = line(OSError(errno.EMFILE, "Too many open files"))

    assert [once.filter(full) for _n in range(3)] == [True, False, False]
    moment[0] += 61
    assert once.filter(full)


@pytest.mark.parametrize("error", [None, OSError(errno.EPIPE, "x"), ValueError("x")])
def test_every_other_error_is_said_each_time(error: Exception | None) -> None:
    once = OnceAMinute(lambda: 100.0)

    assert [once.filter(line(error)) for _n in range(3)] == [True, True, True]


def test_serving_begins_with_the_filter_and_the_most_files_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(service, "server_config", lambda _site: "config")
    monkeypatch.setattr(
        service.uvicorn, "Server", lambda c: SimpleNamespace(run=lambda: told.update(c=c))
    )
    logger, before = logging.getLogger("asyncio"), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], 256), before[1]))
    try:
        service.serve(SimpleNamespace())  # type: ignore[arg-type]
        assert [type(f) for f in logger.filters] == [OnceAMinute]
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        logger.filters.clear()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert told == {"c": "config"}
