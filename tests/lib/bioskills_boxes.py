"""Boxes for tests: a kernel behind walls, and what is left of it outside."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bioskills_product import ENVIRONMENTS

from bioskills.graders.box import BoxEndedError, BoxKernel
from bioskills.graders.own_parent import ParentDoor, WardenDoor
from bioskills.graders.sandbox import Limits

COURSE, LAB = ENVIRONMENTS / "course", ENVIRONMENTS / "lab"
SMALL = Limits(memory_mb=600, processes=48, disk_mb=64)
CELL_S = 60.0
CGROUPS = Path("/sys/fs/cgroup")
Open = Callable[..., BoxKernel]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="slots with uids of their own need root")


def said(kernel: BoxKernel, code: str, seconds: float = CELL_S) -> str:
    """Return what a cell prints and raises."""
    found: list[dict[str, Any]] = []
    kernel.run(code, seconds, found.append)
    parts = [message["content"] for message in found]
    return "".join(each.get("text", "") + each.get("ename", "") for each in parts)


def why_ended(kernel: BoxKernel, code: str, seconds: float = CELL_S) -> str:
    with pytest.raises(BoxEndedError) as ended:
        kernel.run(code, seconds, lambda _message: None)
    return ended.value.why


def back(kernel: BoxKernel, folder: Path) -> tuple[int, dict[str, int]]:
    """Return how many entries stayed behind, and the sizes of the files that came."""
    folder.mkdir()
    left = kernel.files_into(folder)
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    found = {
        p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()
    }
    return left, found


def running_as(uid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-u", str(uid)], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split()]


def groups_of(door: WardenDoor | ParentDoor, uid: int) -> list[Path]:
    """Return the control groups that the boxes of this door have for a uid."""
    mark = json.loads((door.path.parent / "fork.json").read_text())["mark"]
    return list(CGROUPS.glob(f"**/bioskills-{mark}/{uid}"))
