"""Know whose socket listens on a port.

Law: an address is handed to the hub's proxy only when the process that listens
there runs as the learner it was started for; whoever else was quicker on a
random port is refused (their page would stand at the learner's own origin).
Linux only: reads /proc/net/tcp, field `uid` (proc_net_tcp in the kernel's docs).
"""

from pathlib import Path

TABLE = Path("/proc/net/tcp")
LISTENING = "0A"
LOOPBACK = "0100007F"
ADDRESS, STATE, UID = 1, 3, 7


def listener_uid(port: int) -> int | None:
    """Return the uid of the socket that listens on 127.0.0.1:port, or None where none does."""
    wanted = f"{LOOPBACK}:{port:04X}"
    for line in TABLE.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[ADDRESS] == wanted and fields[STATE] == LISTENING:
            return int(fields[UID])
    return None
