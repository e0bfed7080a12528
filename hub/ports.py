"""Know who listens on a port.

Law: a port in use is named with the program that holds it, so that a person
can end that program. Linux only: reads /proc.
"""

import socket
from pathlib import Path

LISTENING = "0A"
MOST_BYTES = 4096
"""Of a command line; its process chose how long that is."""
PROC = Path("/proc")


def holder_of(address: str, port: int) -> str | None:
    """Return the command line of the listener, empty if unknown, None if the port is free.

    Args:
        address: The address we would listen on.
        port: The port we would listen on.
    """
    if _is_free(address, port):
        return None
    return _command_holding(_inodes(port))


def _is_free(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections that only wait for their end do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _inodes(port: int) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        for line in (PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _command_holding(sockets: set[str]) -> str:
    for process in PROC.iterdir():
        if process.name.isdigit() and sockets & _descriptors(process):
            with (process / "cmdline").open("rb") as file:
                words = file.read(MOST_BYTES).split(b"\0")
            return b" ".join(words).decode(errors="replace").strip()
    return ""


def _descriptors(process: Path) -> set[str]:
    found = set()
    try:
        for descriptor in (process / "fd").iterdir():
            found.add(str(descriptor.readlink()))
    except OSError:
        # It ended while we looked, or it is another user's.
        return found
    return found
