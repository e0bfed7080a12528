"""kill -9 at every step of a grading: nothing is lost, nothing is doubled."""

import sqlite3

import pytest
from bioskills_grader import LEARNER, RUN, STEPS, Place, check_one_of_each

from bioskills.base.tables import Result, Submission
from bioskills.hub.campus import jobs

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "step", [pytest.param(s, marks=[] if s == "recorded" else [pytest.mark.slow]) for s in STEPS]
)
def test_a_grader_that_dies_after_a_step_does_the_job_again(place: Place, step: str) -> None:
    submission = place.hand_in()
    reached, _log = place.work(step)
    assert reached[-1] == step
    assert place.job_of(submission).state == ("done" if step == "delivered" else "running")

    reached, log = place.work()

    assert reached == ([] if step == "delivered" else list(STEPS))
    assert ("Took back 1 jobs" in log) == (step != "delivered")
    assert place.job_of(submission).state == "done"
    check_one_of_each(place, submission)


def test_a_grader_that_is_asked_to_end_puts_its_job_back(place: Place) -> None:
    place.quick = True  # and slow as asked: it is under way for as long as anybody looks
    submission = place.hand_in(more={"pace.txt": b"550"})
    process = place.grader()
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "fetched":
            process.terminate()
    _out, log = process.communicate(timeout=200)

    job = place.job_of(submission)
    assert (process.returncode, job.state, job.tries) == (0, "queued", 0), log
    place.quick = False
    assert place.work()[0] == list(STEPS)
    check_one_of_each(place, submission)


def test_manual_grades_survive_a_regrade(place: Place) -> None:
    first = place.hand_in()
    place.work()
    with sqlite3.connect(place.root / "runs" / RUN / "gradebook.db") as database:
        database.execute(
            "update grade set manual_score = 1.5, needs_manual_grade = 0 "
            "where cell_id = (select id from base_cell where name = 'cut_out')"
        )
    with place.exchange.site.store.transaction() as session:
        jobs.grade_again(session, session.get_one(Submission, first), 1)
    place.work()

    question = "select manual_score, auto_score, needs_manual_grade from grade join base_cell on base_cell.id = cell_id where name = 'cut_out'"
    assert place.gradebook(question) == [(1.5, 3.0, 1)]
    cells = {cell["cell"]: cell for cell in place.rows(Result, submission_id=first)[-1].cells}
    # Who gave them is not known to the campus, so they count for nothing and a person is asked.
    assert (cells["p1/cut_out"]["manual_points"], cells["p1/cut_out"]["needs_person"]) == (
        None,
        True,
    )
    with sqlite3.connect(place.root / "runs" / RUN / "gradebook.db") as database:
        database.execute("update grade set manual_score = null")


@pytest.mark.slow
def test_an_earlier_hand_in_that_is_graded_late_replaces_nothing(place: Place) -> None:
    first, second = place.hand_in({}), place.hand_in()
    place.work()
    with place.exchange.site.store.transaction() as session:
        jobs.grade_again(session, session.get_one(Submission, first), 1)
    place.work()

    check_one_of_each(place, second)
    assert {
        row[0] for row in place.gradebook("select auto_score from grade where auto_score > 0")
    } == {2.0, 3.0}
    assert [row.cells[0]["auto_points"] for row in place.rows(Result, submission_id=first)] == [
        "0",
        "0",
    ]


def test_gradebooks_hold_pseudonyms_and_the_pristine_one_nobody(place: Place) -> None:
    place.hand_in()
    place.work()

    assert place.gradebook("select id, first_name, last_name, email from student") == [
        (LEARNER, None, None, None)
    ]
    with sqlite3.connect(place.root / "runs" / RUN / "pristine.db") as database:
        assert database.execute("select count(*) from student").fetchone() == (0,)
        assert database.execute("select count(*) from submitted_assignment").fetchone() == (0,)
    assert {path.stat().st_mode & 0o077 for path in (place.root / "runs").iterdir()} == {0}


def test_the_log_says_what_happened_and_quotes_nothing(place: Place) -> None:
    place.hand_in({"count_records_answer": "raise ValueError('my secret answer')"})
    _steps, log = place.work()

    lines = log.strip().splitlines()
    assert any(
        "of sequences-spring-27, submission" in line and ": graded in" in line for line in lines
    ), log
    assert len(lines) < 8, log
    for quoted in ("my secret answer", "ValueError", "assert", "Unwritable", "arrow_in_header"):
        assert quoted not in log
