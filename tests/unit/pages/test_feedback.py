"""Feedback says criterion, points, hints and competence, and nothing of a hidden test."""

from datetime import timedelta

import pytest
from pages_builders import NOW, World, auto, read, waiting
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX, Criterion, Feedback
from bioskills.courses.grading_notes import Check
from bioskills.hub.campus.feedback import check_notes


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27"))
    empty.cohort("autumn-27")
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("lee", ("learner", "spring-27"))
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    empty.person("otto", ("instructor", "autumn-27"))
    return empty


def graded(world: World, *, publish: bool = True) -> int:
    submission = world.hand_in("kim", 1, "s1", NOW - timedelta(days=2))
    cells = [
        auto("s1/gc", "2", "5", "lower_case"),
        auto("s1/frames", "2", "2"),
        waiting("s1/why", "3"),
    ]
    answers = {
        "s1/gc_answer": "def gc(seq):\n    return 1 < 2",
        "s1/why": "<script>alert(1)</script>",
    }
    result = world.grade(submission, cells, verdict="needs_person", answers=answers)
    if publish:
        world.publish(result)
    return submission


def told(world: World, submission: int, name: str = "kim") -> Feedback:
    answer = world.lab(name).get(f"{CAMPUS_PREFIX}api/v1/lab/feedback/{submission}")
    assert answer.status_code == 200, answer.text
    return Feedback.model_validate(answer.json())


def criterion(world: World, cell: str) -> Criterion:
    found = told(world, graded(world))
    return next(item for item in found.criteria if item.cell == cell)


CHECKS = [Check(id=name, visible=name == "a", label=name) for name in ("a", "b", "c")]
# Failed ids, whether the cell is full, and what each of the three checks then says.
VERDICTS = {
    "full points": ([], True, [True, True, True]),
    "the first failed": (["a"], False, [False, None, None]),
    "the second failed": (["b"], False, [True, False, None]),
    "the last failed": (["c"], False, [True, True, False]),
    "the code stopped before any check": ([], False, [None, None, None]),
    "an unknown check failed": (["x"], False, [None, None, None]),
}


