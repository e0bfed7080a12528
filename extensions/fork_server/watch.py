"""Look at homes one after the other, as often as each needs it and no oftener.

Law: at most one look at a time, in a child of the warden that comes last in line for the
processor. How soon a home is looked at again follows from how soon it could be full and from
what the look costs; while their file system is filling up fast all homes are looked at in turn.
"""

import os
import signal
import sys
import time
from collections.abc import Callable

from bioskills.fork_server import disk, rooms
from bioskills.fork_server.config import Config

FASTEST_BYTES_S = 32 << 20
SOONEST_S, LATEST_S = 5.0, 60.0
FULL_S = 3.0
FAST_BYTES = 16 << 20
FAST_S = 1.0
NICE = 10
CPU_SHARE = 0.02


class Watcher:
    """The warden's watch over homes."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._due: dict[int, float] = {}
        self._last: dict[int, float] = {}
        self._free = 0
        self._measured = 0.0
        self._pid = 0
        self._uid = 0

    def look(self) -> None:
        """Start a look where one is due; called at every turn of the loop."""
        if self._pid:
            return
        now = time.monotonic()
        there = [uid for uid in rooms.all_uids(self._config) if rooms.exists(self._config, uid)]
        self._due = {uid: self._due.get(uid, now + SOONEST_S) for uid in there}
        if self._filling(now):
            self._hurry(now)
        uid = min(self._due, key=self._due.__getitem__, default=0)
        if uid and self._due[uid] <= now:
            self._last[uid] = now
            self._uid, self._pid = uid, _run(lambda: disk.look(self._config, uid))

    def _filling(self, now: float) -> bool:
        """Say whether the homes' file system loses room fast; compared once a second."""
        if now - self._measured < FAST_S:
            return False
        found = os.statvfs(self._config.homes)
        before, self._free = self._free, found.f_bfree * found.f_frsize
        seconds, self._measured = now - self._measured, now
        return before - self._free > FAST_BYTES * max(1.0, seconds)

    def _hurry(self, now: float) -> None:
        """Let every home be due that was not looked at just now."""
        for uid, due in self._due.items():
            if now - self._last.get(uid, 0.0) >= FAST_S:
                self._due[uid] = min(due, now)

    def ended(self, pid: int, _status: int) -> bool:
        """Note that a child ended; say whether it was a look."""
        if pid != self._pid:
            return False
        self._pid = 0
        try:
            pause = pause_of(disk.state_of(self._config, self._uid))
        except FileNotFoundError:  # the room was taken away meanwhile
            self._due.pop(self._uid, None)
            self._last.pop(self._uid, None)
        else:
            self._due[self._uid] = time.monotonic() + pause
        return True


def pause_of(state: disk.State) -> float:
    """Say after how many seconds a home must be looked at again."""
    free = max(0, state.limit - state.used)
    soon = FULL_S if state.step is not disk.Step.FREE else max(SOONEST_S, free / FASTEST_BYTES_S)
    return max(min(soon, LATEST_S), state.cpu_s / CPU_SHARE)


def _run(act: Callable[[], object]) -> int:
    """Run an act in a child that ends; give its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.nice(NICE)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        act()
    except OSError as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - the log
    finally:
        os._exit(0)
