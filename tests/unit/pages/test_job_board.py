"""Place, progress and time of a grading: measured, or not said."""

from datetime import timedelta
from typing import Any

import pytest
from pages_builders import NOW, World, auto
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX, GradingProgress, LabOverview
from bioskills.hub.campus.job_board import about, pause_ms, progress_words, read_speed

API = f"{CAMPUS_PREFIX}api/v1/lab/"
LEARNERS = ("kim", "lee", "max")


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27"))
    for name in LEARNERS:
        empty.person(name, ("learner", "spring-27"))
    return empty


def job_of(world: World, submission: int) -> int:
    with world.store.reading() as session:
        chosen = select(tables.Job.id).where(tables.Job.submission_id == submission)
        return session.scalars(chosen.order_by(tables.Job.id.desc())).first() or 0


def put(world: World, submission: int, **values: object) -> None:
    world.change(tables.Job, job_of(world, submission), **values)


def hand_in_all(world: World) -> list[int]:
    """Let everybody hand in now, one after the other."""
    found = [world.hand_in(name, 1, "p1", NOW) for name in LEARNERS]
    for submission in found:
        put(world, submission, created_at=NOW)
    return found


def ended(world: World, name: str, began: float, took: float) -> None:
    """Let a grading of s1 have been done, some seconds ago."""
    submission = world.hand_in(name, 1, "s1", NOW - timedelta(hours=1))
    begun = NOW - timedelta(seconds=began)
    world.grade(submission, [auto("s1/gc", "5", "5")], at=begun + timedelta(seconds=took))
    put(world, submission, created_at=begun, started_at=begun)


def progress(world: World, submission: int, name: str = "kim") -> GradingProgress:
    answer = world.lab(name).get(f"{API}progress/{submission}")
    assert answer.status_code == 200, answer.text
    return GradingProgress.model_validate(answer.json())


def test_the_place_is_said_and_no_time_that_nobody_measured(world: World) -> None:
    third = hand_in_all(world)[2]

    found = progress(world, third, "max")

    assert (found.state, found.place, found.seconds) == ("queued", 3, None)
    assert progress_words(found) == "Place 3 in the queue."


def test_the_time_is_what_recent_gradings_took(world: World) -> None:
    ended(world, "kim", 100, 6)
    ended(world, "lee", 80, 8)

    found = progress(world, hand_in_all(world)[2], "max")

    assert (found.place, found.seconds) == (3, 25)  # three times seven, said by fives
    assert progress_words(found) == "Place 3 in the queue, about 25 seconds."


def test_two_that_were_graded_at_once_took_half_the_time_each(world: World) -> None:
    ended(world, "kim", 100, 8)
    ended(world, "lee", 100, 8)

    # The first of a batch took 8 s, the second came with it.
    assert progress(world, hand_in_all(world)[0]).seconds == 4


def test_an_old_grading_says_nothing_about_now(world: World) -> None:
    ended(world, "kim", 3 * 86_400, 6)

    assert progress(world, hand_in_all(world)[0]).seconds is None


def test_a_repeated_grading_waits_behind_first_ones(world: World) -> None:
    repeated = world.hand_in("kim", 1, "s1", NOW - timedelta(hours=2))
    world.grade(repeated, [auto("s1/gc", "5", "5")])
    put(world, repeated, state="queued", ended_at=None)

    first = world.hand_in("lee", 1, "s1", NOW)

    assert (progress(world, first, "lee").place, progress(world, repeated).place) == (1, 2)


def test_what_runs_says_how_many_cells_are_done(world: World) -> None:
    first, second, _third = hand_in_all(world)
    put(world, first, state="running", step="running", done=7, of=14)
    ended_words = progress_words(progress(world, first))

    assert ended_words == "Running: 7 of 14 cells."
    assert progress(world, second, "lee").place == 1


def test_what_was_just_taken_is_being_graded(world: World) -> None:
    first = hand_in_all(world)[0]
    put(world, first, state="running")

    assert progress_words(progress(world, first)) == "It is being graded now."


def test_a_try_that_failed_is_said_to_be_tried_again(world: World) -> None:
    first, second, _third = hand_in_all(world)
    put(world, first, tries=1, lease_until=NOW + timedelta(seconds=5))

    found = progress(world, first)

    assert (found.state, found.place) == ("again", None)
    assert "tried again by itself" in progress_words(found)
    assert progress(world, second, "lee").place == 1


