"""A lesson gives the same outputs in a forked kernel as in the cold one that checked it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from bioskills_kernels import House, Learner

from bioskills.courses.package import canonical_zip, read_course

pytestmark = pytest.mark.integration

COURSES = Path(__file__).parents[3] / "courses"


@pytest.mark.parametrize("name", sorted(path.name for path in COURSES.glob("*-*")))
def test_every_lesson_gives_the_same_cold_and_forked(kernels: House, name: str) -> None:
    archive = kernels.base / f"{name}.zip"
    archive.write_bytes(canonical_zip(read_course(COURSES / name)))
    modes = ("cold", "forked")
    labs = [kernels.learner(number) for number in (21, 22)]
    with ThreadPoolExecutor() as both:  # a core for each
        cold, forked = both.map(lambda lab, mode: lessons(lab, archive, mode), labs, modes)
    logs = [lab.log.read_text() for lab in labs]
    for lab in labs:
        kernels.leave(lab)

    assert logs[0].count("cold: no_warm_parent") == len(cold) > 0
    assert [log.count("cold: ") for log in logs] == [len(cold), 0], logs
    assert forked == cold
    assert {run["problem"] for run in forked.values()} == {""}


def lessons(lab: Learner, archive: Path, mode: str) -> dict[str, Any]:
    """Return what every cell of every lesson gave."""
    folder = str(lab.home / "lessons")
    return dict(lab.do("lessons", course=str(archive), folder=folder, mode=mode))
