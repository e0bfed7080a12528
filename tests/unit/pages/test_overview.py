"""The panel's one message: states of assignments, and the one thing that is next."""

from datetime import timedelta

import pytest
from pages_builders import NOW, World, auto, read, tar_names, waiting

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX, AssignmentView, LabOverview, RunView

API = f"{CAMPUS_PREFIX}api/v1/lab/"


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27"))
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("ada", ("instructor", "spring-27"))
    return empty


def overview(world: World, name: str = "kim") -> LabOverview:
    answer = world.lab(name).get(f"{API}overview")
    assert answer.status_code == 200, answer.text
    return LabOverview.model_validate(answer.json())


def run_of(world: World) -> RunView:
    return overview(world).runs[0]


def card(world: World, name: str) -> AssignmentView:
    return next(card for card in run_of(world).assignments if card.name == name)


def graded(world: World, submission: int, *, why: bool = False) -> int:
    third = read("s1/why", "2", "3") if why else waiting("s1/why", "3")
    cells = [auto("s1/gc", "4", "5"), auto("s1/frames", "2", "2"), third]
    return world.grade(submission, cells, verdict="graded" if why else "needs_person")


# What happened, and the state that the card then shows.
STATES = {
    "nothing yet": ([], "new"),
    "the run has not begun": ([("run", "opens_at", timedelta(days=1))], "not_open"),
    "the run has ended": ([("run", "closes_at", timedelta(days=-1))], "closed"),
    "the instructor prepares it": ([("assignment", "draft")], "not_open"),
    "the instructor closed it": ([("assignment", "closed")], "closed"),
    "handed in and queued": ([("hand in",)], "handed_in"),
    "the grader works on it": ([("hand in",), ("job", "running")], "grading"),
    "the grader gave up": ([("hand in",), ("job", "failed")], "needs_person"),
    "graded and held": ([("hand in",), ("grade",)], "needs_person"),
    "returned in part": ([("hand in",), ("grade",), ("return",)], "preliminary"),
    "returned whole": ([("hand in",), ("grade whole",), ("return",)], "published"),
    "returned, then the run ended": (
        [("hand in",), ("grade whole",), ("return",), ("run", "closes_at", timedelta(days=-1))],
        "published",
    ),
    "handed in again after the return": (
        [("hand in",), ("grade whole",), ("return",), ("hand in",)],
        "handed_in",
    ),
    "closed after the hand-in": ([("hand in",), ("assignment", "closed")], "handed_in"),
}


def perform(world: World, steps: list[tuple[object, ...]]) -> None:
    submission = result = 0
    for step in steps:
        match step:
            case ("run", str(field), timedelta() as delta):
                world.change(tables.Run, 1, **{field: NOW + delta})
            case ("assignment", state):
                world.change(tables.Assignment, world.assignment_id(1, "s1"), state=state)
            case ("hand in",):
                submission = world.hand_in("kim", 1, "s1", NOW - timedelta(days=2))
            case ("job", str(state)):
                world.change(tables.Job, submission, state=state)
            case ("grade" | "grade whole" as how,):
                result = graded(world, submission, why=how == "grade whole")
            case ("return",):
                world.publish(result)


@pytest.mark.parametrize(("steps", "state"), STATES.values(), ids=STATES)
def test_the_state_of_a_card_follows_what_happened(
    world: World, steps: list[tuple[object, ...]], state: str
) -> None:
    perform(world, steps)

    assert state == card(world, "s1").state


def test_nothing_is_open_before_the_first_release(empty: World) -> None:
    empty.run("spring", empty.course(), empty.cohort("spring-27"), released=False)
    empty.person("kim", ("learner", "spring-27"))

    assert [card.state for card in run_of(empty).assignments] == ["not_open", "not_open"]


def test_an_extension_is_the_learners_own_due_date(world: World) -> None:
    later = NOW + timedelta(days=9)
    with world.store.transaction() as session:
        session.add(
            tables.Extension(
                assignment_id=world.assignment_id(1, "s1"),
                person_id=world.ids["kim"],
                due_at=later,
                granted_by="ada",
            )
        )

    found = card(world, "s1")

    assert (later, True) == (found.due_at, found.extended)


def test_points_are_those_of_the_best_returned_attempt(world: World) -> None:
    first = world.hand_in("kim", 1, "s1", NOW - timedelta(days=4))
    world.publish(graded(world, first, why=True))
    second = world.hand_in("kim", 1, "s1", NOW - timedelta(days=2))
    cells = [auto("s1/gc", "1", "5"), auto("s1/frames", "0", "2"), read("s1/why", "0", "3")]
    world.publish(world.grade(second, cells))

    found = card(world, "s1")

    assert ("8", "10", 2, second) == (
        found.points,
        found.max_points,
        found.attempt,
        found.feedback_id,
    )


def test_held_points_are_not_told(world: World) -> None:
    graded(world, world.hand_in("kim", 1, "s1"))

    found = card(world, "s1")

    assert (found.points, found.feedback_id) == (None, None)
    assert "Your instructor looks at it" in found.message


def test_the_waiting_time_says_when_the_next_attempt_counts(world: World) -> None:
    handed_in = NOW - timedelta(hours=5)
    world.hand_in("kim", 1, "s1", handed_in)

    assert handed_in + timedelta(hours=24) == card(world, "s1").next_attempt_at


def test_after_the_last_attempt_no_next_one_is_promised(world: World) -> None:
    for days in (6, 4, 0):
        world.hand_in("kim", 1, "s1", NOW - timedelta(days=days))

    found = card(world, "s1")

    assert (found.attempt, found.max_attempts, found.next_attempt_at) == (3, 3, None)


