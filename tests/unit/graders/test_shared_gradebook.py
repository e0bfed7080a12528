"""The grader and formgrader write one gradebook, from two processes, without losing a word."""

import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from bioskills.base.wire import CellScore, GradeResult, Job
from bioskills.graders.engine import COURSE, ensure_gradebook
from bioskills.graders.gradebook import record

# nbgrader 0.9.6 on SQLAlchemy 2: noise.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

ROUNDS = 40
CELLS = ("a", "b", "c")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A run's gradebook with one assignment of three cells, graded once."""
    found = f"sqlite:///{tmp_path}/gradebook.db"
    ensure_gradebook(found)
    with Gradebook(found, COURSE) as gradebook:
        gradebook.add_assignment("p1")
        gradebook.add_notebook("p1", "p1")
        for name in CELLS:
            gradebook.add_grade_cell(name, "p1", "p1", max_score=5, cell_type="code")
    record(found, job(0), result(0))
    return found


def job(number: int) -> Job:
    at = datetime(2027, 3, 1, tzinfo=UTC) + timedelta(seconds=number)
    return Job(
        id=number + 1, kind="grade", run="r", course="c", course_version="1",
        assignments=["p1"], learner="p-000001", submitted_at=at,
    )  # fmt: skip


def result(number: int) -> GradeResult:
    cells = [
        CellScore(
            cell=f"p1/{name}", max_points="5", auto_points=str(number % 5), needs_person=False
        )
        for name in CELLS
    ]
    return GradeResult(verdict="graded", cells=cells)


def grade_again_and_again(url: str) -> None:
    for number in range(1, ROUNDS):
        record(url, job(number), result(number))


def give_points(url: str) -> None:
    """Write as formgrader's handlers do: one gradebook for the whole time, forgotten after each."""
    gradebook = Gradebook(f"{url}?timeout=30", COURSE)
    for number in range(ROUNDS):
        grade = gradebook.find_grade(CELLS[number % 3], "p1", "p1", "p-000001")
        grade.manual_score = 1 + number // 3
        grade.needs_manual_grade = False
        gradebook.db.commit()
        gradebook.db.remove()


def grades(url: str) -> dict[str, Any]:
    with Gradebook(url, COURSE) as gradebook:
        found = gradebook.find_submission_notebook("p1", "p1", "p-000001").grades
        return {grade.name: (grade.auto_score, grade.manual_score) for grade in found}


@pytest.mark.timeout(600)
def test_points_of_a_person_and_of_the_grader_both_stand_after_a_race(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    both = [
        context.Process(target=act, args=(url,)) for act in (grade_again_and_again, give_points)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(500)

    assert [process.exitcode for process in both] == [0, 0]
    last_auto = float((ROUNDS - 1) % 5)
    expected = {CELLS[number % 3]: (last_auto, 1.0 + number // 3) for number in range(ROUNDS)}
    assert grades(url) == expected


def test_a_later_grading_keeps_what_a_person_gave(url: str) -> None:
    give_points(url)
    before = grades(url)

    record(url, job(1), result(1))

    assert {name: manual for name, (_auto, manual) in grades(url).items()} == {
        name: manual for name, (_auto, manual) in before.items()
    }
