"""A learner's processes make only the calls that stay inside their room."""

import ctypes
import errno
import os
import socket
from collections.abc import Callable

import pytest

from bioskills.fork_server import calls, linux

pytestmark = pytest.mark.skipif(
    not calls.possible(), reason="no filter, or another machine's numbers"
)

TABLE = calls.NUMBERS.get(os.uname().machine, (0, 0, {}))
OUTSIDE = (socket.AF_VSOCK, socket.AF_PACKET, socket.AF_BLUETOOTH, 38)
"""38 is AF_ALG."""


def behind_the_filter(act: Callable[[], object]) -> int:
    """Return the number of the error that something ends with in a filtered child; 0 for none."""
    child = os.fork()
    if child == 0:
        status = 255
        try:
            linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
            calls.refuse()
            act()
            status = 0
        except OSError as error:
            status = error.errno or 254
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("family", OUTSIDE)
def test_no_socket_of_a_kind_that_no_room_holds(family: int) -> None:
    assert behind_the_filter(lambda: socket.socket(family, socket.SOCK_STREAM)) == (
        errno.EAFNOSUPPORT
    )


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET, socket.AF_INET6])
def test_the_usual_sockets_are_made(family: int) -> None:
    assert behind_the_filter(lambda: socket.socket(family, socket.SOCK_STREAM)) == 0


def test_pairs_and_lists_of_links_work() -> None:
    assert behind_the_filter(lambda: (socket.socketpair(), socket.if_nameindex())) == 0


@pytest.mark.parametrize("name", sorted(TABLE[2]))
def test_a_call_that_no_course_needs_is_not_there(name: str) -> None:
    def act() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(TABLE[2][name], 1, 0, 0, 0, 0) == -1:
            raise OSError(ctypes.get_errno(), name)

    assert behind_the_filter(act) == errno.ENOSYS


def test_it_is_inherited_and_outlives_a_new_program() -> None:
    code = "import socket; socket.socket(socket.AF_VSOCK)"

    def act() -> None:
        status = os.spawnv(os.P_WAIT, "/usr/bin/env", ["env", "python3", "-c", code])
        if status:
            raise OSError(errno.ECHILD, "ended")

    assert behind_the_filter(act) == errno.ECHILD
