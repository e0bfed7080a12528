"""Know whose socket listens on a port.

Law: an address is handed to the hub's proxy only when the process that listens
there runs as the learner it was started for; whoever else was quicker on a
random port is refused (their page would stand at the learner's own origin).
A forked lab needs no such look: its socket is bound before the lab is there.
Linux only: reads /proc/net/tcp, field `uid` (proc_net_tcp in the kernel's docs).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from bioskills.base.text import _
from bioskills.hub.lab_spawner import LabError

TABLE = Path("/proc/net/tcp")
LISTENING = "0A"
LOOPBACK = "0100007F"
ADDRESS, STATE, UID = 1, 3, 7
LOOK_S = 0.1


def listener_uid(port: int) -> int | None:
    """Return the uid of the socket that listens on 127.0.0.1:port, or None where none does."""
    wanted = f"{LOOPBACK}:{port:04X}"
    for line in TABLE.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[ADDRESS] == wanted and fields[STATE] == LISTENING:
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
