"""The warm parent of labs: fork a JupyterLab server for one learner.

Law: runs as root with everything imported, one thread, no event loop; only the
hub may ask. It binds the lab's socket itself and keeps a duplicate until the
hub says that the route is gone, so nobody else can take a dead lab's port. It
holds no secret: environment and words are read by the child.

Usage: python -I -m bioskills.fork_server.labs CONFIG.json
"""

import gc
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bioskills.fork_server import (
    about,
    cgroups,
    child,
    config,
    drop,
    inward,
    lab_child,
    preload,
    rehearsal,
    rooms,
    warm,
    wire,
)
from bioskills.fork_server.door import Caller, Door, Loop
from bioskills.fork_server.linux import start_time

BACKLOG = 128
QUOTA = 4096


class Labs:
    """Forks labs and holds their sockets."""

    def __init__(self, settings: config.Config) -> None:
        self.config = settings
        self.held: dict[int, socket.socket] = {}
        allowed = {0, settings.hub_uid}
        # Others cannot even connect, and so not fill its queue.
        door = Door(
            settings.socket("labs"),
            0o600,
            allowed.__contains__,
            QUOTA,
            self.handle,
            settings.hub_uid,
        )
        self.loop = Loop(door, lambda _pid, _status: None)

    def handle(self, caller: Caller, request: wire.Request) -> bool:
        """Act on one request of the hub."""
        uid = request.uid or 0
        if not self.config.is_learner(uid) or request.op not in ("start", "release"):
            caller.answer({"failed": wire.BAD_REQUEST})
        elif request.op == "release":
            self._release(uid)
            caller.answer({"released": True})
        elif not rooms.exists(self.config, uid):
            caller.answer({"failed": wire.NO_ROOM})
        else:
            self._start(caller, uid, request.mode)
        return False

    def _release(self, uid: int) -> None:
        held = self.held.pop(uid, None)
        if held is not None:
            held.close()

    def _start(self, caller: Caller, uid: int, mode: str) -> None:
        self._release(uid)
        listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        inward.only_inward(listener)
        pid = os.fork()
        if pid == 0:
            raise child.ForkedError(self._become(caller, uid, mode, listener))
        caller.answer({"pid": pid, "started": start_time(pid), "port": listener.getsockname()[1]})
        if mode == "fork":
            self.held[uid] = listener
        else:
            listener.close()

    def _become(
        self, caller: Caller, uid: int, mode: str, listener: socket.socket
    ) -> Callable[[], object]:
        connection = caller.connection.dup()
        self.loop.close_in_child()
        for held in self.held.values():
            held.close()
        return partial(_be_lab, self.config, uid, mode, listener, connection)


def _be_lab(
    settings: config.Config, uid: int, mode: str, listener: socket.socket, line: socket.socket
) -> None:
    try:
        drop.enter_and_drop(settings, uid, drop.open_log(settings, uid))
    except cgroups.TooManyProcessesError:
        line.sendall(wire.line_of({"failed": wire.TOO_MANY_PROCESSES}))
        return
    payload = child.read_payload(line)
    child.take_on(payload, str(settings.home(uid)))
    act = lab_child.replace if mode == "exec" else lab_child.serve
    act(payload, listener, line)


def main(path: str) -> None:
    """Import, check, and serve."""
    settings = config.load(Path(path))
    warm.end_with_parent()
    learned = preload.learned(settings, "lab", Path(sys.prefix))
    lab_child.import_all([*settings.preload.get("lab", ()), *learned])
    about.write(settings.run_dir / about.LABS, about.how_labs_start(lab_child.missing()))
    for step in rehearsal.rehearse():
        print(f"labs: not rehearsed: {step}", file=sys.stderr, flush=True)  # noqa: T201 - the log
    labs = Labs(settings)
    warm.refuse_threads()
    gc.collect()
    gc.freeze()
    child.serve(labs.loop.serve)


if __name__ == "__main__":
    main(sys.argv[1])
