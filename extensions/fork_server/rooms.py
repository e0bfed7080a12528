"""A learner's room: namespaces that lab and kernels of one learner share.

Law: one private mount and ipc namespace per learner, and one network namespace
where the network is closed. Its own sized /tmp and /dev/shm, a /proc that shows
the learner's own processes alone, a passwd and group in which names resolve. A
room is kept by bind mounts of its namespaces, so it outlives every process of
ours. Paths are made from the configuration and a uid; a home or runtime folder
with another owner is reported and left as it is.
"""

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bioskills.fork_server import linux
from bioskills.fork_server.config import Config

NAMESPACES = {"mnt": linux.CLONE_NEWNS, "ipc": linux.CLONE_NEWIPC, "net": linux.CLONE_NEWNET}
NAME = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
COVERED = {"/tmp": "tmp_mb", "/dev/shm": "shm_mb", "/var/tmp": "tmp_mb", "/run/lock": "shm_mb"}
"""Folders that anybody may write, and the limit of each one's private form."""
ACCOUNTS = ("passwd", "group")
PLAIN = linux.MS_NOSUID | linux.MS_NODEV
HIDDEN = ("/sys/fs/cgroup",)
"""Folders that tell of other learners."""
DEVICES = "newinstance,ptmxmode=0666,mode=0620,max=64"
MB = 1 << 20
PRIVATE = 0o700
LIMITS_FILE = "limits.json"


class ForeignHomeError(OSError):
    """A home or runtime folder belongs to another account.

    Attributes:
        uid: Whose it is.
    """

    def __init__(self, path: Path, uid: int) -> None:
        super().__init__(f"{path} belongs to uid {uid}")
        self.uid = uid


def prepare(config: Config) -> None:
    """Make the folder of rooms a private mount: namespaces can be bound nowhere else."""
    base = config.run_dir / "rooms"
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_mounted(base):
        linux.mount(str(base), str(base), "", linux.MS_BIND)
    linux.mount("", str(base), "", linux.MS_PRIVATE)


def unprepare(config: Config) -> None:
    """Take back what `prepare` did, where no room is left."""
    base = config.run_dir / "rooms"
    if _is_mounted(base) and not all_uids(config):
        linux.umount(str(base))


def _is_mounted(path: Path) -> bool:
    # Path.is_mount does not see a folder that is bound to itself.
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return any(line.split(" ", 5)[4] == str(path) for line in lines)


def exists(config: Config, uid: int) -> bool:
    """Whether the learner has a complete room."""
    return (config.room(uid) / LIMITS_FILE).exists()


def all_uids(config: Config) -> list[int]:
    """Return the uids that have a room, complete or not."""
    base = config.run_dir / "rooms"
    return sorted(int(p.name) for p in base.iterdir() if p.name.isdigit()) if base.is_dir() else []


def ensure_folder(path: Path, uid: int) -> None:
    """Make a 0700 folder of this uid where there is none.

    Raises:
        ForeignHomeError: It belongs to another uid, or is no folder.
    """
    if not os.path.lexists(path):
        staged = path.with_name(f".{path.name}.new")
        staged.mkdir(mode=PRIVATE, exist_ok=True)
        os.chown(staged, uid, uid, follow_symlinks=False)
        staged.rename(path)
    folder = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        state = os.fstat(folder)
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != uid:
            raise ForeignHomeError(path, state.st_uid)
        if stat.S_IMODE(state.st_mode) != PRIVATE:
            Path(f"/proc/self/fd/{folder}").chmod(PRIVATE)
    finally:
        os.close(folder)


def make(
    config: Config, uid: int, name: str, limits: Mapping[str, int], kinds: Sequence[str]
) -> None:
    """Make a room; the caller is a process of its own and ends afterwards.

    Args:
        config: The installation.
        uid: The learner.
        name: The account's name inside; another one is made where it is no proper one.
        limits: What the room may use.
        kinds: The namespaces that it has of its own.
    """
    folder = config.room(uid)
    folder.mkdir(mode=0o700, exist_ok=True)
    _write_accounts(config, uid, name)
    outside, inside = os.pipe(), os.pipe()
    keeper = os.fork()
    if keeper == 0:
        # Stays outside: namespaces are bound where the host can see them.
        os._exit(_keep(folder, os.getppid(), kinds, outside[0], inside[1]))
    flags = 0
    for kind in kinds:
        flags |= NAMESPACES[kind]
    linux.unshare(flags)
    os.write(outside[1], b"1")
    if os.read(inside[0], 1) != b"1" or os.waitpid(keeper, 0)[1] != 0:
        raise OSError(f"the room of uid {uid} could not be kept")
    if "mnt" in kinds:
        _furnish(config, uid, limits)
    if "net" in kinds:
        linux.raise_loopback()


