"""End processes, and none but those that were meant.

Law: a process is named by a descriptor of the kernel, and looked at again before it is
signalled, so that a number that was given to somebody else meanwhile harms nobody.
"""

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PAUSE_S = 0.01
CHILD_S = 2.0


def members(groups: tuple[Path, ...]) -> set[int]:
    """Give the processes of control groups; a group that is gone has none."""
    found: set[int] = set()
    for group in groups:
        with suppress(OSError):
            found |= {int(pid) for pid in (group / "cgroup.procs").read_text("ascii").split()}
    return found


def once(groups: tuple[Path, ...], freezer: Path | None) -> None:
    """Kill what is in the groups now, and give the kernel a moment."""
    whole = groups[0] / "cgroup.kill"
    if whole.exists():
        whole.write_text("1", encoding="ascii")
    else:
        with _frozen(freezer):
            for pid in members(groups):
                _kill(pid, groups)
    time.sleep(PAUSE_S)


@contextmanager
def no_more_forks(pids: Path | None) -> Iterator[None]:
    """Let nobody in the group make a process meanwhile (v1; v2 kills a group as a whole)."""
    top = pids / "pids.max" if pids else None
    if top is None or not top.exists():
        yield
        return
    before = top.read_text("ascii")
    top.write_text("0", encoding="ascii")
    try:
        yield
    finally:
        top.write_text(before, encoding="ascii")


@contextmanager
def _frozen(freezer: Path | None) -> Iterator[None]:
    state = freezer / "freezer.state" if freezer else None
    if state is None or not state.exists():
        yield
        return
    with suppress(OSError):
        state.write_text("FROZEN", encoding="ascii")
    try:
        yield
    finally:
        state.write_text("THAWED", encoding="ascii")


def signal_members(groups: tuple[Path, ...], number: int) -> None:
    """Send every process in the groups this signal, once."""
    for pid in members(groups):
        _send(pid, groups, number)


def _kill(pid: int, groups: tuple[Path, ...]) -> None:
    _send(pid, groups, signal.SIGKILL)


def _send(pid: int, groups: tuple[Path, ...], number: int) -> None:
    with suppress(OSError):  # it ended meanwhile
        handle = os.pidfd_open(pid)
        try:
            if pid in members(groups):
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def of_uid(uid: int, within_s: float) -> bool:
    """Kill all processes of a uid at once, where no control group holds them.

    A child that has become this uid signals "everybody I may": the kernel does that in
    one step, so no fork gets away.
    """
    ends = time.monotonic() + within_s
    while left := running(uid):
        if time.monotonic() > ends:
            break
        _sweep(uid)
        time.sleep(PAUSE_S)
    return not left


def _sweep(uid: int) -> None:
    child = os.fork()
    if child == 0:
        try:
            os.setresgid(uid, uid, uid)
            os.setgroups([])
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    end_by(child, CHILD_S)


def end_by(child: int, within_s: float) -> None:
    """Wait for a child of ours that is a learner's; whoever stops or delays it gains nothing."""
    handle = os.pidfd_open(child)
    select.select([handle], [], [], within_s)
    os.close(handle)
    os.kill(child, signal.SIGKILL)  # not waited for yet: the number is still its own
    os.waitpid(child, 0)


def running(uid: int) -> set[int]:
    """Give the living processes of a uid (a dead one that nobody waited for harms nobody)."""
    found = set()
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            status = (
                (folder / "status").read_text("utf-8", "replace") if folder.name.isdigit() else ""
            )
            if f"\nUid:\t{uid}\t" in status and "\nState:\tZ" not in status:
                found.add(int(folder.name))
    return found
