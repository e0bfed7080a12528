"""Ways to a box: through the fork server, or through a warm parent of our own.

Law: the fork server makes boxes where it runs. Where none runs (a course folder
on somebody's machine, a test), this process starts what is needed and ends it:
as root the same warden, for boxes alone; otherwise the warm parent by itself, in
namespaces that a user may make. A way that does not work says why; there is no
way without walls.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bioskills.base.text import _
from bioskills.graders.box_line import Lines
from bioskills.graders.sandbox import SandboxError

READY_S = 120.0
ANSWER_S = 60.0
BUSY_S = 0.2
END_S = 10.0
LINE = 1 << 12
FIRST_SLOT, SLOTS = 61900, 64
LOCKS = "/run/bsh-own-slots"
"""Where all of root's own parents on this machine hold the slots that they share."""
PREIMPORTS = ("numpy", "pandas", "Bio", "Bio.Seq", "Bio.SeqIO", "matplotlib", "matplotlib.pyplot")


@dataclass(frozen=True)
class WardenDoor:
    """Boxes from a fork server.

    Attributes:
        path: The warden's socket.
    """

    path: Path

    def __call__(self, env: Mapping[str, str], limits: Mapping[str, int]) -> Lines:
        """Make a box in a slot; wait while all slots are in use."""
        request = {"op": "slot", "mode": "fork", "limits": dict(limits)}
        end = time.monotonic() + READY_S
        while True:
            held = _connected(self.path)
            answer = _asked(held, request)
            if answer.get("failed") != "busy" or time.monotonic() > end:
                break
            held.close()
            time.sleep(BUSY_S)
        if "slot" not in answer:
            raise _refused(held, answer)
        held.sendall(_line({"env": dict(env)}))
        text, found, _flags, _address = socket.recv_fds(held, LINE, 2)
        if len(found) != 2:  # noqa: PLR2004 - two lines
            raise _refused(held, _read(text))
        kernel, control = (socket.socket(fileno=each) for each in found)
        return Lines(kernel, control, held)


@dataclass(frozen=True)
class ParentDoor:
    """Boxes from a warm parent of this account's.

    Attributes:
        path: The parent's socket.
    """

    path: Path

    def __call__(self, env: Mapping[str, str], limits: Mapping[str, int]) -> Lines:
        """Make a box under this account's own uid."""
        kernel, control = socket.socketpair(), socket.socketpair()
        own = {**limits, "own_processes": limits.get("processes", 0)}
        with _connected(self.path) as parent, kernel[1], control[1]:
            answer = _asked(parent, {"op": "box", "limits": own})
            if "pid" in answer:
                ends = [kernel[1].fileno(), control[1].fileno()]
                socket.send_fds(parent, [_line({"env": dict(env)})], ends)
                answer = _read(parent.recv(LINE))
            if "ready" not in answer:
                raise _refused(parent, answer)
        return Lines(kernel[0], control[0])


@cache
def own_door(course: Path, lab: Path) -> WardenDoor | ParentDoor:
    """Start what makes boxes for this process, once, and return the way to it.

    Args:
        course: The environment with the kernel.
        lab: The environment with bubblewrap.

    Raises:
        SandboxError: It does not start; the text says why.
    """
    root = os.geteuid() == 0
    run_dir = Path(tempfile.mkdtemp(prefix=f"bsh-own-{os.getpid()}-", dir="/run" if root else None))
    run_dir.chmod(0o711)
    (run_dir / "none").mkdir(mode=0o700)
    settings = run_dir / "fork.json"
    settings.write_text(json.dumps(_config(run_dir, course, lab, root=root)), encoding="utf-8")
    python = (lab if root else course) / "bin" / "python"
    module = "bioskills.fork_server" if root else "bioskills.fork_server.box_view"
    with (run_dir / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(python), "-I", "-m", module, str(settings)],
            cwd="/",
            stdin=subprocess.PIPE,  # ends with us, and all of this with it
            stdout=log,
            stderr=log,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"},
            start_new_session=True,
        )
    atexit.register(_end, process, run_dir, os.getpid())
    _wait(process, run_dir)
    return WardenDoor(run_dir / "warden.sock") if root else ParentDoor(run_dir / "boxes.sock")


def _config(run_dir: Path, course: Path, lab: Path, *, root: bool) -> dict[str, Any]:
    nowhere = str(run_dir / "none")
    return {
        "mark": run_dir.name.rpartition("-")[2].lower().replace("_", "0"),
        "run_dir": str(run_dir),
        "homes": nowhere,
        "log_dir": nowhere,
        "first_uid": 1,
        "last_uid": 0,
        "hub_uid": 0,
        "relay_uid": 0,
        "probe_uid": 0,
        "environments": {"course": str(course), "lab": str(lab)},
        "preload": {"course": PREIMPORTS},
        "first_slot_uid": FIRST_SLOT if root else 0,
        "slots": SLOTS if root else 0,
        "slot_locks": LOCKS if root else "",
        "serves": ["boxes"],
        "ends_with_input": True,
    }


def _wait(process: "subprocess.Popen[bytes]", run_dir: Path) -> None:
    end = time.monotonic() + READY_S
    while not (run_dir / "boxes.sock").exists():
        if process.poll() is not None or time.monotonic() > end:
            said = (run_dir / "log").read_text(encoding="utf-8", errors="replace").splitlines()
            reason = said[-1] if said else _("it took too long to start")
            message = _("Grading does not work here: {reason}").format(reason=reason)
            raise SandboxError(message)
        time.sleep(0.05)


def _end(process: "subprocess.Popen[bytes]", run_dir: Path, starter: int) -> None:
    if os.getpid() != starter:
        return  # a fork of the starter ends; the starter goes on
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(run_dir, ignore_errors=True)


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(ANSWER_S)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        raise SandboxError(
            _("The fork server does not answer, so nothing can be graded now.")
        ) from error
    return connection


def _asked(connection: socket.socket, request: Mapping[str, object]) -> dict[str, Any]:
    try:
        connection.sendall(_line(request))
        return _read(connection.recv(LINE))
    except OSError as error:
        return {"failed": str(error)}


def _line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message).encode("ascii") + b"\n"


def _read(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refused(connection: socket.socket, answer: Mapping[str, Any]) -> SandboxError:
    connection.close()
    why = str(answer.get("said") or answer.get("failed") or _("no answer"))
    return SandboxError(_("No box could be made for grading: {reason}").format(reason=why))
