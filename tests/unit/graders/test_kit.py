"""What is carried to another machine to grade an assignment there."""

import tarfile
from pathlib import Path

import pytest

from bioskills.graders.dask_worker import kit_of, newest
from bioskills.graders.warm_check import COLD
from bioskills.graders.workshop import PRISTINE


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name in (
        PRISTINE,
        COLD,
        "gradebook.db",
        "source/p1/p1.ipynb",
        "source/p1/data/a.fasta",
        "source/s1/s1.ipynb",
        "release/p1/p1.ipynb",
        "release/s1/s1.ipynb",
        "submitted/p-000001/p1/p1.ipynb",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_kit_holds_what_grading_needs_and_no_solution_and_no_learner(
    shop: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tar = tmp_path_factory.mktemp("kit") / "kit.tar"
    tar.write_bytes(kit_of(shop, "p1"))
    with tarfile.open(tar) as archive:
        names = archive.getnames()

    assert names == [PRISTINE, COLD, "source/p1/data/a.fasta", "release/p1/p1.ipynb"]


def test_an_assignment_that_came_to_be_graded_cold_has_a_new_kit(shop: Path) -> None:
    before = newest(shop)
    (shop / COLD).write_text("{}")

    assert newest(shop) > before
