"""What hostile or careless code uses up.

Law: the standard library alone; run in a kernel as `attacks.py` is. Each bomb
goes off in children, so that the cell itself ends, and each ends by itself.
"""

import builtins
import contextlib
import ctypes
import os
import signal
import socket
import time
from pathlib import Path

MB = 1 << 20
SYS_PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)


def _in_child(act, *args):
    pid = os.fork()
    if pid == 0:
        os.setsid()
        try:
            act(*args)
        finally:
            os._exit(0)
    return pid


def forks(seconds):
    """Make processes that make processes."""
    return _in_child(_fork, time.monotonic() + seconds)


def _fork(end):
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            os.fork()


def spins(processes, seconds):
    """Use every core."""
    return [_in_child(_spin, time.monotonic() + seconds) for _number in range(processes)]


def _spin(end):
    while time.monotonic() < end:
        pass


def eats(megabytes):
    """Take memory until the end; return how the child that did it ended."""
    child = _in_child(_eat, megabytes)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _eat(megabytes):
    held = [bytearray(MB) for _number in range(megabytes)]
    time.sleep(1)
    del held


def eats_here(megabytes):
    """Take memory in the kernel itself."""
    return len([bytearray(MB) for _number in range(megabytes)])


def fills(folder, most, pause_s=0.0):
    """Write files until no more can be written; return the megabytes, and why it ended."""
    written, why = 0, "nothing"
    try:
        while written < most:
            with Path(folder, f"filled-{written}").open("wb", buffering=0) as file:
                for _number in range(16):
                    written += file.write(bytes(MB)) / MB
                    time.sleep(pause_s)
    except OSError as error:
        why = error.strerror
    return [round(written), why]


def removes(folder):
    """Delete what `fills` wrote; return how many files."""
    found = [*Path(folder).glob("filled-*")]
    for path in found:
        path.unlink()
    return len(found)


def opens_terminals(most):
    """Open pseudo terminals and keep them; return how many."""
    kept = builtins.walls_terminals = []  # as long as the kernel lives
    with contextlib.suppress(OSError):
        while len(kept) < most:
            kept.append(os.openpty())
    return len(kept)


def writes_to_the_log(pid, most):
    """Take the first file of one's lab and write to it; return the megabytes."""
    handle = os.pidfd_open(pid)
    taken = _libc.syscall(SYS_PIDFD_GETFD, handle, 1, 0)
    written = 0
    with contextlib.suppress(OSError):
        while taken != -1 and written < most * MB:
            written += os.write(taken, bytes(MB))
    return written // MB


def stops_everybody(seconds):
    """Stop every process one may signal, again and again, from a child that nobody stops."""
    return _in_child(_stop, time.monotonic() + seconds)


def _stop(end):
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGSTOP)
        time.sleep(0.01)
    os.kill(-1, signal.SIGCONT)


def asks(path, line, processes, seconds):
    """Ask a door the same again and again, in children; never read an answer to its end."""
    return [_in_child(_ask, path, line, time.monotonic() + seconds) for _n in range(processes)]


def _ask(path, line, end):
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.settimeout(1)
            connection.connect(path)
            connection.sendall(line.encode() + b"\n")
            connection.recv(1)


def dials(port, count, seconds):
    """Hold many connections to a port of the room, in a child, and open them again when closed."""
    return _in_child(_dial, port, count, time.monotonic() + seconds)


def _dial(port, count, end):
    held = []
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            held.append(socket.create_connection(("127.0.0.1", port), timeout=1))
            held[-1].send(b"GET / HTTP/1.1\r\n")
        held = held[-count:]
        time.sleep(0.001)
