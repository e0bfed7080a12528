"""Say what a learner uses and may use, in numbers.

Law: pure reading; who asks words it. None stands for what nobody counts here.
"""

import os
from pathlib import Path

from bioskills.fork_server import cgroups, disk, rooms
from bioskills.fork_server.config import Config

SMALL_FOLDERS = {"tmp": "/tmp", "shm": "/dev/shm"}  # noqa: S108  # the room's own


def of(config: Config, uid: int) -> dict[str, object]:
    """Give the answer of the op *usage*; the calling process ends in the learner's room.

    All sizes are bytes. `hits` counts refused processes, `oom_kills` ended ones.
    """
    if not rooms.exists(config, uid):
        return {"room": False}
    counts = cgroups.counts(config.mark, uid)
    home = disk.state_of(config, uid)
    memory = {"now": counts.memory, "limit": counts.memory_limit, "oom_kills": counts.oom_kills}
    processes = {
        "now": counts.processes,
        "limit": counts.processes_limit,
        "hits": counts.processes_hits,
    }
    return {
        "room": True,
        "memory": memory,
        "processes": processes,
        "home": {
            "now": home.used if home.limit else None,
            "limit": home.limit or None,
            "full": home.step is not disk.Step.FREE,
            "disk_full": _room_left(config.home(uid)) < disk.SMALL_BYTES,
        },
        **_inside(config, uid),
    }


def _inside(config: Config, uid: int) -> dict[str, object]:
    """Give the use of the private folders, seen from inside the room."""
    private = (config.room(uid) / "mnt").exists()
    if private:
        rooms.enter(config, uid)
    return {name: _sized(path) if private else None for name, path in SMALL_FOLDERS.items()}


def _room_left(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _sized(path: str) -> dict[str, int]:
    found = os.statvfs(path)
    total = found.f_blocks * found.f_frsize
    return {"now": total - found.f_bfree * found.f_frsize, "limit": total}
