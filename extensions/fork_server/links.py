"""What a room with a network of its own reaches: the hub's and the campus's port.

Law: a listening socket is bound inside the room's network, by root; the relay,
which has no rights, accepts there and connects to the same port of the host's
loopback. Nothing else crosses.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial

from bioskills.fork_server import linux, relay, rooms
from bioskills.fork_server.config import Config

BACKLOG = 64


@cache
def namespaces() -> tuple[str, ...]:
    """Return the kinds of namespaces that this machine lets us make."""
    return tuple(kind for kind, flag in rooms.NAMESPACES.items() if _possible(flag))


def _possible(flag: int) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            linux.unshare(flag)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


class Links:
    """The warden's end of the relay."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.line: socket.socket | None = None

    def start_relay(self) -> int:
        """Start the relay and give it every room's sockets again; return its pid."""
        if self.line is not None:
            self.line.close()
        ours, theirs = relay.channel()
        uid = self.config.relay_uid
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "bioskills.fork_server.relay", str(theirs.fileno())],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            user=uid,
            group=uid,
            extra_groups=[],
        )
        theirs.close()
        self.line = ours
        process.returncode = 0  # The loop reaps it; Popen must not wait for it again.
        for room in rooms.all_uids(self.config):
            if (self.config.room(room) / "net").exists():
                self.run(partial(self._join_again, room))
        return process.pid

    def run(self, act: Callable[[], object]) -> None:
        """Do something in a process of its own, which may enter namespaces.

        Raises:
            OSError: It failed.
        """
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                act()
                status = 0
            except OSError as error:
                print(error, file=sys.stderr, flush=True)  # noqa: T201 - the log
            finally:
                os._exit(status)
        if os.waitpid(pid, 0)[1] != 0:
            raise OSError(0, "a room could not be made")

    def join(self, uid: int) -> None:
        """From inside a room's network: bind its ports and hand them to the relay."""
        assert self.line is not None  # noqa: S101 - the relay is started before the first request
        for port in self.config.ports.values():
            listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
            relay.hand_over(self.line, uid, port, listener)
            listener.close()

    def forget(self, uid: int) -> None:
        """Have the relay close a room's sockets."""
        if self.line is not None:
            relay.forget(self.line, uid)

    def _join_again(self, uid: int) -> None:
        rooms.enter(self.config, uid)
        self.join(uid)
