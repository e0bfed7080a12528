"""What a lab may use, asked of whoever holds it: numbers, or nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from bioskills_lab import limits

USAGE = {"room": True, "memory": {"now": 1, "limit": 2, "oom_kills": 0}}
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def warden(path: Path, answer: bytes, asked: list[bytes]) -> AsyncIterator[None]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(serve, path):
        yield


async def test_the_numbers_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    monkeypatch.setenv(limits.SOCKET, str(tmp_path / "w"))
    async with warden(tmp_path / "w", json.dumps(USAGE).encode() + b"\n", asked):
        assert await limits.limits() == {"known": True, **USAGE}
    assert [json.loads(line) for line in asked] == [{"op": "usage"}]


@pytest.mark.parametrize(
    "answer", [b"", b"[]\n", b"not json\n", b'{"failed":"busy"}\n', b"{" * 70_000 + b"\n"]
)
async def test_a_strange_answer_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setenv(limits.SOCKET, str(tmp_path / "w"))
    async with warden(tmp_path / "w", answer, []):
        assert await limits.limits() == {"known": False}


async def test_one_who_never_answers_is_waited_for_a_moment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(limits.SOCKET, str(tmp_path / "w"))
    monkeypatch.setattr(limits, "ANSWER_S", 0.1)
    ended = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    async with await asyncio.start_unix_server(silent, tmp_path / "w"):
        assert await limits.limits() == {"known": False}
        ended.set()


@pytest.mark.parametrize("path", ["", "/nowhere/at/all"])
async def test_where_nobody_holds_the_lab_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv(limits.SOCKET, path)

    assert await limits.limits() == {"known": False}
