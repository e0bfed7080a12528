"""Remember small things beside the learner's work, in `.bioskills/`.

Law: a note is a convenience. A missing or damaged note is read as empty; the
campus holds the truth. A note is replaced whole or not at all.
"""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from bioskills_lab.folders import OWN, opened
from bioskills_lab.problems import Refused

RELEASED = "released.json"
RECEIPTS = "receipts.json"
CHECKED = "checked.json"
AGAIN = "again.json"
OPENED = "opened.json"
LARGEST = 4 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_note(home: Path, names: tuple[str, ...], note: str) -> dict[str, Any]:
    """Read one note of the folder named by `names`; empty where there is none."""
    with suppress(OSError, ValueError, RecursionError), opened(home, *names, OWN) as folder:
        with os.fdopen(os.open(note, _READ, dir_fd=folder), "rb") as file:
            found = json.loads(file.read(LARGEST))
        return found if isinstance(found, dict) else {}
    return {}


def write_note(home: Path, names: tuple[str, ...], note: str, content: dict[str, Any]) -> None:
    """Replace one note in the folder named by `names`.

    Raises:
        OSError: It could not be written, such as where the disk is full; the old one is there.
    """
    draft = f"{note}.{secrets.token_hex(4)}"
    with opened(home, *names, OWN, make=True) as folder:
        try:
            file = os.fdopen(os.open(draft, _NEW, 0o644, dir_fd=folder), "w", encoding="utf-8")
            with file:
                json.dump(content, file, ensure_ascii=False, indent=1)
            os.replace(draft, note, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=folder)
            raise


def try_note(home: Path, names: tuple[str, ...], note: str, content: dict[str, Any]) -> bool:
    """Replace one note where that is possible: what a person asked for does not depend on it."""
    try:
        write_note(home, names, note, content)
    except (OSError, Refused):
        return False
    return True
