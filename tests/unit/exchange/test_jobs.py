"""Jobs, verdicts and the evidence that comes of them."""

from typing import Any

import pytest

from bioskills.base.tables import CourseVersion, Evidence, Job, Person, Result, Run, Submission
from bioskills.base.wire import GradeResult, JobProgress
from bioskills.hub.campus import jobs, results
from bioskills.hub.campus.site import Refused


@pytest.fixture(autouse=True)
def _released(world: Any) -> None:
    world.release("p1")
    world.release("s1")


def publish(world: Any, result_id: int, by: str = "ines") -> int:
    with world.store.transaction() as session:
        result = session.get_one(Result, result_id)
        return len(results.publish(session, result, by, world.now))


def test_a_job_carries_what_the_grader_needs(world: Any) -> None:
    receipt = world.hand_in()
    job = world.claim()

    assert (job.kind, job.run, job.course, job.course_version) == (
        "grade",
        "spring",
        "seqs",
        "1.0.0",
    )
    assert (job.assignments, job.learner, job.submission_id) == (
        ["p1"],
        "p-000001",
        receipt.submission_id,
    )
    assert "ada" not in job.model_dump_json()


def test_releases_come_first(world: Any) -> None:
    world.hand_in()
    with world.store.transaction() as session:
        jobs.ensure_release(session, session.get_one(Run, 1))

    job = world.claim()
    assert (job.kind, job.assignments) == ("release", ["p1", "s1"])
    assert world.finish(job.id, GradeResult(verdict="graded", cells=[])) == ""
    assert world.claim().kind == "grade"


def test_a_release_can_be_asked_for_again(world: Any) -> None:
    for _time in range(2):
        with world.store.transaction() as session:
            jobs.ensure_release(session, session.get_one(Run, 1))
        job = world.claim()
        world.finish(job.id, GradeResult(verdict="graded", cells=[]))

    assert [(row.state, row.tries) for row in world.rows(Job)] == [("done", 1)]


def test_a_job_is_given_to_one_worker(world: Any) -> None:
    world.hand_in()

    assert world.claim() is not None
    assert world.claim() is None


def test_a_silent_worker_loses_its_job(world: Any) -> None:
    world.hand_in()
    first = world.claim()
    world.later(seconds=301)

    assert world.claim() == first
    assert world.rows(Job)[0].tries == 2


def test_a_worker_that_reports_keeps_its_job(world: Any) -> None:
    world.hand_in()
    job = world.claim()
    world.later(seconds=200)
    with world.store.transaction() as session:
        how = JobProgress(step="running", done=2, of=9)
        jobs.report(session, job.id, how, world.now, world.grading)
    world.later(seconds=200)

    assert world.claim() is None


def test_a_worker_that_dies_each_time_leaves_a_verdict(world: Any) -> None:
    world.hand_in()
    for _try in range(3):
        assert world.claim() is not None
        world.later(seconds=301)

    assert world.claim() is None
    result = world.rows(Result)[0]
    assert (result.verdict, result.state) == ("needs_person", "preliminary")
    assert "your work was received" in result.reason.lower()
    assert world.rows(Job)[0].state == "failed"


def test_a_failed_try_waits_before_the_next(world: Any) -> None:
    world.hand_in()
    job = world.claim()

    assert world.fail(job.id) == "queued"
    assert world.claim() is None
    world.later(seconds=5)
    assert world.claim() is not None


def test_a_try_whose_worker_was_killed_is_repeated_at_once(world: Any) -> None:
    world.hand_in()

    assert world.fail(world.claim().id, at_once=True) == "queued"
    assert world.claim() is not None
    assert world.rows(Job)[0].tries == 2


def test_the_last_failed_try_asks_a_person(world: Any) -> None:
    world.hand_in()
    for _try in range(3):
        state = world.fail(world.claim().id)
        world.later(minutes=1)

    assert state == "failed"
    assert [row.verdict for row in world.rows(Result)] == ["needs_person"]
    pending = world.rows(Evidence)
    assert {(row.outcome, row.pending, row.score) for row in pending} == {
        ("BSH-U04-S1", True, None),
        ("BSH-U04-K2", True, None),
    }


def test_a_result_given_twice_is_one_result(world: Any, graded: Any) -> None:
    world.hand_in()
    job = world.claim()

    assert world.finish(job.id, graded()) == "published"
    assert world.finish(job.id, graded(count="0")) == "published"
    assert len(world.rows(Result)) == 1
    assert len(world.rows(Evidence)) == 2


def test_a_result_that_comes_after_giving_up_changes_nothing(world: Any, graded: Any) -> None:
    world.hand_in()
    for _try in range(3):
        job = world.claim()
        world.fail(job.id)
        world.later(minutes=1)

    world.finish(job.id, graded())
    assert [row.verdict for row in world.rows(Result)] == ["needs_person"]
    assert world.rows(Job)[0].state == "failed"


def test_a_failure_after_the_result_changes_nothing(world: Any, graded: Any) -> None:
    world.hand_in()
    job = world.claim()
    world.finish(job.id, graded())

    assert world.fail(job.id) == "done"
    assert len(world.rows(Result)) == 1


