"""Look at homes one after the other, as often as each needs it and no oftener.

Law: at most one look at a time, in a child of the warden that comes last in line for the
processor. How soon a home is looked at again follows from how soon it could be full and from
what the look costs; at once where its file system has lost half of what the home may still hold.
"""

import math
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from bioskills.fork_server import disk, rooms
from bioskills.fork_server.config import Config

FASTEST_BYTES_S = 32 << 20
SOONEST_S, LATEST_S = 5.0, 60.0
FULL_S = 3.0
FAST_BYTES = 16 << 20
FAST_S = 1.0
NICE = 10
CPU_SHARE = 0.02


class Seen(NamedTuple):
    """What was so when a home was looked at."""

    at: float
    free: int
    """Bytes free on the file system."""
    room: float
    """Bytes that the home might still take."""


class Watcher:
    """The warden's watch over homes."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._due: dict[int, float] = {}
        self._seen: dict[int, Seen] = {}
        self._pid = 0
        self._uid = 0

    def look(self) -> None:
        """Start a look where one is due; called at every turn of the loop."""
        if self._pid:
            return
        now, free = time.monotonic(), _free(self._config)
        there = [uid for uid in rooms.all_uids(self._config) if rooms.exists(self._config, uid)]
        self._due = {uid: self._due.get(uid, now + SOONEST_S) for uid in there}
        self._seen = {uid: self._seen.get(uid, Seen(now, free, 0)) for uid in there}
        for uid in there:
            if self._hurries(self._seen[uid], now, free):
                self._due[uid] = min(self._due[uid], now)
        uid = min(self._due, key=self._due.__getitem__, default=0)
        if uid and self._due[uid] <= now:
            self._seen[uid] = Seen(now, free, 0)
            self._uid, self._pid = uid, _run(lambda: disk.look(self._config, uid))

    def _hurries(self, seen: Seen, now: float, free: int) -> bool:
        """Say whether so much was written since that the home could be full by now."""
        return now - seen.at >= FAST_S and seen.free - free >= max(FAST_BYTES, seen.room / 2)

    def ended(self, pid: int, _status: int) -> bool:
        """Note that a child ended; say whether it was a look."""
        if pid != self._pid:
            return False
        self._pid = 0
        with suppress(FileNotFoundError):  # the room was taken away meanwhile
            state = disk.state_of(self._config, self._uid)
            room = state.limit - state.used if state.limit else math.inf
            self._seen[self._uid] = self._seen[self._uid]._replace(room=room)
            self._due[self._uid] = time.monotonic() + pause_of(state)
        return True


def _free(config: Config) -> int:
    found = os.statvfs(config.homes)
    return found.f_bfree * found.f_frsize


def pause_of(state: disk.State) -> float:
    """Say after how many seconds a home must be looked at again."""
    if not state.limit:
        return LATEST_S
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
