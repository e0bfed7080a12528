"""Find the kernel's control groups on this machine, and read and write their files.

Law: what can be used is found by trying it, and nothing of the trial stays; what cannot be
used has its reason as a code. Where the kernel names no limit, None stands for it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

MOUNTS = Path("/proc/self/mounts")
NEEDED = ("memory", "pids")
WANTED_V1 = ("memory", "pids", "cpu", "cpuacct", "freezer")
WANTED_V2 = ("memory", "pids", "cpu")
NO_LIMIT = 1 << 60  # v1 writes "no limit" as a number about this large


class Mechanism(NamedTuple):
    """What this machine offers, and why not more."""

    kind: Literal["v2", "v1", "none"]
    roots: tuple[tuple[str, Path], ...] = ()
    """Controller and the folder of its hierarchy."""
    why: str = ""
    """A code: not_root, not_mounted, not_writable, no_controllers (with the missing ones)."""

    @property
    def controllers(self) -> tuple[str, ...]:
        """Give the names of the controllers that can be used."""
        return tuple(name for name, _ in self.roots)


def detect(mounts: Path = MOUNTS) -> Mechanism:
    """Find out what can be used here; nothing stays behind."""
    if os.geteuid() != 0:
        return Mechanism("none", why="not_root")
    found = list(_mounted(mounts))
    for kind, point, names in found:
        if kind == "cgroup2" and set(NEEDED) <= names and _usable_v2(point):
            return Mechanism("v2", tuple((name, point) for name in WANTED_V2 if name in names))
    if not found:
        return Mechanism("none", why="not_mounted")
    return _detect_v1(found)


def _detect_v1(found: list[tuple[str, Path, set[str]]]) -> Mechanism:
    there = {name: point for kind, point, names in found if kind == "cgroup" for name in names}
    roots = tuple((name, there[name]) for name in WANTED_V1 if _writable(there.get(name)))
    missing = " ".join(name for name in NEEDED if name not in dict(roots))
    if missing == " ".join(NEEDED):
        seen = any(set(NEEDED) & names for _, _, names in found)
        return Mechanism("none", why="not_writable" if seen else f"no_controllers {missing}")
    return Mechanism("v1", roots, f"no_controllers {missing}" if missing else "")


def _mounted(mounts: Path) -> Iterator[tuple[str, Path, set[str]]]:
    """Give each mounted hierarchy: kind, folder, controllers."""
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, point, kind, options = line.split(" ")[:4]
        if kind == "cgroup2":
            yield kind, Path(point), set(read(Path(point), "cgroup.controllers").split())
        elif kind == "cgroup":
            yield kind, Path(point), set(options.split(","))


def _writable(root: Path | None) -> bool:
    """Say whether groups can be made there, by making one."""
    if root is None:
        return False
    probe = root / f"bioskills-probe-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def _usable_v2(root: Path) -> bool:
    try:
        enable(root)
    except OSError:
        return False
    return _writable(root)


def enable(folder: Path) -> None:
    """Hand the controllers on to the groups below the folder (v2)."""
    offered = set(read(folder, "cgroup.controllers").split()) & set(WANTED_V2)
    open_ones = set(read(folder, "cgroup.subtree_control").split())
    wanted = " ".join(f"+{name}" for name in WANTED_V2 if name in offered - open_ones)
    if not wanted:
        return
    try:
        write(folder, "cgroup.subtree_control", wanted)
    except OSError:
        _move_aside(folder)
        write(folder, "cgroup.subtree_control", wanted)


def _move_aside(folder: Path) -> None:
    """Move processes into a group beside ours: in a container the top must hold none (v2)."""
    aside = folder / "bioskills-others"
    aside.mkdir(exist_ok=True)
    for pid in read(folder, "cgroup.procs").split():
        with suppress(OSError):  # it ended meanwhile, or it is a kernel thread
            write(aside, "cgroup.procs", pid)


def read(folder: Path, file: str) -> str:
    """Give what a kernel's file says; nothing where it is not there."""
    try:
        return (folder / file).read_text(encoding="ascii")
    except OSError:
        return ""


def write(folder: Path, file: str, value: str) -> None:
    """Write a kernel's file in one write; a file that this kernel lacks is no limit of ours."""
    try:
        target = os.open(folder / file, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if file != "memory.swap.max":  # there is none where the kernel does not count swap
            raise
        return
    try:
        os.write(target, value.encode("ascii"))
    finally:
        os.close(target)


def number(folder: Path, file: str) -> int | None:
    """Give the number in a kernel's file; None for no limit."""
    text = read(folder, file).strip()
    return int(text) if text.isdigit() and int(text) < NO_LIMIT else None


def table(folder: Path, file: str) -> dict[str, int]:
    """Give a kernel's file of names and numbers."""
    rows = (line.split() for line in read(folder, file).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}  # noqa: PLR2004  # name and number
