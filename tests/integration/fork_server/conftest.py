"""One warm parent of kernels, with learners' labs beside it, and one of boxes, for all tests here."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bioskills_boxes import COURSE, LAB, SMALL, Open
from bioskills_kernels import House, Learner, kernel_house

from bioskills.graders.box import BoxKernel, open_box
from bioskills.graders.own_parent import ParentDoor, WardenDoor, own_door
from bioskills.graders.sandbox import Limits


@pytest.fixture(scope="session")
def kernels() -> Iterator[House]:
    """A serving warm parent; learned modules and all."""
    if os.geteuid() != 0:
        pytest.skip("only root forks kernels for others")
    with kernel_house() as house:
        yield house


@pytest.fixture(scope="module")
def learner(kernels: House) -> Learner:
    """A learner with a kernel `cold` and a kernel `forked`."""
    learner = kernels.learner()
    for mode in ("cold", "forked"):
        info = learner.do("start", name=mode, mode=mode)
        assert info["forked"] is (mode == "forked"), info
    yield learner
    kernels.leave(learner)


@pytest.fixture(scope="module")
def door() -> WardenDoor | ParentDoor:
    """The way to boxes on this machine."""
    return own_door(COURSE, LAB)


@pytest.fixture
def open_(door: Any, tmp_path: Path) -> Iterator[Open]:
    """Open boxes that end with the test; the folder is the test's own unless one is given."""
    opened: list[BoxKernel] = []

    def one(folder: Path = tmp_path, limits: Limits = SMALL, seconds: int = 60, **how: Any) -> Any:
        opened.append(open_box(door, COURSE, limits.of_a_box(seconds), folder, **how))
        return opened[-1]

    yield one
    for kernel in opened:
        kernel.close()
