"""Ports for the servers of tests.

Law: a port that was chosen stays free until its server listens. So none is given twice, and
none is of the range from which the kernel takes ports for outgoing connections: one of these
could take the port meanwhile, and a client that polls it could even connect to itself. Suites
run side by side: what one of them has, it holds by a lock that ends with its process.
"""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST = 15_000
LEAST = 2_000
CLOSED = range(600, 1024)
"""Ports that no learner can take."""
_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    last = int(OUTGOING.read_text().split()[0])
    return _ports(range(FIRST, last) if last >= FIRST + LEAST else range(1024, 1 << 16), count)


def free_port() -> int:
    """Return a port that nobody listens on."""
    return free_ports(1)[0]


def own_ports(count: int) -> list[int]:
    """Return ports that no learner can take (below 1024) for root, any free ones otherwise."""
    return free_ports(count) if os.geteuid() != 0 else _ports(CLOSED, count)


def _ports(among: range, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        port = random.choice(among)
        with socket.socket() as probe, suppress(OSError):
            if port not in _given:
                probe.bind(("127.0.0.1", port))
                # Of one byte for each port: all of them need one descriptor.
                fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
                _given.add(port)
                found.append(port)
    return found


def give_back(ports: Iterable[int]) -> None:
    """Let others have ports whose servers have ended."""
    for port in set(ports) & _given:
        _given.remove(port)
        fcntl.lockf(_locks(), fcntl.LOCK_UN, 1, port)


@cache
def _locks() -> int:
    file = Path(tempfile.gettempdir()) / f"bsh-test-ports-{os.geteuid()}"
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
