"""Hold each learner's processes in one control group: limits, counts, one end for all of them.

Law: a group is named by the server alone (mark and uid), so that no request chooses a path;
everything here can be done twice and after a restart; where the machine offers no control
groups the reason is said and limits per process take their place.
https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/
"""

import re
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bioskills.fork_server import hierarchy, killing
from bioskills.fork_server.hierarchy import Mechanism, detect

__all__ = ["Mechanism", "detect"]  # what callers know from here

MARK = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
NORMAL_SHARE = 100
SHARES_V1 = 1024  # what v1 calls 100
MAKE_TRIES = 20


Limits = Mapping[str, int]
"""`memory_mb`, `processes` (0 or missing: no limit) and `cpu_share`: a weight against the other
learners while the processor is short, not a ceiling (missing: 100)."""


class Counts(NamedTuple):
    """What a learner's processes use now; None where nobody counts."""

    memory: int | None
    """Bytes that cannot be given back: without the cache of files."""
    memory_limit: int | None
    oom_kills: int | None
    processes: int | None
    """Tasks: every thread counts."""
    processes_limit: int | None
    processes_hits: int | None
    cpu_s: float | None


class TooManyProcessesError(OSError):
    """The group is full; the process that wanted to join must end."""


@cache
def here() -> Mechanism:
    """Give what this machine offers, looked up once per process."""
    return detect()


def folders(mark: str, uid: int, at: Mechanism) -> dict[str, Path]:
    """Give the folder of a learner's group, by controller."""
    if not MARK.fullmatch(mark) or uid <= 0:
        raise ValueError(f"no group is called {mark!r}/{uid!r}")
    return {name: root / f"bioskills-{mark}" / str(uid) for name, root in at.roots}


def uids(mark: str, at: Mechanism | None = None) -> list[int]:
    """Give the learners who have a group of this installation."""
    tops = {folder.parent for folder in folders(mark, 1, at or here()).values()}
    return sorted({int(path.name) for top in tops for path in top.glob("[0-9]*")})


def ensure(mark: str, uid: int, limits: Limits, at: Mechanism | None = None) -> None:
    """Make the learner's group, or bring an old one to these limits.

    Raises:
        OSError: The kernel refused a group or a limit.
    """
    at = at or here()
    paths = folders(mark, uid, at)
    for folder in dict.fromkeys(paths.values()):
        _make(folder, at)
    for name, file, value in _values(at, limits):
        hierarchy.write(paths[name], file, value)


def _make(folder: Path, at: Mechanism) -> None:
    """Make a group and the one above it, which the last learner who leaves takes along."""
    for more in reversed(range(MAKE_TRIES)):
        try:
            folder.parent.mkdir(exist_ok=True)
            if at.kind == "v2":
                hierarchy.enable(folder.parent)
            folder.mkdir(exist_ok=True)
        except (FileNotFoundError, FileExistsError):
            if not more:
                raise
        else:
            return


