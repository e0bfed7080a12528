"""A cell's own time: what it waited for a processor takes nobody's points.

Law: waiting behind others is not counted; waiting behind processes that the cell
itself has started is. A box that can hold no further task for some seconds is over at
once: a fork bomb, and whatever else it runs waits behind that. Where nobody counts a
box's processes, a multiple of the limit by the clock on the wall ends it.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

SLACK = 10.0
"""A cell's time is over at its limit times this by the wall clock, whatever it waited for."""


CROWD = 32
"""Tasks in one box from which on a cell waits for itself: libraries start one for each core."""
FULL_S = 2.0
"""How long a box may be full: a library that fills it for a moment waits for room."""
GROUPS = Path("/sys/fs/cgroup")


class Clock:
    """Measures a cell's own time: wall time less the time it waited for a processor.

    Args:
        pid: The kernel's process.
        limit_s: How long the cell may take; None for ever.
    """

    def __init__(self, pid: int, limit_s: float | None) -> None:
        self._file, self._groups = _file_of(pid), Path(f"/proc/{pid}/cgroup")
        self._limit = limit_s
        self._began, self._waited = time.monotonic(), self._delay()
        self._spared, self._room = 0.0, self._began

    def _delay(self) -> float:
        """Seconds that the process waited in the run queue."""
        found = _waited_by(self._file)
        return getattr(self, "_waited", 0.0) if found is None else found

    def is_over(self) -> bool:
        """Whether the cell has used its time."""
        if self._limit is None:
            return False
        wall = time.monotonic() - self._began
        if wall <= self._limit:
            return self.is_full()
        return self.left() < 0 or wall > self._limit * SLACK or self.is_crowded()

    def is_crowded(self) -> bool:
        """Whether the box holds so many tasks that its kernel waits behind its own."""
        return tasks_beside(self._groups)[0] > CROWD

    def is_full(self) -> bool:
        """Whether the box has held as many tasks as it may for some seconds; asked now and then."""
        now, most = tasks_beside(self._groups)
        if not most or now < most:
            self._room = time.monotonic()
        return time.monotonic() - self._room > FULL_S

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


def tasks_beside(groups: Path) -> tuple[int, int]:
    """Return how many tasks the control group of a process holds, and may hold.

    Args:
        groups: The process's file `cgroup` (cgroups(7)).

    Returns:
        0 for what nobody counts or limits.
    """
    with suppress(OSError, ValueError):
        for line in groups.read_text("utf-8").splitlines():
            _number, controllers, path = line.split(":", 2)
            top = GROUPS / controllers / path.lstrip("/")
            if controllers in {"pids", ""} and (top / "pids.current").exists():
                now, most = (
                    (top / f"pids.{name}").read_text("ascii") for name in ("current", "max")
                )
                return int(now), int(most) if most.strip().isdecimal() else 0
    return 0, 0


class FamilyClock(Clock):
    """Measures a cell that a process further down runs: the longest wait of any of them counts.

    Not the sum of all: they wait at the same time.
    """

    def __init__(self, pid: int, limit_s: float | None) -> None:
        self._pid, self._longest = pid, 0.0
        self._before = {each: _waited_by(_file_of(each)) or 0.0 for each in _family(pid)}
        super().__init__(pid, limit_s)

    def _delay(self) -> float:
        for each in _family(self._pid):
            waited = (_waited_by(_file_of(each)) or 0.0) - self._before.get(each, 0.0)
            self._longest = max(self._longest, waited)
        return self._longest


def _file_of(pid: int) -> str:
    return f"/proc/{pid}/schedstat"


def _waited_by(file: str) -> float | None:
    """Return the seconds in the run queue (Linux, sched-stats: field 2); None where none are told."""
    try:
        with open(file, encoding="ascii") as text:  # noqa: PTH123 - four times a second
            return int(text.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return None


def _family(pid: int) -> Iterator[int]:
    """Yield a process and all that come from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children = ""
        with suppress(OSError):
            children = task.read_text(encoding="ascii")
        for child in children.split():
            yield from _family(int(child))