def test_a_grader_that_does_not_answer_gives_no_time(world: World) -> None:
    ended(world, "kim", 3_600, 6)
    waits = hand_in_all(world)[0]
    put(world, waits, created_at=NOW - timedelta(minutes=10))

    assert progress(world, waits).seconds is None


def test_what_is_graded_has_ended(world: World) -> None:
    submission = world.hand_in("kim", 1, "p1")
    world.grade(submission, [auto("p1/count", "4", "4")])

    assert progress(world, submission).state == "ended"


def test_nobody_learns_where_anothers_grading_is(world: World) -> None:
    submission = world.hand_in("kim", 1, "p1")

    for number in (submission, 999):
        assert world.lab("lee").get(f"{API}progress/{number}").status_code == 404


def test_the_panel_gets_the_place_with_everything_else(world: World) -> None:
    hand_in_all(world)
    view = LabOverview.model_validate(world.lab("lee").get(f"{API}overview").json())

    card = view.runs[0].assignments[0]
    assert card.progress is not None
    assert (card.state, card.progress.place) == ("handed_in", 2)
    assert all(card.progress is None for card in view.runs[0].assignments[1:])


# Where a hand-in is, and how soon its page asks again.
PAUSES = {
    "it runs": ({"state": "running"}, 2_000),
    "it is next": ({"state": "queued", "place": 1}, 2_000),
    "it is far back": ({"state": "queued", "place": 150}, 10_000),
}


@pytest.mark.parametrize(("where", "pause"), PAUSES.values(), ids=PAUSES)
def test_who_is_far_back_in_the_queue_asks_seldom(where: dict[str, Any], pause: int) -> None:
    assert pause_ms(GradingProgress(submission_id=1, **where)) == pause


# Measured seconds, and what is said.
TIMES = {0.2: 1, 3.1: 4, 9.9: 10, 12: 15, 61: 65, 95: 120, 121: 180}


@pytest.mark.parametrize(("seconds", "said"), TIMES.items())
def test_a_time_is_said_no_more_exactly_than_it_is_known(seconds: float, said: int) -> None:
    assert about(seconds) == said


def test_the_wait_of_a_hand_in_ends_with_its_first_result(world: World) -> None:
    handed_in = NOW - timedelta(minutes=10)
    for name, waited in (("kim", 2), ("lee", 4), ("max", 9)):
        submission = world.hand_in(name, 1, "p1", handed_in)
        cells = [auto("p1/count", "4", "4")]
        world.grade(submission, cells, at=handed_in + timedelta(seconds=waited))
    with world.store.reading() as session:
        found = read_speed(session, 1, NOW - timedelta(hours=1))

    assert (found.half_s, found.longest_s) == (4, 9)


def test_the_page_of_a_hand_in_says_where_it_is_and_asks_by_itself(world: World) -> None:
    second = hand_in_all(world)[1]

    answer = world.browser("lee").get(f"{CAMPUS_PREFIX}feedback/{second}")
    module = world.browser("lee").get(f"{CAMPUS_PREFIX}feedback/{second}/progress.js")

    assert "Place 2 in the queue." in answer.text
    assert f"feedback/{second}/progress.js" in answer.text
    assert "waiting.js" in answer.text
    assert "<script>" not in answer.text
    assert module.headers["content-type"].startswith("text/javascript")
    assert '"words": "Place 2 in the queue.", "ended": false' in module.text


def test_the_words_of_a_hand_in_are_for_who_may_read_it(world: World) -> None:
    second = hand_in_all(world)[1]

    answer = world.browser("kim").get(f"{CAMPUS_PREFIX}feedback/{second}/progress.js")

    assert answer.status_code == 404


def test_the_page_loads_again_when_there_is_an_answer(world: World) -> None:
    submission = world.hand_in("kim", 1, "p1")
    world.grade(submission, [auto("p1/count", "4", "4")])

    client = world.browser("kim")
    page = client.get(f"{CAMPUS_PREFIX}feedback/{submission}").text
    module = client.get(f"{CAMPUS_PREFIX}feedback/{submission}/progress.js").text

    assert '"ended": true' in module
    assert "waiting.js" not in page
