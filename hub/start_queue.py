"""Let so many labs start at one time, and tell the others their place.

Law: first come, first served; a place never gets worse. The time a lab may take
begins when its turn comes. JupyterHub's own limit would answer "429" instead,
before any spawner is asked; so that one is off.
"""

import asyncio
import math
import os
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PER_CORE = 4
REMEMBERED = 50
FIRST_GUESS_S = 1.0


class Ticket:
    """One lab's place in the queue.

    Attributes:
        turn: When its turn came, on the monotonic clock; None while it waits.
    """

    def __init__(self) -> None:
        self.turn: float | None = None


class StartQueue:
    """The queue of one hub.

    Args:
        at_once: How many may start at one time; 0: four per core.
    """

    def __init__(self, at_once: int = 0) -> None:
        self.at_once = at_once or PER_CORE * (os.cpu_count() or 1)
        self._turns = asyncio.Semaphore(self.at_once)
        self._waiting: dict[Ticket, None] = {}
        self._took: deque[float] = deque(maxlen=REMEMBERED)

    @asynccontextmanager
    async def turn(self, ticket: Ticket) -> AsyncIterator[None]:
        """Wait for this ticket's turn and hold it."""
        self._waiting[ticket] = None
        try:
            await self._turns.acquire()
        finally:
            del self._waiting[ticket]
        ticket.turn = time.monotonic()
        try:
            yield
            self._took.append(time.monotonic() - ticket.turn)
        finally:
            self._turns.release()

    def place(self, ticket: Ticket) -> int:
        """Return how many wait up to and with this ticket; 0 when its turn has come."""
        before = list(self._waiting)
        return before.index(ticket) + 1 if ticket in self._waiting else 0

    def estimate_s(self, place: int) -> int:
        """Return in how many whole seconds a place's turn should come, by the recent starts."""
        mean = sum(self._took) / len(self._took) if self._took else FIRST_GUESS_S
        return math.ceil(place / self.at_once * mean)
