"""Wake a grader that waits for work.

Law: only a hint: who was woken looks into the database, and whoever slept through
a ring finds the work at its next look. Rung from any thread; waited for in the
event loop. It also remembers what the grader last said it grades with.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Bell:
    """A bell that many may wait for.

    Attributes:
        environment: What the grader grades with, in its own words; empty before it asked.
    """

    def __init__(self) -> None:
        self.environment = ""
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def ring(self) -> None:
        """Wake all who wait."""
        with self._lock:
            waiting = list(self._waiting.items())
        for event, loop in waiting:
            with suppress(RuntimeError):  # that loop has ended
                loop.call_soon_threadsafe(event.set)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """Yield an event that is set by the next ring; clear it before looking again."""
        event = asyncio.Event()
        with self._lock:
            self._waiting[event] = asyncio.get_running_loop()
        try:
            yield event
        finally:
            with self._lock:
                del self._waiting[event]
