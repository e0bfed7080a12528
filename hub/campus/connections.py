"""Keep a few connections from taking the place of all others.

Law: a connection that asks nothing is closed in a while; there are never more of
them than the service can hold; a full table of files is said once a minute.
"""

import asyncio
import errno
import logging
import resource
import time
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 600
"""More are answered 503; each may hold a file and some 100 KB."""
KEEP_ALIVE_S = 5
HEADER_S = 20.0
"""Longest time from the first moment of a connection, or of a request, to its last header."""
_ONCE_IN_S = 60.0
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class PromptProtocol(H11Protocol):
    """HTTP/1.1 whose callers must say in time what they want.

    The server library has no such limit. It covers a connection that says nothing,
    headers that come drop by drop, and the rest of a body that nobody reads any more.
    """

    header_s = HEADER_S
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the library
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on waiting from the first byte of a request until its headers are whole."""
        self._wait()
        super().data_received(data)
        if self._is_answering():
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        # The library sets the cycle with the first request only.
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        if self._patience is None and not self._is_answering():
            self._patience = self.loop.call_later(self.header_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if not self._is_answering() and not self.transport.is_closing():
            self.transport.close()


class OnceAMinute(logging.Filter):
    """Let one line a minute through of those that say that no file is left for a connection."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._again = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a line is written."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, OSError) or error.errno not in _NO_ROOM:
            return True
        if self._clock() < self._again:
            return False
        self._again = self._clock() + _ONCE_IN_S
        return True


def quiet_accept_errors() -> None:
    """Keep a full table of files from filling the log; asyncio writes thousands of lines a second."""
    logging.getLogger("asyncio").addFilter(OnceAMinute())


def raise_file_limit() -> int:
    """Let this process open as many files as the system allows it; return how many."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
