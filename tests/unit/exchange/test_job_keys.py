"""What makes two gradings the same, and what is graded again."""

from typing import Any

import pytest

from bioskills.base.tables import Job, Result, Run, Submission
from bioskills.base.wire import JobProgress
from bioskills.hub.campus import job_keys, jobs

OLD, NEW = "course:old", "course:new"


@pytest.fixture(autouse=True)
def _released(world: Any) -> None:
    world.release("p1")


def changed(world: Any, environment: str) -> int:
    with world.store.transaction() as session:
        found = session.query(Submission).order_by(Submission.id).all()
        return len(job_keys.grade_changed(session, found, 1, environment))


def grade_all(world: Any, graded: Any, environment: str) -> int:
    count = 0
    while job := world.claim(environment):
        world.finish(job.id, graded().model_copy(update={"environment": environment}))
        count += 1
    return count


def test_a_job_learns_from_the_grader_what_it_is_graded_with(world: Any) -> None:
    world.hand_in()
    assert [row.environment for row in world.rows(Job)] == [""]

    world.claim(OLD)
    assert [row.environment for row in world.rows(Job)] == [OLD]


def test_grading_with_nothing_changed_does_nothing(world: Any, graded: Any) -> None:
    for text in (b"one", b"two"):
        world.hand_in(text)
    assert grade_all(world, graded, OLD) == 2

    assert changed(world, OLD) == 0
    assert (grade_all(world, graded, OLD), len(world.rows(Job))) == (0, 2)


def test_grading_under_a_changed_environment_is_a_new_job(world: Any, graded: Any) -> None:
    world.hand_in()
    grade_all(world, graded, OLD)

    assert changed(world, NEW) == 1
    assert changed(world, NEW) == 0
    assert grade_all(world, graded, NEW) == 1
    assert [row.environment for row in world.rows(Job)] == [OLD, NEW]


def test_before_the_grader_said_what_it_uses_the_unchanged_goes_away_undone(
    world: Any, graded: Any
) -> None:
    world.hand_in()
    grade_all(world, graded, OLD)

    assert changed(world, "") == 1
    assert grade_all(world, graded, OLD) == 0
    assert [(row.environment, row.state) for row in world.rows(Job)] == [(OLD, "done")]


def test_what_could_not_be_graded_is_tried_again_with_nothing_changed(
    world: Any, graded: Any
) -> None:
    world.hand_in()
    for _try in range(3):
        world.fail(world.claim(OLD).id)
        world.later(minutes=1)

    assert changed(world, OLD) == 1
    assert grade_all(world, graded, OLD) == 1
    assert [row.verdict for row in world.rows(Result)] == ["needs_person", "graded"]


def test_one_more_grading_is_done_whatever_was_done_before(world: Any, graded: Any) -> None:
    world.hand_in()
    grade_all(world, graded, OLD)
    for _time in range(2):
        with world.store.transaction() as session:
            jobs.grade_again(session, session.get_one(Submission, 1), 1)
        assert grade_all(world, graded, OLD) == 1


def test_nobody_waits_for_a_repeated_grading_of_others(world: Any, graded: Any) -> None:
    first = world.hand_in(b"one").submission_id
    grade_all(world, graded, OLD)
    changed(world, NEW)
    second = world.hand_in(b"two").submission_id
    with world.store.reading() as session:
        ahead = [jobs.ahead_of(session, job, world.now) for job in session.query(Job).all()[1:]]

    assert ahead == [1, 0]
    assert [job.submission_id for job in world.claim_many(5, NEW)] == [second, first]


def test_a_job_says_how_far_it_is_and_a_new_try_begins_at_nothing(world: Any) -> None:
    world.hand_in()
    job = world.claim(OLD)
    with world.store.transaction() as session:
        how = JobProgress(step="running", done=3, of=8)
        jobs.report(session, job.id, how, world.now, world.grading)
    row = world.rows(Job)[0]
    assert (row.step, row.done, row.of, row.started_at) == ("running", 3, 8, world.now)

    world.later(seconds=301)
    world.claim(OLD)
    row = world.rows(Job)[0]
    assert (row.step, row.done, row.of, row.started_at) == (None, None, None, world.now)


def test_a_claim_takes_no_more_than_it_asks_for_and_releases_first(world: Any) -> None:
    for text in (b"one", b"two", b"three"):
        world.hand_in(text)
    with world.store.transaction() as session:
        jobs.ensure_release(session, session.get_one(Run, 1))

    assert [job.kind for job in world.claim_many(3)] == ["release", "grade", "grade"]
    assert len(world.claim_many(9)) == 1
    assert world.claim_many(9) == []
