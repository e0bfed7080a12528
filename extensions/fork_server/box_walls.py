"""The walls of one box: what a process does before it runs a submission.

Law: everything here happens before anything of the caller is read, and uses
nothing of the caller but a uid from the slots' range. Own user, pid, mount,
net, ipc and uts namespaces; loopback only; the system read-only, as the parent
in bubblewrap sees it; three small memory disks to write on. A box that cannot
have one of these walls is not made.
"""

import os
import resource
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from bioskills.fork_server import cgroups, drop, linux
from bioskills.fork_server.config import Config

BOX = "/box"
WORK, HOME = f"{BOX}/work", f"{BOX}/home"
HOST_NAME = "grader"
MB = 1 << 20
PLAIN = linux.MS_NOSUID | linux.MS_NODEV
WRITABLE = {BOX: 1.0, "/tmp": 0.5, "/dev/shm": 0.25}
"""Memory disks and their shares of `disk_mb`."""
CGROUPS = "/sys/fs/cgroup"
NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
DEFAULT_DISK_MB = 256
OPEN_FILES = 1024


def leave_processes(uid: int) -> None:
    """Let the children of this process be alone in a namespace of processes.

    Args:
        uid: The slot's; 0 where we are unprivileged and stay who we are, in a user
            namespace of our own (which gives the right to make the others).
    """
    if uid:
        linux.unshare(linux.CLONE_NEWPID)
        return
    mine = (os.geteuid(), os.getegid())
    linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{mine[0]} {mine[0]} 1")
    _write("/proc/self/gid_map", f"{mine[1]} {mine[1]} 1")


def build(config: Config, uid: int, limits: Mapping[str, int], ask: "Asker") -> None:
    """Go behind the walls and give up every right; this process is alone in its pid namespace.

    Args:
        config: The installation.
        uid: The slot's; 0 where we are unprivileged.
        limits: What the box may use.
        ask: Has the maker outside write what only it may write.
    """
    if uid:
        cgroups.join(config.mark, uid)
    linux.unshare(NAMESPACES)
    linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)
    _furnish(config, uid or os.geteuid(), limits)
    linux.raise_loopback()
    socket.sethostname(HOST_NAME)
    if uid:
        linux.unshare(linux.CLONE_NEWUSER)
        ask.for_maps()
    _no_more_namespaces()
    _limit(limits)
    _become(uid, limits)


def enter(config: Config, uid: int, limits: Mapping[str, int], first: int) -> None:
    """Join a box whose walls stand, and give up every right; called in its namespace of processes.

    Args:
        config: The installation.
        uid: The slot's; 0 where we are unprivileged.
        limits: What the box may use.
        first: Handle of the box's first process.
    """
    if uid:
        cgroups.join(config.mark, uid)
    linux.setns(first, NAMESPACES | linux.CLONE_NEWUSER)
    _limit(limits)
    _become(uid, limits)


class Asker:
    """The way to the maker outside, who maps a new user namespace to the slot's uid."""

    def __init__(self) -> None:
        self._asked, self._answered = os.pipe(), os.pipe()

    def for_maps(self) -> None:
        """Wait until the maps are written."""
        os.write(self._asked[1], b"m")
        if os.read(self._answered[0], 1) != b"1":
            raise OSError("the maker of the box did not map its user")

    def built(self) -> None:
        """Say that all walls stand and every right is given up."""
        os.write(self._asked[1], b"b")

    def answer(self, pid: int, uid: int) -> bool:
        """Write the maps of a child that asks; say whether it came to have all its walls."""
        os.close(self._asked[1])
        while (asked := os.read(self._asked[0], 1)) == b"m":
            for name in ("uid_map", "gid_map"):
                _write(f"/proc/{pid}/{name}", f"{uid} {uid} 1")
            os.write(self._answered[1], b"1")
        return asked == b"b"


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="ascii")


def _furnish(config: Config, owner: int, limits: Mapping[str, int]) -> None:
    disk = limits.get("disk_mb", DEFAULT_DISK_MB) * MB
    seen = {path: os.open(path, os.O_PATH) for path in _below_tmp(config)}
    for path, share in WRITABLE.items():
        mode = "1777" if path != BOX else "0755"
        options = f"mode={mode},size={int(disk * share)},nr_inodes=20000"
        linux.mount("tmpfs", os.path.realpath(path), "tmpfs", PLAIN, options)
    for path, descriptor in seen.items():
        _make_way(Path(path))
        linux.mount(f"/proc/self/fd/{descriptor}", path, "", linux.MS_BIND | linux.MS_REC)
        os.close(descriptor)
    for folder in (WORK, HOME):
        Path(folder).mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    for path in (*_hidden(config), CGROUPS):
        if Path(path).is_dir():
            linux.mount("tmpfs", path, "tmpfs", PLAIN | linux.MS_RDONLY, "mode=0555,size=4k")
    _own_processes()


def _make_way(place: Path) -> None:
    """Make a folder that everybody may go through, whatever this process leaves out of new ones' rights."""
    for folder in (*reversed(place.parents), place):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o755)


def _below_tmp(config: Config) -> list[str]:
    """Return what must be seen again although the box's own /tmp covers it."""
    base = Path(sys.executable).resolve().parent.parent
    shown = dict.fromkeys([config.environments["course"], base])
    return [str(path) for path in shown if path.is_relative_to("/tmp")]


def _hidden(config: Config) -> list[str]:
    return [str(config.run_dir), *([config.cache] if config.cache else [])]


def _own_processes() -> None:
    """Show this box's processes alone; nothing where the machine hides parts of /proc."""
    flags = PLAIN | linux.MS_NOEXEC
    try:
        linux.mount("proc", "/proc", "proc", flags)
    except PermissionError:
        linux.mount("tmpfs", "/proc", "tmpfs", flags | linux.MS_RDONLY, "mode=0555,size=4k")


def _no_more_namespaces() -> None:
    """Let nobody in here make user namespaces: ways into the kernel that no course needs."""
    try:
        _write("/proc/sys/user/max_user_namespaces", "0")
    except OSError:
        return  # there is no /proc; capabilities and seccomp remain


def _limit(limits: Mapping[str, int]) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number, name in (
        (resource.RLIMIT_CPU, "cpu_s"),
        (resource.RLIMIT_AS, "address_mb"),
        (resource.RLIMIT_NPROC, "own_processes"),
    ):
        value = limits.get(name, 0) * (MB if name == "address_mb" else 1)
        if value:
            resource.setrlimit(number, (value, value))


def _become(uid: int, limits: Mapping[str, int]) -> None:
    disk = limits.get("disk_mb", DEFAULT_DISK_MB) * MB
    if uid:
        drop.become(uid, limits, (disk, disk))
    else:
        drop.stay(limits, (disk, disk))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
