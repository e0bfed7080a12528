"""One kernel for each box: forked by the warm parent into walls that another process built."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from bioskills_boxes import CELL_S, COURSE, SMALL, said
from bioskills_waiting import eventually

from bioskills.graders.box import BoxEndedError, BoxKernel, open_box
from bioskills.graders.own_parent import ParentDoor, WardenDoor
from bioskills.graders.sandbox import SandboxError
from bioskills.hub.processes import PROC

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
LIMITS = SMALL.of_a_box(60)
SEEN = """
import os
print(sorted(int(name) for name in os.listdir("/proc") if name.isdigit()), os.getpid())
"""
MODULE = b"bioskills.fork_server.boxes"


@pytest.fixture
def twelve(door: WardenDoor | ParentDoor, tmp_path: Path) -> Iterator[list[BoxKernel]]:
    """Boxes at one time."""
    made = [open_box(door, COURSE, LIMITS, tmp_path) for _number in range(12)]
    yield made
    for kernel in made:
        kernel.close()


def test_each_of_many_kernels_is_in_its_own_box(twelve: list[BoxKernel]) -> None:
    for number, kernel in enumerate(twelve):
        said(kernel, f"open('mine', 'w').write('{number}')")

    assert {said(kernel, SEEN) for kernel in twelve} == {"[1, 2] 2\n"}
    written = [said(kernel, "print(open('mine').read())").strip() for kernel in twelve]
    assert written == [str(number) for number in range(12)]


def _warm_parents(door: WardenDoor | ParentDoor) -> set[int]:
    """Return the processes that forked kernels come from: of a box's parents the one without a box.

    The maker is its child, so the warm parent is the one whose parent has another command line.
    """
    config = str(door.path.parent / "fork.json").encode()
    found = {}
    for entry in PROC.iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if MODULE in words and config in words and b"--die-with-parent" not in words:
                found[int(entry.name)] = int(
                    (entry / "stat").read_text().rpartition(")")[2].split()[1]
                )
        except OSError:
            continue
    return {pid for pid, parent in found.items() if parent not in found}


@pytest.mark.skipif(os.geteuid() != 0, reason="without root nobody starts the parent again")
def test_boxes_end_with_their_warm_parent_and_the_next_one_makes_new_ones(
    door: WardenDoor, twelve: list[BoxKernel], tmp_path: Path
) -> None:
    (parent,) = _warm_parents(door)
    os.kill(parent, signal.SIGKILL)
    for kernel in twelve:
        with pytest.raises(BoxEndedError):
            kernel.run("while True: pass", CELL_S, lambda _message: None)
    assert eventually(lambda: _warm_parents(door) - {parent})

    again = _opened(door, tmp_path)
    assert said(again, SEEN) == "[1, 2] 2\n"
    again.close()


def _opened(door: WardenDoor, folder: Path) -> BoxKernel:
    """Open a box as soon as the new parent is warm."""

    def one() -> BoxKernel | None:
        with suppress(SandboxError):
            return open_box(door, COURSE, LIMITS, folder)
        return None

    found = eventually(one)
    assert found
    return found
