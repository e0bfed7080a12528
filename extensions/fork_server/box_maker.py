"""The maker of boxes: builds the walls of each in small processes, then asks for its kernel.

Law: a child of the warm parent from before its imports, in the same bubblewrap,
one thread. Only who runs it may ask (the warden as root; the same account where
all is one account). A box's first process goes behind the walls and gives up
every right before it reads what the caller sends: one line, with two
descriptors, the kernel's line and the control line. Then the warm parent forks
the kernel into that box: the one dear fork for each submission.
"""

import json
import os
import signal
import socket
from collections.abc import Mapping
from functools import partial

from bioskills.fork_server import box_keeper, box_walls, child, config, drop, linux, warm, wire
from bioskills.fork_server.door import Caller, Door, Loop

QUOTA = 64
DESCRIPTORS = 2
MB = 1 << 20
DEFAULT_FILES_MB = 64
WARM = b"warm"
"""What the warm parent says when it can fork."""
MOST_BYTES = 1 << 12
"""Of one message to or from the warm parent."""


class Maker:
    """Forks boxes; what becomes of them is their caller's business."""

    def __init__(self, settings: config.Config, parent: socket.socket) -> None:
        self.config, self.parent = settings, parent
        me = os.geteuid()
        path = settings.socket("boxes")
        door = Door(path, 0o600, lambda uid: uid == me, QUOTA, self.handle, me, 0.0, True)
        self.loop = Loop(door, lambda _pid, _status: None)
        if settings.ends_with_input and me != 0:
            self.loop.end_with_input()

    def handle(self, caller: Caller, request: wire.Request) -> bool:
        """Fork the process that makes one box."""
        uid = request.uid or 0
        if request.op != "box" or bool(uid) != (os.geteuid() == 0):
            caller.answer({"failed": wire.BAD_REQUEST})
            return False
        pid = os.fork()
        if pid == 0:
            connection = caller.connection.dup()
            self.loop.close_in_child()
            raise child.ForkedError(
                partial(_make, self.config, uid, dict(request.limits), connection, self.parent)
            )
        caller.answer({"pid": pid})
        return False


def main(settings: config.Config, parent: socket.socket) -> None:
    """Wait until the parent is warm, then serve until it ends."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent.recv(MOST_BYTES) != WARM:
        return
    warm.refuse_threads()
    child.serve(Maker(settings, parent).loop.serve)


def _make(
    settings: config.Config,
    uid: int,
    limits: Mapping[str, int],
    connection: socket.socket,
    parent: socket.socket,
) -> None:
    """Make the box's first process, order its kernel, and wait for its end: nobody else may."""
    os.setsid()
    drop.default_signals()
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    box_walls.leave_processes(uid)
    asker = box_walls.Asker()
    box, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    first = os.fork()
    if first == 0:
        kernel.close()
        parent.close()
        act = partial(_first, settings, uid, limits, connection=connection, box=box, asker=asker)
        child.run(act)
    box.close()
    connection.close()
    if asker.answer(first, uid):
        order = json.dumps({"uid": uid, "limits": dict(limits)}).encode()
        socket.send_fds(parent, [order], [os.pidfd_open(first), kernel.fileno()])
    kernel.close()
    parent.close()
    os.waitpid(first, 0)


def _first(
    settings: config.Config,
    uid: int,
    limits: Mapping[str, int],
    *,
    connection: socket.socket,
    box: socket.socket,
    asker: box_walls.Asker,
) -> None:
    try:
        box_walls.build(settings, uid, limits, asker)
        # The uid has changed, which takes this away.
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        asker.built()
        control, kernel = _started(connection, box)
    except (OSError, ValueError) as error:
        connection.sendall(wire.line_of({"failed": wire.FAILED, "said": str(error)[:200]}))
        raise
    connection.sendall(wire.line_of({"ready": True}))
    connection.close()
    most = limits.get("files_mb", DEFAULT_FILES_MB) * MB
    box_keeper.keep(control, box, kernel, most)


def _started(connection: socket.socket, box: socket.socket) -> tuple[socket.socket, int]:
    """Hand the caller's line on to the kernel; return the control line and the kernel's process."""
    connection.settimeout(child.PAYLOAD_S)
    text, found, _flags, _address = socket.recv_fds(
        connection, wire.MOST_PAYLOAD_BYTES, DESCRIPTORS
    )
    if len(found) != DESCRIPTORS or not text.endswith(b"\n"):
        raise wire.BadRequestError("one line with two descriptors is expected")
    said = json.loads(box.recv(MOST_BYTES) or b'{"said": "no kernel was forked"}')
    if "pid" not in said:
        raise OSError(said["said"])
    socket.send_fds(box, [text], [found[0]])
    os.close(found[0])
    return socket.socket(fileno=found[1]), int(said["pid"])
