"""Know how this machine was started, and where its sockets lie.

Law: not by who asks: a service of a machine that root started is not root
itself. The owner of the state folder says it.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from bioskills.base.places import places_of
from bioskills.base.settings import Settings


def one_account_for_all(state: Path) -> bool:
    """Say whether every service and every lab runs as one account (not started by root)."""
    return (state.stat().st_uid if state.exists() else os.geteuid()) != 0


def runtime_dir(settings: Settings) -> Path:
    """Return a short folder for kernel sockets: a socket's path may hold 107 bytes only."""
    mark = hashlib.sha256(str(places_of(settings).data).encode()).hexdigest()[:8]
    # Not by who asks: a service of a machine that root started is not root itself.
    alone = one_account_for_all(places_of(settings).state)
    parent = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir() if alone else "/run"
    return Path(parent) / f"bsh-{mark}"
