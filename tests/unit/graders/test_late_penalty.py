"""What coming late costs reaches the gradebook as nbgrader's own preprocessor would write it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties

from bioskills.base.wire import CellScore, GradeResult, Job
from bioskills.graders.engine import COURSE, ensure_gradebook
from bioskills.graders.gradebook import record
from bioskills.graders.late_penalty import plugin_for

# nbgrader 0.9.6 on SQLAlchemy 2: noise.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

DUE = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path}/gradebook.db"
    ensure_gradebook(found)
    with Gradebook(found, COURSE) as gradebook:
        gradebook.add_assignment("p1")
        gradebook.add_notebook("p1", "p1")
        gradebook.add_grade_cell("a", "p1", "p1", max_score=10, cell_type="code")
    return found


def grade(url: str, hours_late: int, percent: int) -> tuple[float, float]:
    """Record a hand-in that has 7 of 10 points; return score and penalty in the gradebook."""
    job = Job(
        id=1, kind="grade", run="r", course="c", course_version="1", assignments=["p1"],
        learner="p-000001", submitted_at=DUE + timedelta(hours=hours_late), due_at=DUE,
        late_percent=percent,
    )  # fmt: skip
    cell = CellScore(cell="p1/a", max_points="10", auto_points="7", needs_person=False)
    record(url, job, GradeResult(verdict="graded", cells=[cell]))
    return stands(url)


def stands(url: str) -> tuple[float, float]:
    with Gradebook(url, COURSE) as gradebook:
        book = gradebook.find_submission_notebook("p1", "p1", "p-000001")
        return book.score, book.late_submission_penalty


def test_the_penalty_is_a_share_of_the_score_and_the_score_stays(url: str) -> None:
    assert grade(url, 30, 20) == (7.0, pytest.approx(1.4))


def test_work_in_time_has_no_penalty(url: str) -> None:
    assert grade(url, -1, 0) == (7.0, None)


def test_a_later_grading_without_a_penalty_takes_the_old_one_away(url: str) -> None:
    grade(url, 30, 20)

    assert grade(url, 30, 0) == (7.0, None)


def test_nbgraders_own_preprocessor_writes_the_same(url: str) -> None:
    ours = grade(url, 30, 20)
    with Gradebook(url, COURSE) as gradebook:
        gradebook.find_assignment("p1").duedate = DUE.replace(tzinfo=None)
        gradebook.find_submission_notebook("p1", "p1", "p-000001").late_submission_penalty = 0
        gradebook.db.commit()
    about = {"notebook": "p1", "assignment": "p1", "student": "p-000001", "db_url": url}

    AssignLatePenalties(plugin_class=plugin_for(20)).preprocess(new_notebook(), {"nbgrader": about})

    assert stands(url) == ours
