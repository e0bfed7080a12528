"""Jobs of a grader that ended: taken back at once, put back undone, never without end."""

from typing import Any

import pytest

from bioskills.base.tables import Job, Result
from bioskills.base.wire import Claim
from bioskills.hub.campus import jobs


@pytest.fixture(autouse=True)
def _released(world: Any) -> None:
    world.release("p1")


def recover(world: Any, *holding: int, at_most: int = 1) -> int:
    with world.store.transaction() as session:
        ask = Claim(at_most=at_most, holding=list(holding))
        return jobs.take_back(session, ask, world.now, world.grading)


def put_back(world: Any, job_id: int) -> str:
    with world.store.transaction() as session:
        return jobs.put_back(session, job_id).state


def test_a_new_grader_takes_back_what_was_under_way_without_waiting(world: Any) -> None:
    world.hand_in()
    first = world.claim()

    assert world.claim() is None
    assert recover(world) == 1
    assert world.claim() == first
    assert world.rows(Job)[0].tries == 2


def test_taking_back_leaves_all_other_jobs_alone(world: Any, graded: Any) -> None:
    world.hand_in(b"one")
    world.finish(world.claim().id, graded())
    world.hand_in(b"two")

    assert recover(world) == 0
    assert [row.state for row in world.rows(Job)] == ["done", "queued"]


def test_a_grader_keeps_what_it_says_it_holds_as_long_as_it_says_so(world: Any) -> None:
    world.hand_in(b"one")
    world.hand_in(b"two")
    held, lost = world.claim_many(2)
    world.later(seconds=290)

    assert recover(world, held.id) == 1
    world.later(seconds=20)
    assert world.claim_many(2) == [lost]


def test_a_grader_that_does_not_say_what_it_holds_loses_nothing(world: Any) -> None:
    world.hand_in()
    world.claim()
    with world.store.transaction() as session:
        taken = jobs.take_back(session, Claim(), world.now, world.grading)

    assert (taken, world.claim()) == (0, None)


def test_work_that_kills_the_grader_each_time_ends_with_a_verdict(world: Any) -> None:
    world.hand_in()
    for _try in range(world.grading.max_attempts):
        assert world.claim() is not None
        recover(world)

    assert world.claim() is None
    assert world.rows(Job)[0].state == "failed"
    assert [row.verdict for row in world.rows(Result)] == ["needs_person"]


def test_a_job_put_back_undone_counts_no_try(world: Any) -> None:
    world.hand_in()
    job = world.claim()

    assert put_back(world, job.id) == "queued"
    assert world.rows(Job)[0].tries == 0
    assert world.claim() == job


def test_a_grader_that_ends_gives_everything_back_and_no_try_counts(world: Any) -> None:
    for text in (b"one", b"two"):
        world.hand_in(text)
    for _time in range(world.grading.max_attempts + 1):
        assert len(world.claim_many(2)) == 2
        assert recover(world, at_most=0) == 2

    assert [(row.state, row.tries) for row in world.rows(Job)] == [("queued", 0)] * 2


def test_a_job_that_is_done_is_not_put_back(world: Any, graded: Any) -> None:
    world.hand_in()
    job = world.claim()
    world.finish(job.id, graded())

    assert put_back(world, job.id) == "done"
