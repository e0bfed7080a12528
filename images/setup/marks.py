"""Know whether something is complete and of the present sources.

Law: the mark is written last and removed first, so a set-up that was killed
leaves no mark and its half-made folder is never used.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

MARK = ".complete"
IGNORED = {"__pycache__", "node_modules", "lib", "labextension", ".ipynb_checkpoints"}


def digest(parts: Iterable[str | bytes | Path]) -> str:
    """Return one hash over texts, files and whole folders.

    Args:
        parts: Texts as they are, files by content, folders by names and contents.
    """
    total = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            total.update(hashlib.sha256(piece).digest())
    return total.hexdigest()


def _pieces(part: str | bytes | Path) -> Iterable[bytes]:
    if isinstance(part, bytes):
        yield part
    elif isinstance(part, str):
        yield part.encode()
    elif part.is_dir():
        for path in files_of(part):
            yield str(path.relative_to(part)).encode()
            yield path.read_bytes()
    else:
        yield part.read_bytes()


def files_of(folder: Path) -> list[Path]:
    """Return the source files below a folder, in a fixed order, without what builds leave there."""
    found = []
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in IGNORED and not f.endswith(".egg-info"))
        found += [Path(at) / name for name in names if not name.endswith((".pyc", ".tsbuildinfo"))]
    return sorted(found)


def read_mark(folder: Path) -> dict[str, str] | None:
    """Return what a complete folder was made from, or None where it is not complete."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return mark if isinstance(mark, dict) else None


def write_mark(folder: Path, mark: dict[str, str]) -> None:
    """Say that a folder is complete; the last act of its making."""
    new = folder / f"{MARK}.new"
    new.write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
    new.replace(folder / MARK)


def remove_mark(folder: Path) -> None:
    """Say that a folder is being changed; the first act of it."""
    (folder / MARK).unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder with its mark first."""
    if folder.exists():
        remove_mark(folder)
        shutil.rmtree(folder)
