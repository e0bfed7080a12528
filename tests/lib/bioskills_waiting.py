"""Wait for what other processes do; never sleep for it, never look at it once.

Law: a test that waits names a condition, and a loaded machine costs it time alone. While
processes come and go a look may fail itself: what is transient is listed here, and is
looked at again until the patience is over; then the last failure is raised as it was.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx

T = TypeVar("T")

PATIENCE_S = 90
"""Far above what anything here takes, also on a machine with ten times as much to do."""
SOONEST_S = 0.02
TRANSIENT = (OSError, httpx.TransportError)
"""A process, file or socket that went away between two looks; a server that is starting again."""


def eventually(answer: Callable[[], T], seconds: float = PATIENCE_S, step: float = 0.2) -> T:
    """Return the first true answer, or the last one when the time is over.

    Args:
        answer: The look; what is TRANSIENT in it counts as not true yet.
        seconds: How long to look.
        step: Longest pause between two looks, in seconds; the first ones are shorter.

    Raises:
        Exception: What the last look raised, where that was TRANSIENT; anything else at once.
    """
    end, pause = time.monotonic() + seconds, min(SOONEST_S, step)
    while True:
        over = time.monotonic() >= end
        try:
            if (found := answer()) or over:
                return found
        except TRANSIENT:
            if over:
                raise
        time.sleep(pause)
        pause = min(1.5 * pause, step)


@contextmanager
def halted(*pids: int) -> Iterator[None]:
    """Stop processes for this block, so that what they would change stays as it is."""
    assert min(pids) > 1, pids  # 0 and less mean whole groups
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def remove(folder: Path) -> None:
    """Remove a folder that a process which is just ending may still write to."""

    def gone() -> bool:
        if folder.exists():
            shutil.rmtree(folder)
        return True

    eventually(gone, 30)
