"""One warm parent of kernels, with learners' labs beside it, for all tests here."""

import os
from collections.abc import Iterator

import pytest
from bioskills_kernels import House, Learner, kernel_house


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
