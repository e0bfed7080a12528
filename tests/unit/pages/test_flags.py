"""A flagged result asks a person, lowers nobody, and accuses nobody before the learner."""

from datetime import timedelta
from typing import Any

import pytest
from pages_builders import NOW, World, auto, waiting
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX, Feedback, GradeResult, LabOverview
from bioskills.hub.campus import results
from bioskills.hub.campus.site import Refused

FLAG = {"code": "ast_transformer", "cell": "p1/count", "message": "The source was rewritten."}
LOOKS = "It counts once a person has looked at it."


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27"))
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    return empty


def flagged(world: World, *flags: dict[str, str], **more: Any) -> tuple[int, int]:
    """Let p1, which is returned by itself, come back with these flags."""
    submission = world.hand_in("kim", 1, "p1")
    cells = [auto("p1/count", "4", "4")]
    result = world.grade(submission, cells, flags=list(flags or (FLAG,)), **more)
    return submission, result


def stored(world: World, result: int) -> tables.Result:
    with world.store.reading() as session:
        return session.get_one(tables.Result, result)


def evidence(world: World) -> list[tables.Evidence]:
    with world.store.reading() as session:
        return list(session.scalars(select(tables.Evidence).order_by(tables.Evidence.seq)))


def told(world: World, submission: int) -> Feedback:
    answer = world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/feedback/{submission}")
    return Feedback.model_validate(answer.json())


def counts(world: World, result: int, name: str = "ada", status: int = 303) -> str:
    path = f"{CAMPUS_PREFIX}runs/spring/assignments/p1/counts"
    answer = world.browser(name).post(path, data={"result": result})
    assert answer.status_code == status, answer.text
    return answer.headers.get("location", "")


def again(world: World, submission: int, **more: Any) -> int:
    """Grade the same hand-in once more."""
    with world.store.transaction() as session:
        row = session.get_one(tables.Submission, submission)
        session.add(
            tables.Job(
                kind="grade",
                submission_id=submission,
                assignment_version_id=row.assignment_version_id,
                run_id=1,
                environment="again-1",
            )
        )
    return world.grade(submission, [auto("p1/count", "4", "4")], **more)


def test_a_flagged_result_is_preliminary_and_keeps_its_points(world: World) -> None:
    submission, result = flagged(world)

    found = told(world, submission)
    assert (found.state, found.points, stored(world, result).state) == (
        "preliminary",
        "4",
        "preliminary",
    )


def test_evidence_of_a_flagged_result_waits_for_a_person(world: World) -> None:
    flagged(world)

    assert [(row.pending, row.score) for row in evidence(world)] == [(True, None)]


def test_the_learner_reads_that_a_person_looks_and_no_accusation(world: World) -> None:
    submission, _result = flagged(world)
    view = LabOverview.model_validate(
        world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/overview").json()
    )
    page = world.browser("kim").get(f"{CAMPUS_PREFIX}feedback/{submission}").text

    found = told(world, submission)
    assert found.reason.startswith(LOOKS)
    assert view.runs[0].assignments[0].message.startswith(LOOKS)
    assert LOOKS in page
    for text in (found.model_dump_json(), view.model_dump_json(), page):
        assert "ast_transformer" not in text
        assert "rewritten" not in text
        assert "flag" not in text.lower().replace("i-flag", "")


def test_the_instructor_reads_the_flag_beside_the_hand_in(world: World) -> None:
    submission, _result = flagged(world)

    page = world.browser("ada").get(f"{CAMPUS_PREFIX}feedback/{submission}").text
    assert "Flagged: look at this before it counts." in page
    assert "The source was rewritten." in page
    assert "Counts the records (count)" in page
    assert "Looked at, counts" in page


def test_an_assessor_reads_the_flag_and_cannot_decide(world: World) -> None:
    submission, result = flagged(world)

    page = world.browser("zoe").get(f"{CAMPUS_PREFIX}feedback/{submission}").text
    counts(world, result, "zoe", 403)
    counts(world, result, "kim", 403)

    assert "The source was rewritten." in page
    assert "Looked at, counts" not in page
    assert stored(world, result).state == "preliminary"


def test_what_was_looked_at_counts_and_is_written_down(world: World) -> None:
    submission, result = flagged(world)

    where = counts(world, result)

    assert where.endswith("/runs/spring/grading?done=counts&n=1")
    assert told(world, submission).state == "published"
    assert told(world, submission).reason == ""
    first, second = evidence(world)
    assert (second.pending, second.score, second.supersedes) == (False, "1.0000", first.seq)
    with world.store.reading() as session:
        entry = session.scalars(select(tables.AuditEntry)).one()
        assert entry.action == "looked at flags, counts"
        assert entry.detail["flags"] == ["ast_transformer"]


def test_a_second_click_changes_nothing(world: World) -> None:
    _submission, result = flagged(world)
    counts(world, result)

    where = counts(world, result)

    assert where.endswith("done=counts&n=0")
    assert len(evidence(world)) == 2


