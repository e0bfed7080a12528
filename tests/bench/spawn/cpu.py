"""Count the CPU seconds of one side, exited processes included.

Law: the kernel counts, not we. Each side lives in a control group of its own (as
root), whose total misses nothing, however short it lived. Where that cannot be, the
processes seen alive are added up, and the result says so.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")
TICKS = os.sysconf("SC_CLK_TCK")
MICRO, NANO = 1e6, 1e9
END_S = 10


def own_s(pid: int) -> float:
    """Return the CPU seconds of a process, ended threads included; 0 where it is gone."""
    with suppress(OSError):
        # clock_getcpuclockid(3): the scheduler's clock of a whole process.
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def reaped_s(pid: int) -> float:
    """Return the CPU seconds of the children that a process has waited for."""
    return sum(map(int, _stat(pid)[13:15])) / TICKS


def parent(pid: int) -> int:
    """Return a process's parent; 0 where there is none."""
    return int((_stat(pid)[1:2] or ["0"])[0])


def _stat(pid: int) -> list[str]:
    with suppress(OSError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return []


def machine_s() -> float:
    """Return the busy CPU seconds of the whole machine since it started."""
    user, nice, system, _idle, _wait, *stolen = (
        int(field) / TICKS for field in (PROC / "stat").read_text().split("\n")[0].split()[1:]
    )
    return user + nice + system + sum(stolen[:2])


class GroupAccount:
    """A control group: whatever is started inside `entered` is counted for ever."""

    how = "cgroup"

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.folder = root / f"bench-spawn-{os.getpid()}-{name}"
        self.folder.mkdir()
        self.folders = [self.folder]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Start processes inside the group."""
        before = self.root / own_place(self.root)
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            (before / "cgroup.procs").write_text(str(os.getpid()))

    def follow(self, root: int, mark: str) -> None:
        """Count the groups that the fork server makes for learners, where they lie here, too."""
        del root
        self.folders += [self.root / f"bioskills-{mark}"] if mark else []

    def total_s(self) -> float:
        """Return the CPU seconds of everything that ever was in the groups."""
        return sum(map(usage_s, self.folders))

    def pids(self) -> set[int]:
        """Return who is in the groups now."""
        files = [file for folder in self.folders for file in folder.rglob("cgroup.procs")]
        return {int(pid) for file in files for pid in _text(file).split()}

    def close(self) -> int:
        """End who is left, remove the group, and return how many were left."""
        left = end(self)
        self.folder.rmdir()
        return left


def usage_s(group: Path) -> float:
    """Return what a group has used (v2: `cpu.stat`, v1: `cpuacct.usage`); 0 where it is gone."""
    found = dict(line.split() for line in _text(group / "cpu.stat").splitlines())
    micro = int(found.get("usage_usec", 0))
    return micro / MICRO if micro else int(_text(group / "cpuacct.usage") or 0) / NANO


def group_root() -> Path | None:
    """Return the tree to count in: the one without controllers first, where nothing moves a lab."""
    roots = [GROUPS / "unified", GROUPS, GROUPS / "cpuacct"]
    files = ("cpu.stat", "cpuacct.usage")
    fit = [root for root in roots if any((root / file).exists() for file in files)]
    return next((root for root in fit if os.access(root / "cgroup.procs", os.W_OK)), None)


def own_place(root: Path) -> str:
    """Return the place of this process below a tree."""
    for line in _text(PROC / "self/cgroup").splitlines():
        number, names, place = line.split(":", 2)
        if root.name in names.split(",") or (number == "0" and root.name != "cpuacct"):
            return place.lstrip("/")
    return ""


def _text(file: Path) -> str:
    with suppress(OSError):
        return file.read_text()
    return ""


class TreeAccount:
    """The processes below a root, added up: short-lived ones between two looks are missed."""

    how = "processes seen alive"

    def __init__(self, name: str) -> None:
        del name
        self.roots: set[int] = set()
        self.seen: dict[int, float] = {}

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Nothing to do."""
        yield

    def follow(self, root: int, mark: str) -> None:
        """Count this process and everything below it."""
        del mark
        self.roots.add(root)

    def total_s(self) -> float:
        """Return the CPU seconds of everybody seen so far."""
        for pid in self.pids():
            self.seen[pid] = max(self.seen.get(pid, 0), own_s(pid) + reaped_s(pid))
        return sum(self.seen.values())

    def pids(self) -> set[int]:
        """Return the roots and everything below them."""
        below: dict[int, list[int]] = {}
        for entry in PROC.iterdir():
            if entry.name.isdigit():
                below.setdefault(parent(int(entry.name)), []).append(int(entry.name))
        found, new = set[int](), [pid for pid in self.roots if (PROC / str(pid)).exists()]
        while new:
            pid = new.pop()
            found.add(pid)
            new += below.get(pid, [])
        return found

    def close(self) -> int:
        """End who is left and return how many were left."""
        return end(self)


Account = GroupAccount | TreeAccount


def end(account: Account) -> int:
    """Kill who is left of a side; return how many there were at first."""
    deadline, left = time.monotonic() + END_S, len(account.pids())
    while (found := account.pids()) and time.monotonic() < deadline:
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    return left


def new_account(name: str) -> Account:
    """Return the exact account where the machine allows it."""
    root = group_root()
    return GroupAccount(root, name) if root else TreeAccount(name)
