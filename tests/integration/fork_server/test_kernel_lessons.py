"""A lesson gives the same outputs in a forked kernel as in the cold one that checked it."""

from pathlib import Path

import pytest
from bioskills_kernels import House

from bioskills.courses.package import canonical_zip, read_course

pytestmark = pytest.mark.integration

COURSES = Path(__file__).parents[3] / "courses"


@pytest.mark.parametrize("name", sorted(path.name for path in COURSES.glob("*-*")))
def test_every_lesson_gives_the_same_cold_and_forked(kernels: House, name: str) -> None:
    archive = kernels.base / f"{name}.zip"
    archive.write_bytes(canonical_zip(read_course(COURSES / name)))
    lab = kernels.learner(21)
    runs = {}
    for mode in ("cold", "forked"):
        folder = str(lab.home / mode)
        runs[mode] = lab.do("lessons", course=str(archive), folder=folder, mode=mode)
    log = lab.log.read_text()
    kernels.leave(lab)

    assert log.count("cold: no_warm_parent") == len(runs["cold"]) > 0
    assert log.count("cold: ") == len(runs["cold"]), log
    assert runs["forked"] == runs["cold"]
    assert {run["problem"] for run in runs["forked"].values()} == {""}