def test_what_waits_for_an_answer_to_be_read_goes_on_waiting(world: World) -> None:
    submission = world.hand_in("kim", 1, "s1")
    cells = [auto("s1/gc", "5", "5"), auto("s1/frames", "2", "2"), waiting("s1/why", "3")]
    result = world.grade(submission, cells, flags=[{**FLAG, "cell": "s1/gc"}])
    world.publish(result)

    with world.store.transaction() as session:
        results.let_count(session, session.get_one(tables.Result, result), "p-000002", NOW)

    assert stored(world, result).state == "preliminary"
    assert {row.outcome: row.pending for row in evidence(world)[-3:]} == {
        "BSH-U01-K1": True,
        "BSH-U04-K2": False,
        "BSH-U04-S1": False,
    }


def test_a_held_result_that_was_looked_at_stays_held(world: World) -> None:
    submission = world.hand_in("kim", 1, "s1")
    result = world.grade(submission, [auto("s1/gc", "5", "5")], flags=[FLAG])

    with world.store.transaction() as session:
        results.let_count(session, session.get_one(tables.Result, result), "p-000002", NOW)

    assert (stored(world, result).state, evidence(world)) == ("held", [])


def test_what_a_flag_alone_held_back_goes_out_when_it_was_looked_at(world: World) -> None:
    submission, result = flagged(world)
    world.change(tables.Result, result, state="held", published_at=None)

    counts(world, result)

    assert told(world, submission).state == "published"


def test_the_same_flag_of_the_same_hand_in_needs_no_second_look(world: World) -> None:
    submission, result = flagged(world)
    counts(world, result)

    repeated = again(world, submission, flags=[FLAG])

    assert stored(world, repeated).state == "published"


def test_a_new_flag_of_the_same_hand_in_is_looked_at_anew(world: World) -> None:
    submission, result = flagged(world)
    counts(world, result)

    repeated = again(world, submission, flags=[FLAG, {**FLAG, "code": "patched_numpy"}])

    assert stored(world, repeated).state == "preliminary"


def test_repairs_are_told_to_learner_and_instructor(world: World) -> None:
    sentence = "A cell that was there twice was taken once."
    submission = world.hand_in("kim", 1, "p1")
    world.grade(submission, [auto("p1/count", "4", "4")], mended=[sentence])

    assert told(world, submission).mended == [sentence]
    for name in ("kim", "ada"):
        page = world.browser(name).get(f"{CAMPUS_PREFIX}feedback/{submission}").text
        assert "Repaired before grading" in page
        assert sentence in page


def test_a_sentence_of_the_grader_is_one_line_of_printable_text(world: World) -> None:
    submission, result = flagged(
        world, {**FLAG, "message": "a\x07b\nc"}, mended=["<b>x</b>\x00" + "y" * 9_000]
    )
    row = stored(world, result)

    assert (row.flags or [])[0]["message"] == "a\ufffdb c"
    assert len((row.mended or [""])[0]) == 500
    page = world.browser("kim").get(f"{CAMPUS_PREFIX}feedback/{submission}").text
    assert "&lt;b&gt;x&lt;/b&gt;" in page


# What a grader that went wrong might say, and what is found.
IMPLAUSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "too many flags": ({"flags": [FLAG] * 1_001}, "1001 flags"),
    "a long code": ({"flags": [{**FLAG, "code": "x" * 301}]}, "letters in a name"),
    "a long message": ({"flags": [{**FLAG, "message": "x" * 10_001}]}, "letters in a sentence"),
    "too many repairs": ({"mended": ["x"] * 1_001}, "1001 repairs"),
    "much output": ({"shown": {"p1/count": "x" * 4_000_001}}, "letters of output"),
    "a long name of output": ({"shown": {"x" * 301: ""}}, "letters in a name"),
    "too many parts": ({"parts": {str(n): 1.0 for n in range(1_001)}}, "1001 parts"),
    "time before it began": ({"parts": {"kernel": -1.0}}, "-1.0 is no number of seconds"),
    "time without end": ({"seconds": float("inf")}, "inf is no number of seconds"),
}


@pytest.mark.parametrize(("more", "fault"), IMPLAUSIBLE.values(), ids=IMPLAUSIBLE)
def test_more_than_anybody_could_mean_is_refused(
    world: World, more: dict[str, Any], fault: str
) -> None:
    submission = world.hand_in("kim", 1, "p1", NOW - timedelta(hours=1))
    cells = [auto("p1/count", "4", "4")]
    grade = GradeResult.model_validate({"verdict": "graded", "cells": cells, **more})

    with world.store.reading() as session:
        chosen = select(tables.Job).where(tables.Job.submission_id == submission)
        job = session.scalars(chosen).one()
        with pytest.raises(Refused, match=fault):
            results.record(session, job, grade, NOW)
