"""Run something in a forked child, and let nothing of it come back.

Law: a child never returns into its parent's loop. It reads its payload only
after it has given up its rights, and keeps no descriptor of the parent's.
"""

import os
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable

from bioskills.fork_server import wire

PAYLOAD_S = 10.0


class ForkedError(BaseException):
    """Raised in a forked child, through the whole loop, so that no frame of the parent is below it.

    Code of a learner could walk from its own frame into those of its callers.

    Attributes:
        act: What the child is there for.
    """

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act = act


def serve(loop: Callable[[], None]) -> None:
    """Run a parent's loop; in a forked child run what it is there for instead, and end."""
    acts: list[Callable[[], object]] = []
    try:
        loop()
    except ForkedError as forked:
        acts.append(forked.act)
    if acts:
        run(acts.pop())


def run(act: Callable[[], object]) -> None:
    """Do this and end the process with its exit status."""
    status = 70
    try:
        act()
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - whatever it is, it must not return into the parent's code
        traceback.print_exc()
    finally:
        _flush()
        os._exit(status)


def read_payload(connection: socket.socket) -> wire.Payload:
    """Return the payload that the caller sends next.

    Raises:
        BadRequestError: It breaks a rule.
        TimeoutError: It did not come.
    """
    connection.settimeout(PAYLOAD_S)
    return wire.parse_payload(read_line(connection)[:-1])


def read_line(connection: socket.socket) -> bytes:
    """Return the next line, its end included, and nothing of what follows it.

    Raises:
        BadRequestError: It is too long, or ended before its end.
        TimeoutError: It did not come in the connection's time.
    """
    received = bytearray()
    while not received.endswith(b"\n") and len(received) <= wire.MOST_PAYLOAD_BYTES:
        # What follows the line belongs to the program that is started: it is not taken here.
        seen = connection.recv(wire.MOST_PAYLOAD_BYTES, socket.MSG_PEEK)
        chunk = connection.recv(seen.find(b"\n") + 1 or len(seen))
        if not chunk:
            break
        received += chunk
    if not received.endswith(b"\n") or len(received) > wire.MOST_PAYLOAD_BYTES:
        raise wire.BadRequestError("one line of at most 64 KiB is expected")
    return bytes(received)


def take_on(payload: wire.Payload, home: str) -> None:
    """Make environment and working folder those of the payload, as a new process would have them."""
    os.environ.clear()
    os.environ.update(payload.env)
    time.tzset()
    tempfile.tempdir = None
    try:
        os.chdir(payload.cwd or home)
    except OSError:
        os.chdir(home)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
