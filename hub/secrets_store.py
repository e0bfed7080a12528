"""Keep each secret in one 0600 file of the one who uses it.

Law: no secret stands in an environment, a command line or a log; a secret is
made once, never printed, and readable by its owner (and root) alone.
"""

import os
import secrets
from pathlib import Path

TOKEN_BYTES = 32


def ensure_secret(path: Path, owner: int | None = None) -> str:
    """Return the secret in this file; make it on first use.

    Args:
        path: The file; its folder must exist.
        owner: The uid that may read it; None leaves the caller's.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_secret(path)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(TOKEN_BYTES))
    if owner is not None and os.geteuid() == 0:
        os.chown(path, owner, owner)
    return read_secret(path)


def read_secret(path: Path) -> str:
    """Return the secret in this file."""
    return path.read_text(encoding="ascii").strip()
