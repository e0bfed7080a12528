"""Read what a box says: a learner's word, used up to a size and as nothing else."""

import io
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bioskills.graders.intake import unpack

MOST_HEARD = 200
MOST_BYTES = 96 << 20


def pairs(found: Any) -> list[tuple[str, str]]:
    """Read codes and details; whatever else stands there is itself worth a look."""
    try:
        return [(str(code)[:60], str(detail)[:120]) for code, detail in found][:MOST_HEARD]
    except (TypeError, ValueError):
        return [("guard_silenced", "")]


def take_files(file: Any, head: Mapping[str, Any], folder: Path) -> int:
    """Write the files that a box sent over those of a folder; return how many stayed behind."""
    size = int(head["bytes"])
    if not 0 <= size <= MOST_BYTES:
        raise OSError("too large")
    spool = io.BytesIO(file.read(size))
    with suppress(tarfile.TarError, ValueError):
        unpack(spool, folder, over=True, kept=[path.name for path in folder.glob("*.ipynb")])
    return int(head.get("left_out", 0))


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
