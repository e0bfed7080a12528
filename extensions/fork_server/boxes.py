"""The warm parent of boxes: fork the kernel of a submission into a box that is ready.

Law: runs in bubblewrap with a course environment's modules imported and a kernel
made, one thread, no event loop. It listens to its own maker of boxes alone
(`box_maker`, forked before anything was imported, because forking this process
is dear). A kernel enters the box and gives up every right before it reads what
the caller sends: one line, with a descriptor.

Usage: python -I -m bioskills.fork_server.boxes CONFIG.json
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from bioskills.fork_server import (
    box_maker,
    box_walls,
    cgroups,
    child,
    config,
    kernels,
    linux,
    preload,
    warm,
    wire,
)

MB = 1 << 20
COLD = "BIOSKILLS_COLD_KERNEL"
"""Variable that names a kernel to start anew instead of the forked one."""
INLINE = "module://matplotlib_inline.backend_inline"


class Boxes:
    """Forks kernels where the maker asks for one, and tells each box how its kernel ended."""

    def __init__(self, settings: config.Config, app: object, maker: socket.socket) -> None:
        self.config, self.app, self.maker = settings, app, maker
        self.own_processes = os.open("/proc/self/ns/pid_for_children", os.O_RDONLY)
        self.poll = select.poll()
        self.poll.register(maker, select.POLLIN)
        self.running: dict[int, tuple[int, socket.socket]] = {}

    def serve(self) -> None:
        """Run until the maker ends."""
        while True:
            for descriptor, _event in self.poll.poll():
                if descriptor != self.maker.fileno():
                    self._tell_end(descriptor)
                elif not self._take():
                    return

    def _take(self) -> bool:
        """Fork one kernel; say whether there is still a maker."""
        message, found, _flags, _address = socket.recv_fds(self.maker, box_maker.MOST_BYTES, 2)
        if not message:
            return False
        box = socket.socket(fileno=found[1])
        pid = self._forked(found[0])
        if pid == 0:
            order = json.loads(message)
            raise child.ForkedError(
                partial(_kernel, self.config, order, first=found[0], box=box, app=self.app)
            )
        os.close(found[0])
        if pid < 0:
            box.close()
            return True
        handle = os.pidfd_open(pid)
        self.running[handle] = pid, box
        self.poll.register(handle, select.POLLIN)
        return True

    def _forked(self, first: int) -> int:
        """Return what fork does, the child being among a box's processes; -1: it cannot be.

        A box that has ended needs no kernel, and its maker hears that from us.
        """
        try:
            linux.setns(first, linux.CLONE_NEWPID)
            pid = os.fork()
        except OSError:
            pid = -1
        if pid:
            # For the next child; were it not undone, the next would be in a stranger's box.
            linux.setns(self.own_processes, linux.CLONE_NEWPID)
        return pid

    def _tell_end(self, handle: int) -> None:
        pid, box = self.running.pop(handle)
        self.poll.unregister(handle)
        os.close(handle)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with box, suppress(OSError):
            box.send(wire.line_of({"exit": status}), socket.MSG_DONTWAIT)


def _kernel(
    settings: config.Config,
    order: Mapping[str, object],
    *,
    first: int,
    box: socket.socket,
    app: object,
) -> None:
    """Go into the box, and be its kernel."""
    os.setsid()
    try:
        box_walls.enter(settings, order["uid"], order["limits"], first)  # type: ignore[arg-type]
        # The uid has changed, which takes this away.
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        box.send(wire.line_of({"pid": os.getpid()}))
        line, variables = _received(box)
    except (OSError, ValueError) as error:
        box.send(wire.line_of({"failed": wire.FAILED, "said": str(error)[:200]}))
        raise
    _be_kernel(line, variables, app)


def _received(box: socket.socket) -> tuple[socket.socket, dict[str, str]]:
    """Return the kernel's line and the environment."""
    text, found, _flags, _address = socket.recv_fds(box, wire.MOST_PAYLOAD_BYTES, 1)
    if len(found) != 1 or not text.endswith(b"\n"):
        raise wire.BadRequestError("one line with a descriptor is expected")
    return socket.socket(fileno=found[0]), dict(wire.parse_payload(text[:-1]).env)


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


def _ready(settings: config.Config, names: tuple[str, ...], maker: socket.socket) -> Boxes:
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
    boxes = Boxes(settings, app, maker)
    gc.collect()
    gc.freeze()
    return boxes


def _serve(settings: config.Config, maker: socket.socket) -> Callable[[], object] | None:
    learned = preload.learned(settings, "course", Path(sys.prefix)) if settings.cache else ()
    names = (*settings.preload.get("course", ()), *learned)
    try:
        boxes = _ready(settings, names, maker)
        maker.send(box_maker.WARM)
        boxes.serve()
    except child.ForkedError as forked:
        return forked.act
    return None


def main(path: str) -> None:
    """Fork the maker, import, check, and serve."""
    settings = config.load(Path(path))
    warm.end_with_parent()
    if os.geteuid() != 0:
        # Who sends a child into a box can come back only to a namespace of his own.
        linux.unshare(linux.CLONE_NEWPID)
    cgroups.here()  # looked up once, for all that is forked from here
    maker, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        maker.close()
        child.run(partial(box_maker.main, settings, ours))
    ours.close()
    act = _serve(settings, maker)
    # Here no frame of the loop is left below what runs now.
    if act is not None:
        child.run(act)


if __name__ == "__main__":
    main(sys.argv[1])
