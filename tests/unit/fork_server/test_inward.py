"""A lab's socket serves its port, and can be used for nothing else by whoever holds it."""

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bioskills.fork_server import inward

SHORT_S = 0.5
AF_UNSPEC = bytes(16)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        inward.only_inward(found)
        yield found


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found.getsockname()


def dissolve(stolen: socket.socket) -> None:
    """End what a socket is connected to or listens on; it can be used again."""
    stolen.settimeout(SHORT_S)
    with suppress(OSError):
        stolen.shutdown(socket.SHUT_RDWR)
    ctypes.CDLL(None).connect(stolen.fileno(), ctypes.create_string_buffer(AF_UNSPEC), 16)


def pair(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    caller = socket.create_connection(listener.getsockname(), timeout=10)
    accepted, _address = listener.accept()
    accepted.settimeout(10)
    return caller, accepted


def test_it_serves_both_ways(listener: socket.socket) -> None:
    caller, accepted = pair(listener)
    with caller, accepted:
        for giver, taker in ((caller, accepted), (accepted, caller)):
            giver.sendall(b"x" * 100_000)
            assert len(taker.recv(100_000, socket.MSG_WAITALL)) == 100_000


def test_neither_it_nor_what_it_accepted_connects_anywhere(
    listener: socket.socket, elsewhere: tuple[str, int]
) -> None:
    caller, accepted = pair(listener)
    with caller, accepted:
        for stolen in (accepted, listener):
            dissolve(stolen)
            with pytest.raises(TimeoutError):
                stolen.connect(elsewhere)


def test_without_it_an_accepted_socket_connects(elsewhere: tuple[str, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        caller, accepted = pair(listener)
        with caller, accepted:
            dissolve(accepted)
            accepted.connect(elsewhere)

            assert accepted.getpeername() == elsewhere


def test_what_it_accepted_listens_nowhere_else(listener: socket.socket) -> None:
    caller, accepted = pair(listener)
    with caller, accepted:
        dissolve(accepted)
        accepted.bind(("0.0.0.0", 0))
        accepted.listen()

        with pytest.raises(TimeoutError):
            socket.create_connection(("127.0.0.1", accepted.getsockname()[1]), timeout=SHORT_S)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("option", "value"),
    [
        (inward.SO_BINDTODEVICE, b"\0"),
        (inward.SO_LOCK_FILTER, struct.pack("i", 0)),
        (inward.SO_ATTACH_FILTER + 1, struct.pack("i", 0)),
    ],
    ids=["another link", "unlock", "no filter"],
)
def test_nobody_without_rights_undoes_it(
    listener: socket.socket, option: int, value: bytes
) -> None:
    child = os.fork()
    if child == 0:
        try:
            os.setresuid(65534, 65534, 65534)
            listener.setsockopt(socket.SOL_SOCKET, option, value)
        except PermissionError:
            os._exit(3)
        finally:
            os._exit(0)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
