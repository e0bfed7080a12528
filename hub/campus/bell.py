"""Wake a grader that waits for work.

Law: only a hint: who was woken looks into the database, and whoever slept through
a ring finds the work at its next look. Rung from any thread; waited for in the
event loop. It also remembers what the grader last said it grades with, and which
question for work is the newest: there is one grader, so an older one was given up.
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
        self._newest = 0
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def new_question(self, environment: str) -> int:
        """Note that the grader asks for work; return the number of its question."""
        with self._lock:
            self.environment = environment or self.environment
            self._newest += 1
            return self._newest

    def is_newest(self, question: int) -> bool:
        """Say whether the grader asked nothing since."""
        return question == self._newest

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
