"""Know whose socket listens on a port, and whose speaks to it.

Law: an address is handed to the hub's proxy only when the process that listens
there runs as the learner it was started for; whoever else was quicker on a
random port is refused (their page would stand at the learner's own origin).
And what a request says of its sender is believed only from the proxy's own uid.
A forked lab needs no such look: its socket is bound before the lab is there.
Linux only: reads /proc/net/tcp, field `uid` (proc_net_tcp in the kernel's docs).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from bioskills.base.text import _
from bioskills.hub.lab_spawner import LabError

TABLE = Path("/proc/net/tcp")
ESTABLISHED, LISTENING = "01", "0A"
LOOPBACK = "0100007F"
ADDRESS, REMOTE, STATE, UID = 1, 2, 3, 7
LOOK_S = 0.1


def listener_uid(port: int) -> int | None:
    """Return the uid of the socket that listens on 127.0.0.1:port, or None where none does."""
    return _uid_of(_end(port), LISTENING)


def speaker_uid(port: int, to: int) -> int | None:
    """Return the uid of the socket 127.0.0.1:port that is connected to 127.0.0.1:to.

    None where there is none, or nobody holds it any more: the kernel then tells no owner.
    """
    try:
        return _uid_of(f"{_end(port)} {_end(to)}", ESTABLISHED)
    except OSError:
        return None


def _end(port: int) -> str:
    return f"{LOOPBACK}:{port:04X}"


def _uid_of(ends: str, state: str) -> int | None:
    for line in TABLE.read_text(encoding="ascii").splitlines():
        # Looked for as text first: a busy machine has thousands of lines.
        if f" {ends}" in line:
            fields = line.split()
            if f"{fields[ADDRESS]} {fields[REMOTE]}".startswith(ends) and fields[STATE] == state:
                return int(fields[UID])
    return None


async def await_listener(port: int, uid: int, lives: Callable[[], bool]) -> None:
    """Return when the learner's own process listens, or has ended.

    Args:
        port: Where it should listen.
        uid: The learner's.
        lives: Whether the process is still there.

    Raises:
        LabError: Somebody else's process listens there.
    """
    while lives() and (found := await asyncio.to_thread(listener_uid, port)) != uid:
        if found is not None:
            text = _("Your lab could not start safely; nothing is lost. Start it again.")
            raise LabError(text, reason="port_taken")
        await asyncio.sleep(LOOK_S)
