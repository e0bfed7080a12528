"""kill -9 at every statement: nothing is lost, nothing is doubled."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from bioskills.base.store import Store
from bioskills.base.tables import Evidence, Job, Result, Submission

MOST = 60


@pytest.fixture(autouse=True)
def _released(world: Any) -> None:
    world.release("p1")


def killed_at(world: Any, statement: int, work: Callable[[Any], object]) -> bool:
    """Do the work in a child that dies before its nth statement; say whether it died."""
    child = os.fork()
    if child == 0:
        world.store = Store(world.store.url)
        left = [statement]

        def count(*_about: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(world.store.engine, "before_cursor_execute", count)
        event.listen(world.store.engine, "commit", count)
        try:
            work(world)
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def every_kill(world: Any, work: Callable[[Any], object], check: Callable[[], None]) -> int:
    """Kill at the first statement, the second and so on, until the work ends; return how many."""
    for statement in range(1, MOST):
        if not killed_at(world, statement, work):
            return statement - 1
        check()
    raise AssertionError("the work has no end")


def test_a_hand_in_is_whole_or_not_there(world: Any) -> None:
    def check() -> None:
        pairs = [(row.id, job.submission_id) for row, job in zip(*both(), strict=True)]
        assert all(submission == of_job for submission, of_job in pairs)

    def both() -> tuple[list[Any], list[Any]]:
        return world.rows(Submission), world.rows(Job)

    kills = every_kill(world, lambda w: w.hand_in(b"work"), check)

    assert kills > 5
    assert (len(world.rows(Submission)), len(world.rows(Job))) == (1, 1)


def test_a_result_is_published_with_all_its_evidence_or_not_at_all(world: Any, graded: Any) -> None:
    world.hand_in()
    job = world.claim()

    def check() -> None:
        expected = 2 * len(world.rows(Result))
        assert len(world.rows(Evidence)) == expected
        assert world.rows(Job)[0].state == ("done" if expected else "running")

    kills = every_kill(world, lambda w: w.finish(job.id, graded()), check)

    assert kills > 8
    assert (len(world.rows(Result)), len(world.rows(Evidence))) == (1, 2)


def test_giving_up_is_whole_or_not_there(world: Any) -> None:
    world.hand_in()
    for _try in range(3):
        world.claim()
        world.later(seconds=301)

    def check() -> None:
        failed = world.rows(Job)[0].state == "failed"
        assert len(world.rows(Result)) == failed

    kills = every_kill(world, lambda w: w.claim(), check)

    assert kills > 5
    assert [row.verdict for row in world.rows(Result)] == ["needs_person"]
