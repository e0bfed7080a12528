"""A cell's own time: what it waited for a processor takes nobody's points."""

import time

SLACK = 10.0
"""A cell's time is over at its limit times this by the wall clock, whatever it waited for."""


class Clock:
    """Measures a cell's own time: wall time less the time it waited for a processor."""

    def __init__(self, pid: int, limit_s: float | None) -> None:
        self._file = f"/proc/{pid}/schedstat"
        self._limit = limit_s
        self._began, self._waited = time.monotonic(), self._delay()
        self._spared = 0.0

    def _delay(self) -> float:
        """Seconds that the process waited in the run queue (Linux, sched-stats: field 2)."""
        try:
            with open(self._file, encoding="ascii") as file:  # noqa: PTH123 - four times a second
                return int(file.read().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return self._waited if hasattr(self, "_waited") else 0.0

    def is_over(self) -> bool:
        """Whether the cell has used its time."""
        if self._limit is None:
            return False
        wall = time.monotonic() - self._began
        if wall <= self._limit:
            return False
        return self.left() < 0 or wall > self._limit * SLACK

    def waited(self) -> float:
        """Return how long the process waited for a processor since then."""
        return self._delay() - self._waited

    def left(self) -> float:
        """Return the own seconds that are left."""
        if self._limit is None:
            return float("inf")
        own = time.monotonic() - self._began - self.waited() - self._spared
        return self._limit - own

    def spare(self, seconds: float) -> None:
        """Do not count this time: another process waited for a processor on behalf of this one."""
        self._spared += seconds
