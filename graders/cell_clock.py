"""A cell's own time: what it waited for a processor takes nobody's points.

Law: waiting behind others is not counted; waiting behind processes that the cell
itself has started is. Where nobody counts a box's processes, a multiple of the limit
by the clock on the wall ends it.
"""

import time
from contextlib import suppress
from pathlib import Path

SLACK = 10.0
"""A cell's time is over at its limit times this by the wall clock, whatever it waited for."""


CROWD = 32
"""Tasks in one box from which on a cell waits for itself: libraries start one for each core."""
GROUPS = Path("/sys/fs/cgroup")


class Clock:
    """Measures a cell's own time: wall time less the time it waited for a processor.

    Args:
        pid: The kernel's process.
        limit_s: How long the cell may take; None for ever.
    """

    def __init__(self, pid: int, limit_s: float | None) -> None:
        self._file, self._groups = f"/proc/{pid}/schedstat", Path(f"/proc/{pid}/cgroup")
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
        return self.left() < 0 or wall > self._limit * SLACK or self.is_crowded()

    def is_crowded(self) -> bool:
        """Whether the box holds so many tasks that its kernel waits behind its own."""
        return tasks_beside(self._groups) > CROWD

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


def tasks_beside(groups: Path) -> int:
    """Return how many tasks the control group of a process holds; 0 where nobody counts them.

    Args:
        groups: The process's file `cgroup` (cgroups(7)).
    """
    with suppress(OSError, ValueError):
        for line in groups.read_text("utf-8").splitlines():
            _number, controllers, path = line.split(":", 2)
            if controllers in {"pids", ""}:
                top = GROUPS / controllers / path.lstrip("/")
                if (top / "pids.current").exists():
                    return int((top / "pids.current").read_text("ascii"))
    return 0
