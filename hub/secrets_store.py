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
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return read_secret(path)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(TOKEN_BYTES))
        if owner is not None and os.geteuid() == 0:
            os.fchown(handle, owner, owner)
    return read_secret(path)


def read_secret(path: Path) -> str:
    """Return the secret in this file; a link in its place is refused.

    Raises:
        OSError: It is not there, is a link, or may not be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, encoding="ascii") as file:
        return file.read().strip()


def write_private(path: Path, text: str, owner: int) -> None:
    """Replace a file by a new 0600 one of this owner; what stood there is never written through."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        if os.geteuid() == 0:
            os.fchown(handle, owner, owner)
