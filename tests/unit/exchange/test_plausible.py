"""The campus believes no result that the course and the job cannot have given."""

from typing import Any

import pytest

from bioskills.base.tables import CourseVersion, Evidence, Job, Result, Submission
from bioskills.base.wire import CellScore, Flag, GradeResult
from bioskills.hub.campus import jobs
from bioskills.hub.campus.site import Refused

NOTES = {
    "p1": {
        "cells": {
            "count": {"title": "Count", "graded": "automatic"},
            "why": {"title": "Why", "graded": "person"},
        }
    }
}


@pytest.fixture
def job(world: Any) -> Any:
    world.release("p1")
    with world.store.transaction() as session:
        session.get_one(CourseVersion, 1).notes = NOTES
    world.hand_in()
    return world.claim()


def count(**values: Any) -> CellScore:
    given = {"cell": "p1/count", "max_points": "2", "auto_points": "2", "needs_person": False}
    return CellScore.model_validate({**given, **values})


def why(**values: Any) -> CellScore:
    given = {"cell": "p1/why", "max_points": "2", "auto_points": None, "needs_person": True}
    return CellScore.model_validate({**given, **values})


def result(*cells: CellScore, verdict: Any = "graded") -> GradeResult:
    return GradeResult(verdict=verdict, cells=list(cells))


@pytest.mark.parametrize(
    "given",
    [
        result(count(), why()),
        result(count(auto_points="0.5")),
        result(count(auto_points=None, needs_person=True), why(), verdict="needs_person"),
        # An answer left as it was given out has no points by nbgrader's own rule.
        result(count(), why(auto_points="0", needs_person=False)),
        result(verdict="needs_person"),
    ],
)
def test_what_honest_grading_gives_is_taken(world: Any, job: Any, given: GradeResult) -> None:
    world.finish(job.id, given)

    assert len(world.rows(Result)) == 1
    assert world.rows(Job)[0].state == "done"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (result(count(cell="p1/other")), "no cell p1/other"),
        (result(count(cell="s1/count")), "no cell s1/count"),
        (result(count(cell="count")), "no cell count"),
        (result(count(), count()), "2 times"),
        (result(count(auto_points="3")), "3 of 2"),
        (result(count(auto_points="-1")), "no number"),
        (result(count(auto_points="nan")), "no number"),
        (result(count(auto_points="1e9")), "no number"),
        (result(count(auto_points="\u0661")), "no number"),
        (result(count(max_points="")), "no number"),
        (result(count(max_points="Infinity")), "no number"),
        (result(count(manual_points="1")), "points of a person"),
        (result(count(manual_points="1", needs_person=True)), "points of a person"),
        (result(count(extra_credit="1")), "extra credit"),
        (result(count(extra_credit="0")), "extra credit"),
        (result(why(auto_points="2")), "by a person"),
        (result(why(auto_points="0.1", needs_person=False)), "by a person"),
        (result(why(needs_person=False)), "by a person"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    world: Any, job: Any, given: GradeResult, word: str
) -> None:
    with pytest.raises(Refused, match="cannot be right") as refused:
        world.finish(job.id, given)

    assert (refused.value.status, word in refused.value.message) == (422, True)
    assert (world.rows(Result), world.rows(Evidence)) == ([], [])
    left = world.rows(Job)[0]
    assert (left.state, left.tries, left.lease_until is None) == ("running", 1, False)
    assert world.finish(job.id, result(count(), why())) == "preliminary"


def test_all_faults_come_in_one_refusal(world: Any, job: Any) -> None:
    with pytest.raises(Refused) as refused:
        world.finish(job.id, result(count(auto_points="3"), why(auto_points="1")))

    assert "p1/count has 3 of 2 points; p1/why is graded by a person" in refused.value.message


def test_a_course_without_notes_is_checked_in_everything_else(world: Any, job: Any) -> None:
    with world.store.transaction() as session:
        session.get_one(CourseVersion, 1).notes = {}

    with pytest.raises(Refused):
        world.finish(job.id, result(count(cell="p1/any", auto_points="3")))
    world.finish(job.id, result(count(cell="p1/any")))
    assert world.rows(Job)[0].state == "done"


def test_a_persons_points_of_before_come_back_and_wait_for_a_person(world: Any, job: Any) -> None:
    world.finish(job.id, result(count(), why()))
    with world.store.transaction() as session:
        jobs.grade_again(session, session.get_one(Submission, 1), 1)
    again = world.claim()

    for faulty in ({"needs_person": False, "auto_points": "0"}, {"manual_points": "9"}):
        with pytest.raises(Refused):
            world.finish(again.id, result(count(), why(**{"manual_points": "1.5", **faulty})))
    assert world.finish(again.id, result(count(), why(manual_points="1.5"))) == "preliminary"


# Output that no grader of ours gives.
TOO_MUCH = {
    "a long text": {"p1/a": "x" * 6_000},
    "many texts": {f"p1/#{n}": "x" for n in range(300)},
    "long texts": {f"p1/#{n}": "x" * 4_000 for n in range(40)},
    "a colour": {"p1/a": "\x1b[31mred"},
    "zero width": {"p1/a": "z\u200bebra"},
    "an odd name": {"p1/\u202ea": "x"},
}


@pytest.mark.parametrize("shown", TOO_MUCH.values(), ids=TOO_MUCH)
def test_output_to_show_is_short_plain_text(world: Any, job: Any, shown: dict[str, str]) -> None:
    with pytest.raises(Refused, match="printed"):
        world.finish(job.id, result(count(), why()).model_copy(update={"shown": shown}))

    assert world.rows(Result) == []


def test_output_to_show_is_kept_with_the_result(world: Any, job: Any) -> None:
    texts = {"p1/count_answer": "3\tréads\n", "p1/#1": "x"}
    world.finish(job.id, result(count(), why()).model_copy(update={"shown": texts}))

    assert world.rows(Result)[0].shown == texts


def test_a_comment_of_a_person_before_any_person_looked_is_refused(world: Any, job: Any) -> None:
    with pytest.raises(Refused, match="comment of a person"):
        world.finish(job.id, result(count(person_comment="Good."), why()))


def test_points_that_code_may_have_chosen_are_held_for_a_person(world: Any, job: Any) -> None:
    flag = Flag(code="odd_points", cell="p1/count", message="An unusual share.")
    odd = result(count(auto_points="1.37")).model_copy(update={"flags": [flag]})

    assert world.finish(job.id, odd) == "held"
    assert world.rows(Evidence) == []
