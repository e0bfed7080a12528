"""Read what a box says: a learner's word, used up to a size and as nothing else."""

import io
import tarfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bioskills.graders.intake import NOTEBOOK, unpack

MOST_HEARD = 200
MOST_BYTES = 96 << 20


def pairs(found: Any) -> list[tuple[str, str]]:
    """Read codes and details; whatever else stands there is itself worth a look."""
    try:
        return [(str(code)[:60], str(detail)[:120]) for code, detail in found][:MOST_HEARD]
    except (TypeError, ValueError):
        return [("guard_silenced", "")]


def take_files(file: Any, head: Mapping[str, Any], folder: Path, kept: Collection[str]) -> int:
    """Make a folder hold the files that a box sent; return how many stayed behind.

    Args:
        file: What the box says.
        head: What it said first.
        folder: Its notebooks stay as they are. What the box does not have any more goes,
            unless something stayed behind: then nobody knows.
        kept: More paths that stay as they are, or that nothing may take.
    """
    size, left = int(head["bytes"]), int(head.get("left_out", 0))
    if not 0 <= size <= MOST_BYTES:
        raise OSError("too large")
    spool = io.BytesIO(file.read(size))
    stays = {*kept, *(path.name for path in folder.glob(f"*{NOTEBOOK}"))}
    with suppress(tarfile.TarError, ValueError):
        with tarfile.open(fileobj=spool) as archive:  # read to its end before anything goes
            sent = archive.getnames()
        if not left:
            _clear(folder, {*stays, *sent})
        spool.seek(0)
        unpack(spool, folder, over=True, kept=stays)
    return left


def _clear(folder: Path, stays: Collection[str]) -> None:
    """Remove all files but some, and folders without any."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if not path.is_dir():
            if path.relative_to(folder).as_posix() not in stays:
                path.unlink()
        elif not any(path.iterdir()):
            path.rmdir()


def as_jupyter(
    kind: str, parent: str, content: dict[str, Any], message: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a message of a box in the form of Jupyter's protocol."""
    metadata = message.get("m")
    return {
        "header": {"msg_type": kind},
        "msg_type": kind,
        "parent_header": {"msg_id": parent},
        "metadata": metadata if isinstance(metadata, dict) else {},
        "content": content,
        "buffers": [bytes.fromhex(each) for each in message.get("b", ())],
    }
