"""The warm parent of boxes: fork a kernel for one submission, behind walls of its own.

Law: runs in bubblewrap with a course environment's modules imported and a kernel
made, one thread, no event loop. Only who runs it may ask (the warden as root; the
same account where all is one account). A box's process goes behind the walls and
gives up every right before it reads what the caller sends: one line, with two
descriptors, the kernel's line and the control line.

Usage: python -I -m bioskills.fork_server.boxes CONFIG.json
"""

import gc
import json
import os
import signal
import socket
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bioskills.fork_server import (
    box_keeper,
    box_walls,
    child,
    config,
    drop,
    kernels,
    linux,
    preload,
    warm,
    wire,
)
from bioskills.fork_server.door import Caller, Door, Loop

QUOTA = 64
DESCRIPTORS = 2
MB = 1 << 20
DEFAULT_FILES_MB = 64
COLD = "BIOSKILLS_COLD_KERNEL"
"""Variable that names a kernel to start anew instead of the forked one."""
INLINE = "module://matplotlib_inline.backend_inline"


class Boxes:
    """Forks boxes; what becomes of them is their caller's business."""

    def __init__(self, settings: config.Config, app: object) -> None:
        self.config, self.app = settings, app
        me = os.geteuid()
        path = settings.socket("boxes")
        door = Door(path, 0o600, lambda uid: uid == me, QUOTA, self.handle, me, 0.0, True)
        self.loop = Loop(door, lambda _pid, _status: None)
        if settings.ends_with_input and me != 0:
            self.loop.end_with_input()

    def handle(self, caller: Caller, request: wire.Request) -> bool:
        """Fork the maker of one box."""
        uid = request.uid or 0
        if request.op != "box" or bool(uid) != (os.geteuid() == 0):
            caller.answer({"failed": wire.BAD_REQUEST})
            return False
        pid = os.fork()
        if pid == 0:
            connection = caller.connection.dup()
            self.loop.close_in_child()
            raise child.ForkedError(
                partial(_make, self.config, uid, dict(request.limits), connection, self.app)
            )
        caller.answer({"pid": pid})
        return False


def _make(
    settings: config.Config,
    uid: int,
    limits: Mapping[str, int],
    connection: socket.socket,
    app: object,
) -> None:
    """Make the box's first process, and wait for its end: nobody else may."""
    os.setsid()
    drop.default_signals()
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    box_walls.leave_processes(uid)
    asker = box_walls.Asker()
    first = os.fork()
    if first == 0:
        act = partial(_first, settings, uid, limits, connection=connection, app=app, asker=asker)
        child.run(act)
    connection.close()
    if uid:
        asker.answer(first, uid)
    os.waitpid(first, 0)


def _first(
    settings: config.Config,
    uid: int,
    limits: Mapping[str, int],
    *,
    connection: socket.socket,
    app: object,
    asker: box_walls.Asker,
) -> None:
    try:
        box_walls.build(settings, uid, limits, asker)
        # The uid has changed, which takes this away.
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        line, control, variables = _received(connection)
    except (OSError, ValueError) as error:
        connection.sendall(wire.line_of({"failed": wire.FAILED, "said": str(error)[:200]}))
        raise
    connection.sendall(wire.line_of({"ready": True}))
    connection.close()
    most = limits.get("files_mb", DEFAULT_FILES_MB) * MB
    box_keeper.keep(control, line, lambda: _be_kernel(line, variables, app), most)


def _received(connection: socket.socket) -> tuple[socket.socket, socket.socket, dict[str, str]]:
    """Return the kernel's line, the control line and the environment."""
    connection.settimeout(child.PAYLOAD_S)
    text, found, _flags, _address = socket.recv_fds(
        connection, wire.MOST_PAYLOAD_BYTES, DESCRIPTORS
    )
    if len(found) != DESCRIPTORS or not text.endswith(b"\n"):
        raise wire.BadRequestError("one line with two descriptors is expected")
    line, control = (socket.socket(fileno=descriptor) for descriptor in found)
    return line, control, dict(wire.parse_payload(text[:-1]).env)


def _be_kernel(line: socket.socket, variables: Mapping[str, str], app: object) -> None:
    from bioskills.fork_server import box_kernel, kernel_child  # noqa: PLC0415 - long imported

    kernel_child.close_all_but({line.fileno()})
    os.environ.clear()
    os.environ.update(variables)
    cold = os.environ.pop(COLD, "")
    tempfile.tempdir = None
    os.chdir(box_walls.WORK)
    try:
        _unpack(line)
        if cold:
            from bioskills.fork_server import box_bridge  # noqa: PLC0415 - for these alone

            box_bridge.serve(cold, line)
        else:
            kernel_child.renew()
            box_kernel.serve(app, line)  # type: ignore[arg-type]
    finally:
        os._exit(0)


def _unpack(line: socket.socket) -> None:
    """Take in the files of the submission: a line with their size, then a tar that the grader made."""
    with line.makefile("rb", buffering=0) as raw:
        head = bytearray()
        while not head.endswith(b"\n"):
            head += raw.read(1) or b"\n"
        size = int(json.loads(head)["bytes"])
        with tempfile.SpooledTemporaryFile(max_size=16 * MB, dir="/tmp") as spool:
            while size and (chunk := line.recv(min(size, 1 << 16))):
                spool.write(chunk)
                size -= len(chunk)
            spool.seek(0)
            with tarfile.open(fileobj=spool) as archive:
                # As the slot's uid, in its own disk: what it could write anyway.
                regular = [entry for entry in archive if entry.isreg() or entry.isdir()]
                archive.extractall(".", regular)  # noqa: S202


def _ready(settings: config.Config, names: tuple[str, ...]) -> Boxes:
    kept = Path(settings.cache or settings.run_dir)
    os.environ["MPLCONFIGDIR"] = str(kept / "matplotlib")
    os.environ["MPLBACKEND"] = INLINE
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    kernels.import_all(["bioskills.fork_server.box_kernel", *names])
    from bioskills.fork_server import box_kernel  # noqa: PLC0415 - imports Jupyter

    with tempfile.TemporaryDirectory() as folder:
        app = box_kernel.prepare(folder)
    kernels.end_pools()
    warm.refuse_threads()
    kernels.refuse_contexts()
    boxes = Boxes(settings, app)
    gc.collect()
    gc.freeze()
    return boxes


def _serve(path: str) -> Callable[[], object] | None:
    settings = config.load(Path(path))
    warm.end_with_parent()
    learned = preload.learned(settings, "course", Path(sys.prefix)) if settings.cache else ()
    names = (*settings.preload.get("course", ()), *learned)
    try:
        _ready(settings, names).loop.serve()
    except child.ForkedError as forked:
        return forked.act
    return None


def main(path: str) -> None:
    """Import, check, and serve."""
    act = _serve(path)
    # Here no frame of the loop is left below what runs now.
    if act is not None:
        child.run(act)


if __name__ == "__main__":
    main(sys.argv[1])
