"""Put the server of one run into a box.

Law: a box sees the system and the lab environment read-only, the folder of its own run
and a memory disk; no token of a service, no other run, no course environment. The
hand-ins, gradings and releases in that folder are read-only, too: only the gradebook is
written. It has its own processes and shared memory, and ends with the service.
Its network is the machine's loopback: the proxy must reach it, and it asks hub and campus.

Walls by bubblewrap (a kept program), as the grader's own uid without any capability.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from bioskills.graders.sandbox import bubblewrap
from bioskills.graders.workshop import VERSIONS

COURSE_ROOT = Path("/course")
SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
)
READ_ONLY = ("source", "release", "submitted", "autograded", "slots", VERSIONS)
"""Folders of a run that are shown and never written here."""
READ_ONLY_FILES = ("pristine.db", "course.version")
DISK = "/tmp"  # noqa: S108 - the box's own memory disk
HOME = f"{DISK}/home"
DISK_BYTES = 64 << 20
PRIVATE = 0o700


def box(run: Path, environment: Path) -> list[str]:
    """Return the command line up to the program.

    Args:
        run: The run's folder; what is read-only of it is made where it is missing.
        environment: The lab environment, seen at its own path.
    """
    for name in READ_ONLY:
        (run / name).mkdir(mode=PRIVATE, exist_ok=True)
    disk = ("--size", str(DISK_BYTES), "--tmpfs")
    return [
        bubblewrap(),
        *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
        *("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--hostname", "formgrader", *disk, DISK, "--dir", HOME),
        *(word for path in SYSTEM if os.path.lexists(path) for word in _shown(path)),
        *(word for path in _with_base(environment) for word in ("--ro-bind", path, path)),
        *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
        *("--bind", str(run), str(COURSE_ROOT)),
        *(w for n in READ_ONLY for w in ("--ro-bind", str(run / n), str(COURSE_ROOT / n))),
        *(
            w
            for n in READ_ONLY_FILES
            for w in ("--ro-bind-try", str(run / n), str(COURSE_ROOT / n))
        ),
        *("--remount-ro", "/", "--chdir", "/", "--"),
    ]


def _shown(path: str) -> tuple[str, ...]:
    if os.path.islink(path):  # noqa: PTH114
        return ("--symlink", os.readlink(path), path)  # noqa: PTH115
    return ("--ro-bind", path, path)


def _with_base(environment: Path) -> Iterable[str]:
    """Return the environment and, where it lies outside the system, the Python it stands on."""
    base = (environment / "bin" / "python").resolve().parent.parent
    return map(str, [environment] if base.is_relative_to("/usr") else [environment, base])
