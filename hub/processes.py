"""Know processes by what cannot be confused, and end whole trees.

Law: a process is (pid, start time), never a pid alone; what a uid started is
ended by uid, because a learner's process can leave any tree or session.
Linux only: reads /proc.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
START_TIME_FIELD = 19
"""Index of `starttime` behind the command's closing bracket: proc(5), field 22."""


def start_time(pid: int) -> int:
    """Return the process's start in clock ticks since boot, or 0 if it is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    # A zombie has ended: it only waits for its parent.
    return 0 if fields[0] == "Z" else int(fields[START_TIME_FIELD])


def pids_of(uids: set[int]) -> list[int]:
    """Return the live processes whose real uid is one of these."""
    return [
        pid
        for pid in (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
        if _uid(pid) in uids and start_time(pid)
    ]


def end_all_of(uids: set[int], patience_s: float = 3.0, give_up_s: float = 30.0) -> int:
    """End every process of these uids: politely, then for good.

    Args:
        uids: Whose processes.
        patience_s: How long they may take to end by themselves.
        give_up_s: When to leave what even SIGKILL does not end (waiting for a dead disk, say).

    Returns:
        How many processes were there at first.
    """
    found = pids_of(uids)
    _signal(found, signal.SIGTERM)
    begun = time.monotonic()
    while pids_of(uids) and time.monotonic() < begun + patience_s:
        time.sleep(0.05)
    # Some make new ones while we look: repeat until a look finds none.
    while (left := pids_of(uids)) and time.monotonic() < begun + patience_s + give_up_s:
        _signal(left, signal.SIGKILL)
        time.sleep(0.02)
    return len(found)


def _signal(pids: list[int], which: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, which)


def _uid(pid: int) -> int:
    try:
        return (PROC / str(pid)).stat().st_uid
    except OSError:
        return -1