def test_a_regrade_that_is_held_takes_nothing_away(world: World) -> None:
    submission = world.hand_in("kim", 1, "s1", NOW - timedelta(days=2))
    world.publish(graded(world, submission, why=True))
    with world.store.transaction() as session:
        session.add(
            tables.Job(
                kind="grade",
                run_id=1,
                submission_id=submission,
                assignment_version_id=2,
                environment="new",
            )
        )
    world.grade(submission, [auto("s1/gc", "0", "5")])

    assert card(world, "s1").state == "published"
    assert card(world, "s1").points == "8"


def test_a_card_names_the_outcomes_it_gives_evidence_for(world: World) -> None:
    assert card(world, "s1").proves == ["BSH-U04-S1", "BSH-U04-K2", "BSH-U01-K1"]


def step(world: World) -> tuple[str, str, str]:
    found = run_of(world).next
    return found.kind, found.id, found.button


def test_next_is_the_first_lesson_of_a_fresh_learner(world: World) -> None:
    assert step(world) == ("lesson", "lesson-01", "Open lesson")


def test_next_are_the_lessons_that_only_the_second_assignment_needs(world: World) -> None:
    world.hand_in("kim", 1, "p1")

    assert step(world) == ("lesson", "lesson-03", "Open lesson")


def test_next_is_the_assignment_where_no_lesson_comes_before_it(world: World) -> None:
    world.hand_in("kim", 1, "s1")

    assert step(world) == ("assignment", "p1", "Start")


def test_next_says_when_the_assignment_is_due(world: World) -> None:
    world.hand_in("kim", 1, "s1")

    assert (
        run_of(world).next.detail == "About 20 minutes. Due Mon 15 March, 14:05 CET (3 days ago)."
    )


def test_next_is_to_wait_while_the_last_hand_in_is_graded(world: World) -> None:
    world.grade(
        world.hand_in("kim", 1, "p1", NOW - timedelta(days=2)), [auto("p1/count", "4", "4")]
    )
    world.hand_in("kim", 1, "s1")

    assert step(world) == ("wait", "s1", "")


def test_next_is_the_feedback_that_came_last(world: World) -> None:
    world.hand_in("kim", 1, "s1", NOW - timedelta(days=2))
    world.grade(world.hand_in("kim", 1, "p1"), [auto("p1/count", "3", "4")])

    assert step(world) == ("feedback", "p1", "See feedback")
    assert run_of(world).next.detail == "3 of 4 points."


def test_next_before_the_start_is_to_wait_with_the_date(world: World) -> None:
    world.change(tables.Run, 1, opens_at=NOW + timedelta(days=4))

    found = run_of(world).next

    assert found.kind == "wait"
    assert "It opens on Mon 22 March, 14:05 CET (in 4 days)." in found.detail


def test_next_after_the_end_is_nothing(world: World) -> None:
    world.change(tables.Run, 1, closes_at=NOW - timedelta(days=4))

    assert step(world) == ("none", "", "")


def test_units_carry_the_status_that_the_evidence_gives(world: World) -> None:
    world.publish(graded(world, world.hand_in("kim", 1, "s1"), why=True))

    units = {unit.code: unit for unit in run_of(world).units}
    outcomes = {outcome.id: outcome for outcome in units["BSH-U04"].outcomes}

    assert {"BSH-U01", "BSH-U04"} == set(units)
    assert outcomes["BSH-U04-K2"].status == "exceeded"
    assert (outcomes["BSH-U04-S1"].status, outcomes["BSH-U04-S1"].level) == ("developing", "0.4000")
    assert (units["BSH-U04"].reached, units["BSH-U04"].total) == (1, 6)


def test_a_person_sees_only_runs_of_own_cohorts(world: World) -> None:
    world.cohort("autumn-27")
    world.person("otto", ("instructor", "autumn-27"))

    assert overview(world, "otto").runs == []
    assert overview(world, "otto").roles == ["instructor"]


def test_an_assessor_has_no_runs_in_the_lab(world: World) -> None:
    world.person("zoe", ("assessor", "spring-27"))

    assert overview(world, "zoe").runs == []


COURSE_FILES = {
    "README.md": b"Hello", "course.yml": b"id: x", "lessons/01-a.ipynb": b"{}",
    "data/a.fasta": b">a\nACGT\n", "img/a.svg": b"<svg/>", "assignments/s1/s1.ipynb": b"secret",
    "grading/s1.yml": b"secret", "variants/s1/v.yml": b"secret", "instructor/guide.md": b"secret",
}  # fmt: skip


@pytest.fixture
def with_files(empty: World) -> World:
    empty.run("spring", empty.course(COURSE_FILES), empty.cohort("spring-27"))
    empty.person("kim", ("learner", "spring-27"))
    empty.person("ada", ("instructor", "spring-27"))
    empty.cohort("autumn-27")
    empty.person("otto", ("learner", "autumn-27"))
    return empty


def test_materials_hold_what_is_taught_and_nothing_that_grades(with_files: World) -> None:
    answer = with_files.lab("kim").get(f"{API}runs/spring/materials")

    expected = ["README.md", "data/a.fasta", "img/a.svg", "lessons/01-a.ipynb"]
    assert expected == tar_names(answer.content)
    assert b"secret" not in answer.content


def test_materials_of_another_cohorts_run_sound_like_no_run(with_files: World) -> None:
    answer = with_files.lab("otto").get(f"{API}runs/spring/materials")

    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_run")


def test_materials_before_the_start_are_for_the_instructor_alone(with_files: World) -> None:
    with_files.change(tables.Run, 1, opens_at=NOW + timedelta(days=1))

    learner = with_files.lab("kim").get(f"{API}runs/spring/materials")
    teacher = with_files.lab("ada").get(f"{API}runs/spring/materials")

    assert (learner.status_code, teacher.status_code) == (403, 200)
