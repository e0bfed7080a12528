"""Keep each secret in one 0600 file of the one who uses it.

Law: no secret stands in an environment, a command line or a log; a secret is
made once, never printed, and readable by its owner (and root) alone.
"""

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO

from bioskills.base.text import _

TOKEN_BYTES, MOST_BYTES = 32, 4096


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
        OSError: It is not there, is a link or no plain file, or may not be read.
    """
    with open_plain(path) as file:
        return file.read(MOST_BYTES).decode("ascii").strip()


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading, where somebody else may have laid something instead.

    A link is not followed, a pipe that nobody writes to keeps nobody waiting, and whoever
    reads takes no more than they ask for: root reads in folders that a service can write.

    Raises:
        OSError: It is not there, is a link or no plain file, or may not be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, _("This is not a plain file"), str(path))
    return os.fdopen(handle, "rb")


def write_private(path: Path, text: str, owner: int) -> None:
    """Replace a file by a new 0600 one of this owner; what stood there is never written through."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        if os.geteuid() == 0:
            os.fchown(handle, owner, owner)
