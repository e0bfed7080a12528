"""A hand or the campus ends at any moment: every job is finished, once."""

import sqlite3
from pathlib import Path

import pytest
from bioskills_grader import RUN, STEPS, Campus, Place, check_one_of_each

from bioskills.base.tables import Result, Run, Submission
from bioskills.hub.campus import job_keys

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture
def quick(place: Place) -> Place:
    """A grader whose gradings cost nothing."""
    place.quick = True
    return place


def test_a_hand_that_is_killed_is_replaced_and_its_job_tried_at_once(
    quick: Place, tmp_path: Path
) -> None:
    deadly = {"deadly.txt": f"{tmp_path / 'note'} 2".encode()}
    submission, other = quick.hand_in(more=deadly), quick.hand_in(who="max")
    steps, log = quick.work()

    assert steps.count("delivered") == 2, log
    assert [quick.job_of(one).tries for one in (submission, other)] == [3, 1]
    check_one_of_each(quick, submission)


def test_work_that_kills_every_hand_ends_with_a_verdict_and_the_batch_goes_on(
    quick: Place, tmp_path: Path
) -> None:
    deadly = {"deadly.txt": f"{tmp_path / 'note'} 99".encode()}
    submission, other = quick.hand_in(more=deadly), quick.hand_in(who="max")
    quick.work()

    verdicts = [quick.rows(Result, submission_id=one)[0].verdict for one in (submission, other)]
    assert verdicts == ["needs_person", "graded"]
    assert quick.job_of(submission).state == "failed"


def test_grading_again_with_nothing_changed_does_nothing(quick: Place) -> None:
    submission = quick.hand_in()
    quick.work()
    with quick.exchange.site.store.transaction() as session:
        run = session.query(Run).one()
        mine = session.get_one(Submission, submission)
        for environment in (quick.key, ""):
            job_keys.grade_changed(session, [mine], run.id, environment)

    assert quick.work()[0] == []
    assert len(quick.rows(Result, submission_id=submission)) == 1
    quick.key = "course:newer"
    with quick.exchange.site.store.transaction() as session:
        mine = session.get_one(Submission, submission)
        assert job_keys.grade_changed(session, [mine], run.id, quick.key)
    assert quick.work()[0] == list(STEPS)
    assert len(quick.rows(Result, submission_id=submission)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS[:-1])
def test_a_campus_that_is_killed_after_a_step_costs_no_grading(
    quick: Place, campus: Campus, step: str
) -> None:
    submission = quick.hand_in()
    quick.url = campus.url
    grader = quick.grader(pause_at=step)
    assert grader.stdout is not None
    assert grader.stdin is not None
    for line in grader.stdout:
        if line.strip() == step:
            break
    campus.kill()
    grader.stdin.write("go on\n")
    grader.stdin.flush()
    campus.start()
    _steps, log = grader.communicate(timeout=120)

    assert grader.returncode == 0, log
    assert quick.job_of(submission).state == "done"
    check_one_of_each(quick, submission)


@pytest.mark.slow
def test_a_gradebook_is_whole_at_every_moment_of_a_batch(quick: Place) -> None:
    for who in ("lea", "max"):
        quick.hand_in(who=who)
    grader = quick.grader("recorded")
    grader.communicate(timeout=120)
    half = (
        "select count(*) from submitted_assignment where (select count(*) from grade join "
        "submitted_notebook on submitted_notebook.id = grade.notebook_id where "
        "submitted_notebook.assignment_id = submitted_assignment.id and auto_score is null) > 0"
    )
    with sqlite3.connect(quick.root / "runs" / RUN / "gradebook.db") as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        assert database.execute(half).fetchone() == (0,)
    assert quick.work()[0].count("delivered") in {1, 2}
