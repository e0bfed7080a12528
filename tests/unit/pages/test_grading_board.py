"""The grading board: what stands where, what needs a person first, and what is done there."""

from datetime import timedelta
from typing import Any

import pytest
from pages_builders import NOW, World, auto, waiting
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX

BOARD = "runs/spring/grading"
P1 = "runs/spring/assignments/p1"
S1 = "runs/spring/assignments/s1"
FLAG = {"code": "hook", "cell": "p1/count", "message": "A hook was left behind."}
FULL = [auto("p1/count", "4", "4")]


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.cohort("autumn-27")
    for name in ("kim", "lee", "max"):
        empty.person(name, ("learner", "spring-27"), display=f"{name.title()} Meyer")
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    empty.person("otto", ("instructor", "autumn-27"))
    return empty


def page(world: World, path: str = BOARD, name: str = "ada", status: int = 200) -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def row(world: World, name: str = "p1") -> str:
    """Return the row of one assignment."""
    after = page(world).split(f'assignments/{name}"', 1)[1]
    return after.split("</tr>", 1)[0]


def send(world: World, path: str, name: str = "ada", status: int = 303, **fields: object) -> str:
    answer = world.browser(name).post(CAMPUS_PREFIX + path, data=fields)
    assert answer.status_code == status, answer.text
    return answer.headers.get("location", "")


def graded(world: World, name: str, **more: Any) -> int:
    submission = world.hand_in(name, 1, "p1")
    world.grade(submission, more.pop("cells", FULL), **more)
    return submission


def jobs_of(world: World, submission: int) -> list[tables.Job]:
    with world.store.reading() as session:
        chosen = select(tables.Job).where(tables.Job.submission_id == submission)
        return list(session.scalars(chosen.order_by(tables.Job.id)))


def put(world: World, submission: int, **values: object) -> None:
    world.change(tables.Job, jobs_of(world, submission)[-1].id, **values)


DOORS = {
    BOARD: {"ada": 200, "zoe": 200, "otto": 403, "kim": 403},
    f"{BOARD}/progress.js": {"ada": 200, "zoe": 200, "otto": 403, "kim": 403},
    f"{P1}/regrade": {"ada": 200, "zoe": 403, "otto": 403, "kim": 403},
    "runs/nowhere/grading": {"ada": 404, "kim": 403},
}


@pytest.mark.parametrize(
    ("path", "who", "status"),
    [(path, who, status) for path, doors in DOORS.items() for who, status in doors.items()],
)
def test_the_board_opens_for_the_roles_of_its_cohort_alone(
    world: World, path: str, who: str, status: int
) -> None:
    page(world, path, who, status)


@pytest.mark.parametrize("who", ["zoe", "otto", "kim"])
@pytest.mark.parametrize("verb", ["regrade", "counts"])
def test_only_an_instructor_of_the_cohort_changes_anything(
    world: World, verb: str, who: str
) -> None:
    submission = graded(world, "kim")
    put(world, submission, state="failed")

    send(world, f"{P1}/{verb}", who, 403, submission=submission, result=1)

    assert len(jobs_of(world, submission)) == 1
    with world.store.reading() as session:
        assert session.scalars(select(tables.AuditEntry)).all() == []


@pytest.mark.parametrize("verb", ["regrade", "counts"])
def test_nothing_changes_without_a_browsers_session(world: World, verb: str) -> None:
    submission = graded(world, "kim", flags=[FLAG])
    client = world.browser("ada")
    world.app.dependency_overrides.clear()

    path, data = f"{CAMPUS_PREFIX}{P1}/{verb}", {"submission": 1, "result": 1}
    elsewhere = client.post(path, data=data)
    signed_out = client.post(path, data=data, headers={"Origin": world.site.origin})

    assert (elsewhere.status_code, signed_out.status_code) == (403, 401)
    assert len(jobs_of(world, submission)) == 1
    assert "1 flagged" in row(world)


def test_the_board_is_one_click_from_the_page_of_the_course(world: World) -> None:
    assert f'href="{CAMPUS_PREFIX}{BOARD}"' in page(world, "runs/spring")


def test_an_empty_board_says_what_will_come(world: World) -> None:
    found = page(world)

    assert "Nothing has been handed in yet." in found
    assert "No test failed so far." in found
    assert "Nobody waits for you." in found
    assert "Grader: idle" in found


