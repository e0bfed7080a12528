"""Speak to the fork server.

Law: the request goes first, the payload only after the child is there. Errors
are one kind, `RefusedError`, with the code that the server gave.
"""

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioskills.fork_server import wire

UNREACHABLE = "unreachable"
SHORT_S = 10.0


class RefusedError(Exception):
    """The server did not do it.

    Attributes:
        code: Why, one of the codes of `wire`, or *unreachable*.
        details: Numbers that belong to it.
    """

    def __init__(self, code: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.details = dict(details or {})


class Line:
    """A connection for one request, asynchronous."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, path: Path) -> "Line":
        """Connect.

        Raises:
            RefusedError: Nobody listens there.
        """
        try:
            return cls(*await asyncio.open_unix_connection(str(path)))
        except OSError as error:
            raise RefusedError(UNREACHABLE) from error

    async def say(self, message: Mapping[str, Any]) -> None:
        """Send one line."""
        try:
            self._writer.write(wire.line_of(message))
            await self._writer.drain()
        except OSError as error:
            raise RefusedError(UNREACHABLE) from error

    async def hear(self, timeout_s: float) -> dict[str, Any]:
        """Return the next line.

        Raises:
            RefusedError: A failure was told, or the connection ended.
            TimeoutError: Nothing came in time.
        """
        try:
            line = await asyncio.wait_for(self._reader.readline(), timeout_s)
        except OSError as error:
            raise RefusedError(UNREACHABLE) from error
        return _told(line)

    def close(self) -> None:
        """End it."""
        self._writer.close()


async def ask(path: Path, request: Mapping[str, Any], timeout_s: float = 60.0) -> dict[str, Any]:
    """Return the answer to a request that has no payload.

    Raises:
        RefusedError: With the server's code.
        TimeoutError: No answer in time.
    """
    line = await Line.open(path)
    try:
        await line.say(request)
        return await line.hear(timeout_s)
    finally:
        line.close()


def ask_now(path: Path, request: Mapping[str, Any], timeout_s: float = SHORT_S) -> dict[str, Any]:
    """Return the answer to a request, waiting for it in this thread.

    Raises:
        RefusedError: With the server's code.
        TimeoutError: No answer in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(path))
            connection.sendall(wire.line_of(request))
            with connection.makefile("rb") as file:
                return _told(file.readline())
        except TimeoutError:
            raise
        except OSError as error:
            raise RefusedError(UNREACHABLE) from error


def _told(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise RefusedError(wire.ENDED_BEFORE_READY)
    message: dict[str, Any] = json.loads(line)
    if "failed" in message:
        raise RefusedError(str(message["failed"]), message)
    return message
