"""Keep every home below its size where no quota of the file system does it.

Law: a full home takes nothing away: no file may grow any more, deleting works, and below
95 % all is as before. What was found is kept in the room's folder, so that whoever starts
next knows it, after a restart too.

A watcher sees a home now and then: it holds what runs away, not whoever sets out to cheat
(files deleted but open, closed folders, a limit raised again). Against that a quota of the file system is needed;
`mechanism` says whether there is one.
"""

import ctypes
import json
import os
import resource
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from bioskills.fork_server import cgroups, killing, measuring, rooms
from bioskills.fork_server.config import Config

FILE = "disk.json"
MB = 1 << 20
SMALL_BYTES = 1 * MB  # a notebook can still be saved
LEAST_BYTES = MB // 4  # a notebook without pictures can, a kernel be started, a receipt be kept
PASSES = 20
QUOTACTL_FD = 443
Q_GETFMT = 0x800004 << 8  # of users


class Step(StrEnum):
    """What a room may still write."""

    FREE = "free"
    """Every file may be as large as the home."""
    SMALL = "small"
    """The home is full: small files alone."""
    CLOSED = "closed"
    """It went on growing: hardly anything."""
    END = "end"
    """It went on even so, to half as much again: everything is ended, the files stay."""


class State(NamedTuple):
    """What is kept of a room."""

    used: int = 0
    limit: int = 0
    step: Step = Step.FREE
    cpu_s: float = 0.0


def mechanism(homes: Path) -> str:
    """Say what holds homes here: *quota* (of users, switched on by the admin) or *watcher*."""
    kind = ctypes.c_uint32()
    folder = os.open(homes, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        call = ctypes.CDLL(None, use_errno=True).syscall
        there = call(QUOTACTL_FD, folder, Q_GETFMT, 0, ctypes.byref(kind)) == 0
    finally:
        os.close(folder)
    return "quota" if there else "watcher"


def step_of(used: int, limit: int, before: State) -> Step:
    """Say what a room may write whose home holds this many bytes.

    Args:
        used: Bytes in the home.
        limit: Bytes it may hold; 0 for no limit.
        before: What was known until now.
    """
    share = used / limit if limit else 0.0
    # Only what goes on growing is ended: whoever starts again must be able to delete.
    if share >= 1.5 and before.step is Step.CLOSED and used > before.used:  # noqa: PLR2004
        return Step.END
    for least, step in ((1.05, Step.CLOSED), (1.0, Step.SMALL)):
        if share >= least:
            return step
    almost = share >= 0.95 and before.step is not Step.FREE  # noqa: PLR2004  # the law says so
    return Step.SMALL if almost else Step.FREE


def file_limits(state: State) -> tuple[int, int]:
    """Give what a process of the room starts with: RLIMIT_FSIZE, soft and hard.

    The soft one is what is lowered and raised again: raising the hard one needs a capability
    that root does not have in every container.
    """
    hard = state.limit or resource.RLIM_INFINITY
    soft = {Step.FREE: hard, Step.SMALL: SMALL_BYTES}.get(state.step, LEAST_BYTES)
    return soft, hard


def state_of(config: Config, uid: int) -> State:
    """Give what is known of a room; of a new one nothing but its limit."""
    limit = rooms.limits_of(config, uid).get("home_mb", 0) * MB
    try:
        kept = json.loads((config.room(uid) / FILE).read_text("ascii"))
    except FileNotFoundError:
        return State(limit=limit)
    return State(**{**kept, "step": Step(kept["step"]), "limit": limit})


def look(config: Config, uid: int) -> State:
    """Measure a home and act on it; in a process of root's own that may wait."""
    before = state_of(config, uid)
    if not before.limit:
        return before
    found = measuring.measure(config.home(uid), uid, config.probe_uid)
    step = step_of(found.used, before.limit, before)
    if not found.whole and step is Step.FREE:
        step = before.step  # too many files to count: what was known holds
    state = State(found.used, before.limit, step, found.cpu_s)
    if step is Step.END:
        cgroups.kill_all(config.mark, uid)
        state = state._replace(step=Step.CLOSED)
    _keep(config, uid, state)
    if state.step is not Step.FREE or before.step is not Step.FREE:
        hold(config.mark, uid, file_limits(state)[0])
    return state


def hold(mark: str, uid: int, size: int) -> None:
    """Let no process of the room make a file larger than this, until no new one is found."""
    done: set[int] = set()
    for _ in range(PASSES):
        new = _processes(mark, uid) - done
        if not new:
            return
        _hold_as_learner(new, uid, size)
        done |= new


def _hold_as_learner(pids: set[int], uid: int, size: int) -> None:
    """Set the limit with the learner's rights.

    So the kernel refuses it for anybody else's process, whatever happens to a number meanwhile.
    """
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            for pid in pids:
                with suppress(OSError):  # it ended meanwhile
                    _hold_one(pid, size)
        finally:
            os._exit(0)
    killing.end_by(child, killing.CHILD_S)


def _hold_one(pid: int, size: int) -> None:
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def _processes(mark: str, uid: int) -> set[int]:
    groups = tuple(cgroups.folders(mark, uid, cgroups.here()).values())
    return killing.members(groups) if groups else killing.running(uid)


def _keep(config: Config, uid: int, state: State) -> None:
    """Write the state whole or not at all; a room that went away meanwhile has none."""
    staged = config.room(uid) / f".{FILE}.new"
    with suppress(FileNotFoundError):
        staged.write_text(json.dumps(state._asdict()), encoding="ascii")
        staged.rename(staged.with_name(FILE))