def finish(config: Config, uid: int, limits: Mapping[str, int]) -> None:
    """Mark a room as complete; seen from outside it."""
    staged = config.room(uid) / f".{LIMITS_FILE}.new"
    staged.write_text(json.dumps(dict(limits)), encoding="ascii")
    staged.rename(config.room(uid) / LIMITS_FILE)


def limits_of(config: Config, uid: int) -> dict[str, int]:
    """Return the limits a room was made with; from outside it."""
    path = config.room(uid) / LIMITS_FILE
    found: dict[str, int] = json.loads(path.read_text(encoding="ascii"))
    return found


def enter(config: Config, uid: int) -> None:
    """Enter a learner's room; the present process, which has one thread, becomes part of it."""
    folder = config.room(uid)
    opened = [
        (os.open(path, os.O_RDONLY | os.O_CLOEXEC), NAMESPACES[kind])
        # The mount namespace last: the other files cannot be reached from inside.
        for kind in ("net", "ipc", "mnt")
        if (path := folder / kind).exists()
    ]
    for namespace, kind in opened:
        linux.setns(namespace, kind)
        os.close(namespace)


def remove(config: Config, uid: int) -> None:
    """Take a room away; what still runs in it keeps it alive until it ends."""
    folder = config.room(uid)
    with suppress(FileNotFoundError):
        (folder / LIMITS_FILE).unlink()
    for kind in NAMESPACES:
        path = folder / kind
        if path.exists():
            with suppress(OSError):
                linux.umount(str(path))
            path.unlink()
    for path in folder.glob("*") if folder.exists() else ():
        path.unlink()
    with suppress(FileNotFoundError):
        folder.rmdir()


def _keep(folder: Path, pid: int, kinds: Sequence[str], ready: int, done: int) -> int:
    if os.read(ready, 1) != b"1":
        return 1
    for kind in kinds:
        path = folder / kind
        path.touch()
        linux.mount(f"/proc/{pid}/ns/{kind}", str(path), "", linux.MS_BIND)
    os.write(done, b"1")
    return 0


def _furnish(config: Config, uid: int, limits: Mapping[str, int]) -> None:
    linux.mount("", "/", "", linux.MS_REC | linux.MS_SLAVE)
    folder = config.room(uid)
    seen = {str(path): os.open(path, os.O_PATH) for path in _covered(config, uid)}
    accounts = {f"/etc/{name}": os.open(folder / name, os.O_PATH) for name in ACCOUNTS}
    _cover(limits)
    for path, descriptor in {**seen, **accounts}.items():
        if path in seen:
            _make_way(Path(path))
        linux.mount(f"/proc/self/fd/{descriptor}", path, "", linux.MS_BIND | linux.MS_REC)
        os.close(descriptor)
    # Other rooms' namespaces would live as long as this one.
    linux.umount(str(config.run_dir / "rooms"))
    # invisible: other people's processes are not even listed. Per mount since Linux 5.8.
    linux.mount("proc", "/proc", "proc", PLAIN | linux.MS_NOEXEC, "hidepid=2")


def _make_way(path: Path) -> None:
    """Make a folder and those above it, open to pass for all whatever the umask."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o711)


def _cover(limits: Mapping[str, int]) -> None:
    for path, name in COVERED.items():
        if Path(path).is_dir():
            size = limits.get(name, 64) * MB
            linux.mount("tmpfs", os.path.realpath(path), "tmpfs", PLAIN, f"mode=1777,size={size}")
    for path in HIDDEN:
        if Path(path).is_dir():
            linux.mount("tmpfs", path, "tmpfs", PLAIN | linux.MS_RDONLY, "mode=0555,size=4k")
    if Path("/dev/pts/ptmx").exists():
        linux.mount("devpts", "/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, DEVICES)
        linux.mount("/dev/pts/ptmx", "/dev/ptmx", "", linux.MS_BIND)


def _covered(config: Config, uid: int) -> list[Path]:
    """Return what must be seen again although a private folder covers it."""
    needed = (*config.keep, config.home(uid), config.run_dir)
    return [p for p in needed if any(p.is_relative_to(top) for top in COVERED) and p.exists()]


def _write_accounts(config: Config, uid: int, name: str) -> None:
    account = name if NAME.fullmatch(name) else f"u{uid}"
    lines = {
        "passwd": f"{account}:x:{uid}:{uid}::{config.home(uid)}:/bin/bash\n",
        "group": f"{account}:x:{uid}:\n",
    }
    for file, line in lines.items():
        system = Path("/etc", file).read_text(encoding="utf-8", errors="replace")
        others = [x for x in system.splitlines(keepends=True) if not x.startswith(f"{account}:")]
        path = config.room(uid) / file
        path.write_text("".join([*others, line]), encoding="utf-8", errors="replace")
        path.chmod(0o644)