def test_the_steps_count_what_waits_runs_and_came_back(world: World) -> None:
    graded(world, "kim")
    running = world.hand_in("lee", 1, "p1")
    put(world, running, state="running", done=7, of=14)
    world.hand_in("max", 1, "p1")

    found = row(world)

    for step in (
        "Handed in</span> <b>3 of 3",
        "In the queue</span> <b>1<",
        "Running</span> <b>1, 7 of 14 cells",
        "Graded</span> <b>1 of 3",
        "Returned</span> <b>1 of 3",
        "2 to be graded",
    ):
        assert step in found


def test_a_busy_board_says_when_everything_will_be_graded(world: World) -> None:
    graded(world, "kim", at=NOW - timedelta(seconds=60))
    put(world, 1, started_at=NOW - timedelta(seconds=70))
    for name in ("lee", "max"):
        put(world, world.hand_in(name, 1, "p1"), created_at=NOW)

    found = page(world)

    assert "all graded in about 20 seconds" in found
    assert "Grader: 2 in the queue, 0 running" in found
    assert "waiting.js" in found


def test_the_board_says_how_long_hand_ins_waited_today(world: World) -> None:
    submission = world.hand_in("kim", 1, "p1", NOW - timedelta(minutes=5))
    world.grade(submission, FULL, at=NOW - timedelta(minutes=5) + timedelta(seconds=1.8))

    assert "half within 1.8 s, longest 1.8 s" in page(world)
    assert "last result here" in page(world)


def test_a_grader_that_does_not_answer_is_said_in_so_many_words(world: World) -> None:
    put(world, world.hand_in("kim", 1, "p1"), created_at=NOW - timedelta(minutes=30))

    found = page(world)

    assert "The grader does not answer." in found
    assert "1 hand-in waits, and nothing is graded." in found
    assert "14:05" not in found.split("The oldest waits since", 1)[1].split("</time>")[0]


def test_flagged_work_comes_first_with_its_sentence_and_its_cell(world: World) -> None:
    submission = world.hand_in("kim", 1, "s1")
    world.publish(world.grade(submission, [waiting("s1/why", "3")], verdict="needs_person"))
    graded(world, "lee", flags=[FLAG])

    found = page(world)

    needs = found.split('id="flagged"', 1)[1]
    assert needs.index("A hook was left behind.") < needs.index("One answer to read.")
    assert "Counts the records (count)" in needs
    assert found.index('assignments/p1"') < found.index('assignments/s1"')
    assert "Look at 1 flagged hand-in" in row(world)
    assert "1 flagged" in row(world)
    assert "1 to read" in row(world, "s1")
    assert "1 flagged" in page(world, "runs/spring")


def test_an_earlier_attempt_stays_flagged_until_somebody_looks(world: World) -> None:
    graded(world, "kim", flags=[FLAG])
    graded(world, "kim")

    assert "1 flagged" in row(world)
    send(world, f"{P1}/counts", result=1)
    assert "flagged" not in row(world)


def test_only_one_button_of_the_board_is_primary(world: World) -> None:
    graded(world, "kim", flags=[FLAG])
    world.grade(world.hand_in("lee", 1, "s1"), [auto("s1/gc", "5", "5")])

    assert page(world).count("btn-primary") == 1


# What happened to p1, and what the board says is next.
NEXT = {
    "nothing": ([], "Nothing handed in yet"),
    "all back": (["kim", "lee", "max"], "Complete"),
    "some back": (["kim"], "Nothing to do now"),
    "could not be graded": (["kim failed"], "Look at 1 hand-in"),
    "other environment": (["kim old", "lee"], "Grade 1 hand-in again"),
}


@pytest.mark.parametrize(("steps", "words"), NEXT.values(), ids=NEXT)
def test_the_board_names_one_next_step(world: World, steps: list[str], words: str) -> None:
    for step in steps:
        name, _space, how = step.partition(" ")
        more: dict[str, Any] = {"environment": how or "new"}
        if how == "failed":
            more |= {"cells": [], "verdict": "needs_person", "reason": "No notebook was found."}
        graded(world, name, **more)

    assert words in row(world)


