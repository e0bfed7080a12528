"""Start kernels from the warm parent, and cold where that cannot be.

Law: a kernel is known by process id and start time, and no process with another
start time is ever signalled. The warm parent may end: its kernels go on and are
watched in /proc. A kernel that starts cold instead says why, in the log and in
the provisioner's info; the learner never goes without one.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from bioskills.fork_server import wire
from bioskills.fork_server.client import UNREACHABLE, RefusedError
from bioskills.fork_server.linux import start_time

SOCKET_VARIABLE = "BIOSKILLS_KERNELS_SOCKET"
COLD_VARIABLE = "BIOSKILLS_COLD_COURSES"
LAUNCHER = ("-m", "ipykernel_launcher")
START_S = 20.0
RETRY_S = 0.05
LOOK_S = 0.02

NO_PARENT = "no_warm_parent"
OTHER_PROGRAM = "other_program"
COLD_COURSE = "cold_course"
OWN_FILES = "own_files"
AT_START = "read_at_start"
WISHED = (NO_PARENT, OTHER_PROGRAM, COLD_COURSE)
"""Reasons that are nobody's fault."""

READ_AT_START = frozenset(
    {
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONDEVMODE", "PYTHONFAULTHANDLER", "PYTHONHASHSEED"),
        *("PYTHONHOME", "PYTHONINTMAXSTRDIGITS", "PYTHONIOENCODING", "PYTHONMALLOC"),
        *("PYTHONNODEBUGRANGES", "PYTHONOPTIMIZE", "PYTHONPATH", "PYTHONPROFILEIMPORTTIME"),
        *("PYTHONTRACEMALLOC", "PYTHONUTF8", "PYTHONVERBOSE", "PYTHONWARNINGS"),
    }
)
"""Variables that an interpreter reads at its start alone: a fork cannot follow them."""

LOST_STATUS = 255
"""Exit status of a kernel whose parent was not there any more to see it."""

FIRST_TO_GO = "300"
"""Out of memory ends a kernel before its lab."""