def _values(at: Mechanism, limits: Limits) -> Iterator[tuple[str, str, str]]:
    """Give controller, file and value of every limit."""
    names = at.controllers
    share = limits.get("cpu_share") or NORMAL_SHARE
    if "pids" in names:
        yield "pids", "pids.max", str(limits.get("processes") or "max")
    if "cpu" in names and at.kind == "v2":
        yield "cpu", "cpu.weight", str(share)
    elif "cpu" in names:
        yield "cpu", "cpu.shares", str(max(2, share * SHARES_V1 // NORMAL_SHARE))
    if "memory" in names:
        top = limits.get("memory_mb", 0) << 20
        yield from _memory_v2(top) if at.kind == "v2" else _memory_v1(dict(at.roots), top)


def _memory_v2(top: int) -> Iterator[tuple[str, str, str]]:
    yield "memory", "memory.max", str(top or "max")
    yield "memory", "memory.swap.max", "0" if top else "max"


def _memory_v1(roots: dict[str, Path], top: int) -> Iterator[tuple[str, str, str]]:
    """Give both limits of v1: the one with swap may never be the smaller one."""
    both = "memory.memsw.limit_in_bytes"
    swap = (roots["memory"] / both).exists()
    if swap:
        yield "memory", both, "-1"
    yield "memory", "memory.limit_in_bytes", str(top or -1)
    if swap and top:
        yield "memory", both, str(top)


def join(mark: str, uid: int, at: Mechanism | None = None) -> None:
    """Put the calling process into the learner's group; before any privilege is dropped.

    Raises:
        TooManyProcessesError: The kernel's limit stops forks, not arrivals; so it is checked here.
    """
    at = at or here()
    paths = folders(mark, uid, at)
    for folder in dict.fromkeys(paths.values()):
        hierarchy.write(folder, "cgroup.procs", "0")
    if "pids" in paths:
        now, top = (hierarchy.number(paths["pids"], f"pids.{file}") for file in ("current", "max"))
        if now and top and now > top:
            raise TooManyProcessesError(now, top)


def counts(mark: str, uid: int, at: Mechanism | None = None) -> Counts:
    """Count what the learner's processes use; a group that is not there uses nothing."""
    at = at or here()
    paths = folders(mark, uid, at)
    return Counts(*_memory(at, paths), *_processes(paths), _cpu_s(at, paths))


def _memory(at: Mechanism, paths: dict[str, Path]) -> tuple[int | None, int | None, int | None]:
    if "memory" not in paths:
        return None, None, None
    group, new = paths["memory"], at.kind == "v2"
    stat, kills = (
        hierarchy.table(group, "memory.stat"),
        "memory.events" if new else "memory.oom_control",
    )
    now = hierarchy.number(group, "memory.current" if new else "memory.usage_in_bytes") or 0
    cached = stat.get("inactive_file" if new else "total_inactive_file", 0)
    top = hierarchy.number(group, "memory.max" if new else "memory.limit_in_bytes")
    return max(0, now - cached), top, hierarchy.table(group, kills).get("oom_kill", 0)


def _processes(paths: dict[str, Path]) -> tuple[int | None, int | None, int | None]:
    if "pids" not in paths:
        return None, None, None
    group = paths["pids"]
    hits = hierarchy.table(group, "pids.events").get("max", 0)
    return hierarchy.number(group, "pids.current") or 0, hierarchy.number(group, "pids.max"), hits


def _cpu_s(at: Mechanism, paths: dict[str, Path]) -> float | None:
    if at.kind == "v2" and paths:
        return hierarchy.table(paths["memory"], "cpu.stat").get("usage_usec", 0) / 1e6
    if "cpuacct" in paths:
        return (hierarchy.number(paths["cpuacct"], "cpuacct.usage") or 0) / 1e9
    return None


def kill_all(mark: str, uid: int, within_s: float = 10.0, at: Mechanism | None = None) -> bool:
    """End every process of the learner; say whether none is left (a fork bomb ends too)."""
    at = at or here()
    if not (paths := folders(mark, uid, at)):
        return killing.of_uid(uid, within_s)
    ends = time.monotonic() + within_s
    groups = tuple(dict.fromkeys(paths.values()))
    with killing.no_more_forks(paths.get("pids")):
        while killing.members(groups):
            if time.monotonic() > ends:
                return False
            killing.once(groups, paths.get("freezer"))
    return True


def remove(mark: str, uid: int, at: Mechanism | None = None) -> bool:
    """Remove the learner's empty group; say whether it is gone."""
    paths = folders(mark, uid, at or here())
    for folder in paths.values():
        with suppress(FileNotFoundError, OSError):
            folder.rmdir()
        with suppress(OSError):
            folder.parent.rmdir()  # goes with the last learner
    return not any(folder.exists() for folder in paths.values())


def rlimits(limits: Limits, at: Mechanism | None = None) -> dict[int, int]:
    """Give limits per process for what no control group holds here: resource and value."""
    held = (at or here()).controllers
    wanted = {
        ("memory", resource.RLIMIT_DATA): limits.get("memory_mb", 0) << 20,
        ("pids", resource.RLIMIT_NPROC): limits.get("processes", 0),
    }
    return {what: value for (name, what), value in wanted.items() if value and name not in held}
