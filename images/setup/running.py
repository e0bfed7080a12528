"""Know whether a hub runs from the environments that are to be changed.

Law: an environment is never changed under a running hub: half of its processes
would go on with old modules and fail at the first import of a new one.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from setup.words import SetupError, _

PROC = Path("/proc")
PARENT = "supervisor.supervisord"
"""The module that holds all processes of one hub."""


def ensure_not_running(environments: Path) -> None:
    """Stop where a hub runs from these environments.

    Raises:
        SetupError: With the process to end.
    """
    running = next(_hubs(str(environments / "hub" / "bin") + os.sep), None)
    if running:
        text = _(
            "The code changed, and a hub runs from {path} (process {pid}). "
            "End it with Ctrl-C where it was started, or: kill {pid}. Then run this again."
        )
        raise SetupError(text.format(path=environments, pid=running))


def _hubs(programs: str) -> Iterator[str]:
    if not PROC.is_dir():
        return
    for process in PROC.iterdir():
        if process.name.isdigit():
            words = _command(process)
            if PARENT in words and words[0].startswith(programs):
                yield process.name


def _command(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