class ForkedKernel:
    """A kernel that is nobody's child here; to be used like `subprocess.Popen`.

    Attributes:
        pid: Its process, and process group.
        started: When it began, in clock ticks since boot.
        returncode: Its exit status, None while it runs.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, started: int, line: socket.socket | None) -> None:
        self.pid = pid
        self.started = started
        self.returncode: int | None = None
        self._line = line

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""
        if self.returncode is None and self._line is not None:
            self._listen(self._line)
        if self.returncode is None and self._line is None and not self._lives():
            self.returncode = LOST_STATUS
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status when there is one.

        Raises:
            TimeoutExpired: It still runs.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
            time.sleep(LOOK_S)
        return status

    def send_signal(self, number: int) -> None:
        """Signal the kernel and what it started, unless the number is somebody else's by now."""
        if start_time(self.pid) in (0, self.started):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _lives(self) -> bool:
        return start_time(self.pid) == self.started

    def _listen(self, line: socket.socket) -> None:
        """Read the exit status, or note that nobody is there to tell it."""
        try:
            said = line.recv(wire.MOST_REQUEST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        with suppress(ValueError, TypeError, KeyError):
            self.returncode = int(json.loads(said)["exit"])
        line.close()
        self._line = None


def fork_kernel(path: str, payload: Mapping[str, Any]) -> ForkedKernel:
    """Return a new kernel of the warm parent that listens at this path; blocks until it is there.

    Raises:
        RefusedError: There is none, or it did not do it.
    """
    line = _connect(path)
    try:
        return _born(line, payload)
    except (OSError, ValueError, KeyError, TypeError) as error:
        line.close()
        raise RefusedError(UNREACHABLE) from error
    except RefusedError:
        line.close()
        raise


def _born(line: socket.socket, payload: Mapping[str, Any]) -> ForkedKernel:
    line.sendall(wire.line_of({"op": "start"}))
    told = _hear(line)
    kernel = ForkedKernel(int(told["pid"]), int(told["started"]), line)
    try:
        line.sendall(wire.line_of(payload))
        _hear(line)
    except BaseException:
        # Whatever became of it: a second kernel on the same sockets would be worse than none.
        kernel.kill()
        raise
    line.setblocking(False)
    return kernel


def _hear(line: socket.socket) -> dict[str, Any]:
    said = bytearray()
    while not said.endswith(b"\n"):
        chunk = line.recv(1)  # not a byte more: the exit status may follow at once
        if not chunk:
            raise RefusedError(wire.ENDED_BEFORE_READY)
        said += chunk
    message: dict[str, Any] = json.loads(said)
    if "failed" in message:
        raise RefusedError(str(message["failed"]), message)
    return message


def _connect(path: str) -> socket.socket:
    """Connect; where the queue is full, until there is room in it."""
    end = time.monotonic() + START_S
    while True:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(START_S)
        try:
            line.connect(path)
        except BlockingIOError:
            line.close()
        except OSError as error:
            line.close()
            raise RefusedError(UNREACHABLE) from error
        else:
            return line
        if time.monotonic() > end:
            raise RefusedError(wire.BUSY)
        time.sleep(RETRY_S)


class ForkProvisioner(LocalProvisioner):  # type: ignore[misc]  # jupyter_client is not typed for us
    """Kernels by fork, with everything else as a local kernel has it.

    Attributes:
        cold_reason: Why the present kernel was started cold; empty where it was forked.
    """

    cold_reason = ""
    process: Any = None
    pid: Any = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start a kernel, forked where that is possible."""
        self.cold_reason = why_cold(cmd, kwargs)
        if not self.cold_reason:
            await self._fork(cmd, kwargs)
        if self.cold_reason:
            level = self.log.info if self.cold_reason in WISHED else self.log.warning
            level("Started kernel %s cold: %s", self.kernel_id, self.cold_reason)
            await super().launch_kernel(cmd, **kwargs)
        first_to_go(self.pid)
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel's process group."""
        if isinstance(self.process, ForkedKernel):
            self.process.send_signal(signum)
        else:
            await super().send_signal(signum)

    async def get_provisioner_info(self) -> dict[str, Any]:
        """Return what finds the kernel again."""
        info: dict[str, Any] = await super().get_provisioner_info()
        forked = isinstance(self.process, ForkedKernel)
        started = self.process.started if forked else start_time(self.pid or 0)
        return {**info, "forked": forked, "started": started, "cold_reason": self.cold_reason}

    async def load_provisioner_info(self, provisioner_info: dict[str, Any]) -> None:
        """Find the kernel again; one that has ended since is not taken for another process."""
        await super().load_provisioner_info(provisioner_info)
        self.cold_reason = provisioner_info.get("cold_reason", "")
        if provisioner_info.get("forked"):
            self.process = ForkedKernel(self.pid, provisioner_info["started"], None)

    async def _fork(self, cmd: Sequence[str], kwargs: Mapping[str, Any]) -> None:
        cwd = str(kwargs.get("cwd") or Path.cwd())
        env = {**kwargs.get("env", os.environ), "JPY_PARENT_PID": str(os.getpid())}
        payload = {"args": list(cmd), "env": env, "cwd": cwd}
        try:
            kernel = await asyncio.to_thread(fork_kernel, os.environ[SOCKET_VARIABLE], payload)
        except RefusedError as error:
            self.cold_reason = error.code
            return
        self.process = kernel
        self.pid = self.pgid = kernel.pid
        self.cwd = cwd


def why_cold(cmd: Sequence[str], kwargs: Mapping[str, Any]) -> str:
    """Return why a kernel must not be forked; empty where it may."""
    if not os.environ.get(SOCKET_VARIABLE):
        return NO_PARENT
    if tuple(cmd[1:3]) != LAUNCHER:
        return OTHER_PROGRAM
    if kwargs.keys() & {"stdin", "stdout", "stderr", "independent", "preexec_fn", "pass_fds"}:
        return OWN_FILES
    if _course_of(str(kwargs.get("cwd") or Path.cwd())) in _cold_courses():
        return COLD_COURSE
    return AT_START if READ_AT_START & kwargs.get("env", os.environ).keys() else ""


def _cold_courses() -> set[str]:
    return set(filter(None, os.environ.get(COLD_VARIABLE, "").split(":")))


def _course_of(cwd: str) -> str:
    """Return the first folder below the home; what is not below it is called like no course."""
    home = os.path.realpath(Path.home())
    return next(iter(Path(os.path.relpath(os.path.realpath(cwd), home)).parts), "")


def first_to_go(pid: int) -> None:
    """Let the system end this process before others of the learner when memory is short."""
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")