@pytest.mark.parametrize(("failed", "full", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_the_first_failed_check_leaves_the_later_ones_unknown(
    failed: list[str], full: bool, expected: list[bool | None]
) -> None:
    assert expected == [note.passed for note in check_notes(CHECKS, failed, full=full)]


def test_points_are_summed_without_what_waits_for_a_person(world: World) -> None:
    found = told(world, graded(world))

    assert (found.state, found.points, found.max_points) == ("preliminary", "4", "10")


def test_hints_are_for_criteria_that_are_not_full(world: World) -> None:
    found = {item.cell: item for item in told(world, graded(world)).criteria}

    assert len(found["s1/gc"].hints) == 3
    assert found["s1/frames"].hints == []


def test_a_cell_that_waits_for_a_person_has_no_points_and_shows_its_rubric(world: World) -> None:
    found = criterion(world, "s1/why")

    assert (found.points, found.graded) == (None, "person")
    assert [level.points for level in found.rubric] == ["3", "0"]


def test_the_answer_shown_is_the_cell_that_was_tested(world: World) -> None:
    assert "def gc(seq)" in criterion(world, "s1/gc").answer


def test_outcomes_come_from_the_mapping(world: World) -> None:
    assert criterion(world, "s1/gc").outcomes == ["BSH-U04-S1"]


def test_a_comment_of_the_assessor_is_told(world: World) -> None:
    submission = world.hand_in("kim", 1, "s1", NOW - timedelta(days=2))
    cells = [
        auto("s1/gc", "5", "5"),
        auto("s1/frames", "2", "2"),
        read("s1/why", "2", "3", "Clear."),
    ]
    world.publish(world.grade(submission, cells))

    found = told(world, submission)

    assert (found.state, found.points) == ("published", "9")
    assert found.criteria[2].comment == "Clear."


@pytest.mark.parametrize("who", ["lee", "ada"])
def test_in_the_lab_nobody_reads_anothers_feedback(world: World, who: str) -> None:
    submission = graded(world)

    answer = world.lab(who).get(f"{CAMPUS_PREFIX}api/v1/lab/feedback/{submission}")

    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_submission")


def test_held_feedback_is_not_told_to_its_learner(world: World) -> None:
    submission = graded(world, publish=False)

    answer = world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/feedback/{submission}")

    assert (answer.status_code, answer.json()["error"]) == (404, "not_returned")


def page(world: World, name: str, submission: int, status: int = 200) -> str:
    answer = world.browser(name).get(f"{CAMPUS_PREFIX}feedback/{submission}")
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def test_the_page_says_what_to_begin_with(world: World) -> None:
    found = page(world, "kim", graded(world))

    assert "1 of 3 criteria have full points. 1 waits for an assessor." in found
    assert "Begin with: GC content, lower-case letters." in found
    assert "lower-case letters: <strong>failed</strong>" in found
    assert "letters for uncertain bases: <strong>did not run</strong>" in found


def test_the_page_shows_the_first_hint_and_closes_the_others(world: World) -> None:
    found = page(world, "kim", graded(world))

    assert '<details class="hint" open><summary>Hint 1 of 3' in found
    assert '<details class="hint"><summary>Hint 2 of 3' in found


def test_an_answer_is_shown_as_text_and_never_as_a_page(world: World) -> None:
    found = page(world, "kim", graded(world))

    assert "<script>alert(1)" not in found
    assert "&lt;script&gt;alert(1)" in found


def test_held_feedback_is_an_empty_page_for_its_learner(world: World) -> None:
    found = page(world, "kim", graded(world, publish=False))

    assert "Nothing has been returned yet." in found
    assert "lower-case letters" not in found


@pytest.mark.parametrize("who", ["ada", "zoe"])
def test_held_feedback_is_shown_to_who_teaches_the_cohort_and_noted(world: World, who: str) -> None:
    found = page(world, who, graded(world, publish=False))

    with world.store.reading() as session:
        actors = session.scalars(select(tables.AuditEntry.actor)).all()
    assert "The learner does not see this yet." in found
    assert [world.pseudonym(who)] == actors


# Another learner learns nothing; an instructor of another cohort hears that it is not theirs.
STRANGERS = {"another learner": ("lee", 404), "another cohort's instructor": ("otto", 403)}


@pytest.mark.parametrize(("who", "status"), STRANGERS.values(), ids=STRANGERS)
def test_strangers_do_not_open_the_page(world: World, who: str, status: int) -> None:
    page(world, who, graded(world), status)


def test_work_that_no_attempt_could_grade_says_why(world: World) -> None:
    submission = world.hand_in("kim", 1, "p1")
    world.grade(submission, [], verdict="needs_person", reason="The notebook could not be opened.")

    found = page(world, "kim", submission)

    assert "A person has to look at this." in found
    assert "The notebook could not be opened." in found


def printed(world: World) -> int:
    """Return a hand-in whose grading kept output of an answer, of a test and of a free cell."""
    submission = world.hand_in("kim", 1, "s1", NOW - timedelta(days=2))
    cells = [auto("s1/gc", "0", "5"), auto("s1/frames", "2", "2"), waiting("s1/why", "3")]
    result = world.grade(submission, cells, verdict="needs_person")
    shown = {
        "s1/#1": "<b>free</b> cell",
        "s1/gc_answer": "<script>alert(2)</script>",
        "s1/gc": "tested",
        "s1/frames": "frames",
    }
    world.change(tables.Result, result, shown=shown)
    world.publish(result)
    return submission


def test_what_was_printed_stands_with_the_criterion_that_printed_it(world: World) -> None:
    found = told(world, printed(world))

    assert {each.cell: each.printed for each in found.criteria} == {
        "s1/gc": "<script>alert(2)</script>\ntested",
        "s1/frames": "frames",
        "s1/why": "",
    }
    assert [(each.title, each.text) for each in found.printed] == [
        ("Code cell 1 of s1", "<b>free</b> cell")
    ]
    assert found.withheld


def test_what_was_printed_is_closed_and_shown_as_text(world: World) -> None:
    found = page(world, "kim", printed(world))

    assert '<details class="hint printed"><summary>What your code printed' in found
    assert "&lt;script&gt;alert(2)&lt;/script&gt; tested" in found
    assert "<script>alert(2)" not in found
    assert "&lt;b&gt;free&lt;/b&gt; cell" in found
    assert "after the first hidden test has run is not shown" in found


def test_what_to_try_next_is_the_first_hint_of_what_is_not_full(world: World) -> None:
    submission = graded(world)

    assert told(world, submission).next == "GC content: Which letters occur?"
    assert "What to try next.</strong> GC content: Which letters occur?" in page(
        world, "kim", submission
    )


def test_a_reason_of_the_machine_is_not_said_in_the_assessors_name(world: World) -> None:
    submission = world.hand_in("kim", 1, "s1", NOW - timedelta(days=2))
    warned = auto("s1/gc", "0", "5").model_copy(update={"comment": "A warning counts as failed."})
    looked = read("s1/why", "2", "3").model_copy(update={"person_comment": "Clear."})
    world.publish(world.grade(submission, [warned, auto("s1/frames", "2", "2"), looked]))

    found = {each.cell: each for each in told(world, submission).criteria}
    text = page(world, "kim", submission)
    assert (found["s1/gc"].comment, found["s1/gc"].why) == ("", "A warning counts as failed.")
    assert (found["s1/why"].comment, found["s1/why"].why) == ("Clear.", "")
    assert "Why there are no points</strong>A warning counts as failed." in text