def test_an_assessor_sees_the_board_and_no_button_of_an_instructor(world: World) -> None:
    graded(world, "kim", environment="old", flags=[FLAG])
    graded(world, "lee", environment="new")

    found = page(world, name="zoe")

    assert "A hook was left behind." in found
    assert "Looked at, counts" not in found
    assert "/regrade" not in found


def test_what_could_not_be_graded_is_listed_with_its_reason(world: World) -> None:
    graded(world, "kim", cells=[], verdict="needs_person", reason="No notebook was found.")

    found = page(world)

    assert "1 not graded" in row(world)
    assert "No notebook was found." in found.split('id="flagged"', 1)[1]


def test_hardest_tests_count_newest_hand_ins_and_name_hidden_ones_as_learners_see_them(
    world: World,
) -> None:
    cells = {
        "kim": [auto("s1/gc", "2", "5", "lower_case"), auto("s1/frames", "2", "2")],
        "lee": [auto("s1/gc", "2", "5", "lower_case"), auto("s1/frames", "0", "2", "three")],
        "max": [auto("s1/gc", "5", "5"), auto("s1/frames", "0", "2")],
    }
    world.grade(world.hand_in("max", 1, "s1"), cells["kim"])  # an earlier attempt counts no more
    for name, found in cells.items():
        world.grade(world.hand_in(name, 1, "s1"), found)

    table = page(world).split('id="hard"', 1)[1].split("</section>", 1)[0]
    rows = [part.split("</tr>")[0] for part in table.split('<th scope="row"')[1:]]
    shown = [(text.split(">", 1)[1].split("<")[0], *_figures(text)) for text in rows]

    # The three frames ran for kim and lee alone: max's cell stopped before.
    assert shown == [
        ("GC content", "2 of 3", "67 %"),
        ("lower-case letters", "2 of 3", "67 %"),
        ("Reading frames", "2 of 3", "67 %"),
        ("all three frames", "1 of 2", "50 %"),
    ]
    assert "hidden test" in rows[1]


def _figures(text: str) -> list[str]:
    return [part.split("<")[0] for part in text.split('class="num">')[1:]]


def test_grading_again_shows_first_whose_work_and_why(world: World) -> None:
    graded(world, "kim", environment="old")
    failed = graded(world, "lee", environment="new")
    put(world, failed, state="failed")
    graded(world, "max", environment="new")

    found = page(world, f"{P1}/regrade")

    assert "Grade 2 hand-ins of Practice: count again?" in found
    assert "It was graded with another environment, old; the grader now has new." in found
    assert "The last try failed." in found
    assert "Max Meyer" not in found


def test_only_what_changed_is_graded_again_and_once(world: World) -> None:
    old = graded(world, "kim", environment="old")
    new = graded(world, "lee", environment="new")

    first = send(world, f"{P1}/regrade", submission=[old, new])
    second = send(world, f"{P1}/regrade", submission=[old, new])

    assert [len(jobs_of(world, number)) for number in (old, new)] == [2, 1]
    assert first.endswith("done=regrade&n=1")
    assert second.endswith("done=regrade&n=0")
    assert "1 hand-in is graded again." in page(world, first.removeprefix(CAMPUS_PREFIX))
    with world.store.reading() as session:
        entry = session.scalars(select(tables.AuditEntry)).one()
        assert (entry.action, entry.detail["submissions"]) == ("graded again", [old])


def test_nothing_is_graded_again_that_the_plan_did_not_show(world: World) -> None:
    old = graded(world, "kim", environment="old")
    other = graded(world, "lee", environment="old")
    graded(world, "max", environment="new")

    send(world, f"{P1}/regrade", submission=[old])

    assert [len(jobs_of(world, number)) for number in (old, other)] == [2, 1]


def test_a_second_grading_leaves_what_was_returned_until_it_has_ended(world: World) -> None:
    old = graded(world, "kim", environment="old")
    graded(world, "lee", environment="new")
    send(world, f"{P1}/regrade", submission=[old])

    learner = world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/feedback/{old}")
    assert learner.json()["points"] == "4"
    assert "In the queue</span> <b>1<" in row(world)


def test_a_board_of_nobody_says_so(empty: World) -> None:
    empty.run("spring", empty.course(), empty.cohort("spring-27"))
    empty.person("ada", ("instructor", "spring-27"))

    assert "Nobody is in this cohort yet." in page(empty)