def test_evidence_has_one_row_per_outcome(world: Any, graded: Any) -> None:
    receipt = world.hand_in()
    world.finish(world.claim().id, graded(count="1"))

    skill = world.rows(Evidence, outcome="BSH-U04-S1")[0]
    assert (skill.score, skill.raw, skill.max, skill.pending) == (
        "0.5000",
        "1.0000",
        "2.0000",
        False,
    )
    assert (skill.learner, skill.actor, skill.released_by) == ("p-000001", "grader", "automatic")
    assert (skill.task, skill.attempt, skill.mapping) == ("p1", 1, "seqs@1")
    assert (skill.framework, skill.rule) == ("BSH@1.0.0", "BSH-MR-1")
    assert skill.submitted_at == receipt.submitted_at
    assert skill.notebook_sha256 == "a" * 64
    assert skill.supersedes is None
    assert len(skill.feedback_sha256) == 64


def test_a_cell_for_a_person_makes_it_preliminary_and_its_outcome_pending(
    world: Any, graded: Any
) -> None:
    world.hand_in()

    assert world.finish(world.claim().id, graded(why=None, waits=True)) == "preliminary"
    found = {row.outcome: (row.score, row.pending) for row in world.rows(Evidence)}
    assert found == {"BSH-U04-S1": ("1.0000", False), "BSH-U04-K2": (None, True)}


def test_work_for_review_is_held_until_a_person_returns_it(world: Any, graded: Any) -> None:
    world.hand_in(name="s1")
    assert world.finish(world.claim().id, graded(name="s1")) == "held"
    assert world.rows(Evidence) == []

    assert publish(world, 1) == 2
    result = world.rows(Result)[0]
    assert (result.state, result.published_by) == ("published", "p-000002")
    assert {row.actor for row in world.rows(Evidence)} == {"p-000002"}


def test_returning_twice_adds_evidence_once(world: Any, graded: Any) -> None:
    world.hand_in(name="s1")
    world.finish(world.claim().id, graded(name="s1"))

    assert (publish(world, 1), publish(world, 1)) == (2, 0)
    assert len(world.rows(Evidence)) == 2


def test_a_later_result_supersedes_the_earlier_evidence(world: Any, graded: Any) -> None:
    world.hand_in()
    world.finish(world.claim().id, graded(count="0"))
    with world.store.transaction() as session:
        jobs.grade_again(session, session.get_one(Submission, 1), 1)
    world.finish(world.claim().id, graded(count="2"))

    rows = world.rows(Evidence, outcome="BSH-U04-S1")
    assert [(row.score, row.supersedes) for row in rows] == [
        ("0.0000", None),
        ("1.0000", rows[0].seq),
    ]


def test_the_next_attempt_supersedes_nothing(world: Any, graded: Any) -> None:
    for text in (b"one", b"two"):
        world.hand_in(text)
        world.finish(world.claim().id, graded())

    assert [row.supersedes for row in world.rows(Evidence)] == [None] * 4
    assert [row.attempt for row in world.rows(Evidence, outcome="BSH-U04-S1")] == [1, 2]


def test_a_course_whose_mapping_does_not_fit_asks_a_person(world: Any) -> None:
    world.hand_in()
    cell = {"cell": "p1/count", "max_points": "2", "auto_points": "2", "needs_person": False}
    grade = GradeResult.model_validate({"verdict": "graded", "cells": [cell]})

    assert world.finish(world.claim().id, grade) == "preliminary"
    result = world.rows(Result)[0]
    assert result.verdict == "needs_person"
    assert "p1/why" in result.reason
    assert {row.pending for row in world.rows(Evidence)} == {True}


def test_points_that_are_no_numbers_ask_a_person(world: Any, graded: Any) -> None:
    world.hand_in()
    for _try in range(3):
        job = world.claim()
        with pytest.raises(Refused, match="no number of points"):
            world.finish(job.id, graded(count="nan"))
        world.fail(job.id)
        world.later(minutes=1)

    assert [row.verdict for row in world.rows(Result)] == ["needs_person"]
    assert {row.pending for row in world.rows(Evidence)} == {True}


def test_a_broken_mapping_keeps_no_result_from_a_learner(world: Any, graded: Any) -> None:
    with world.store.transaction() as session:
        session.get_one(CourseVersion, 1).mapping = {"framework": "?"}
    world.hand_in()

    assert world.finish(world.claim().id, graded()) == "published"
    assert world.rows(Evidence) == []


def test_answers_are_kept_with_the_result(world: Any, graded: Any) -> None:
    world.hand_in()
    world.finish(world.claim().id, graded())

    assert world.rows(Result)[0].hashes["answers"] == {"p1/count": "def count(): ..."}


def test_evidence_holds_no_names(world: Any, graded: Any) -> None:
    world.hand_in(name="s1")
    world.finish(world.claim().id, graded(name="s1"))
    publish(world, 1, by="ines")

    names = {row.name for row in world.rows(Person)}
    columns = [column.name for column in Evidence.__table__.columns]
    assert not names & {getattr(row, column) for row in world.rows(Evidence) for column in columns}
