"""Grades and evidence obey one rule about which attempts count, and the learner reads it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages_builders import NOW, World, auto, read
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.competence.framework import load_framework
from bioskills.competence.tasks import Attempts
from bioskills.hub.campus.counted import excess_of
from bioskills.hub.campus.passport import standing_of

S1 = "runs/spring/assignments/s1"


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("ada", ("instructor", "spring-27"))
    return empty


def try_s1(world: World, points: str, at: datetime, *, returned: bool = True) -> int:
    submission = world.hand_in("kim", 1, "s1", at)
    cells = [auto("s1/gc", points, "5"), auto("s1/frames", "0", "2"), read("s1/why", "0", "3")]
    result = world.grade(submission, cells)
    if returned:
        world.publish(result)
    return submission


def four_tries(world: World, *, returned: bool = True) -> list[int]:
    """Three weak attempts that count, and a full fourth that does not."""
    days = [8, 6, 4, 2]
    return [
        try_s1(world, points, NOW - timedelta(days=before), returned=returned)
        for points, before in zip(["1", "2", "1", "5"], days, strict=True)
    ]


def page(world: World, path: str, name: str = "ada") -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def card(world: World) -> dict[str, object]:
    answer = world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/overview").json()
    return next(a for a in answer["runs"][0]["assignments"] if a["name"] == "s1")


def set_aside(world: World) -> set[str]:
    with world.store.reading() as session:
        person = session.get_one(tables.Person, world.ids["kim"])
        standing = standing_of(session, load_framework("BSH@1.0.0"), person, NOW)
        found = standing.results["BSH-U04-S1"].set_aside
    return {aside.reason for aside in found}


@pytest.mark.parametrize("returned", [True, False])
def test_an_attempt_beyond_the_allowed_number_gives_no_points(world: World, returned: bool) -> None:
    four_tries(world, returned=returned)

    assert "2 of 10" in page(world, "runs/spring/grades")
    assert "5 of 10" not in page(world, "runs/spring/grades")


def test_panel_and_choice_of_who_failed_say_the_same_as_the_evidence(world: World) -> None:
    four_tries(world)

    assert card(world)["points"] == "2"
    assert card(world)["passed"] is False
    assert "Choose 1 learner who did not pass" in page(world, f"{S1}/learners")
    assert set_aside(world) == {"too_many_attempts"}


def test_the_learner_reads_at_each_attempt_whether_it_counts_and_why(world: World) -> None:
    first, second, _third, fourth = four_tries(world)

    assert "Attempt 2 counts, not this one" in page(world, f"feedback/{first}", "kim")
    assert "This attempt counts: of those" in page(world, f"feedback/{second}", "kim")
    practice = "This attempt is practice: only the first 3 attempts count."
    assert practice in page(world, f"feedback/{fourth}", "kim")
    assert "Attempt 4 of 3" not in page(world, f"feedback/{fourth}", "kim")
    assert "4 of 3" not in page(world, "passport", "kim")
    assert card(world)["message"] == "Attempt 2 counts."
    told = world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/feedback/{fourth}").json()
    assert told["counts"] == practice


def test_an_attempt_within_the_pause_counts_nowhere(world: World) -> None:
    try_s1(world, "1", NOW - timedelta(hours=20))
    again = try_s1(world, "5", NOW - timedelta(hours=1))

    assert "1 of 10" in page(world, "runs/spring/grades")
    assert "less than 24 hours after" in page(world, f"feedback/{again}", "kim")
    assert set_aside(world) == {"too_soon"}


def test_another_attempt_within_the_pause_says_from_when_it_counts(world: World) -> None:
    try_s1(world, "1", NOW - timedelta(hours=20))
    fields = {"kind": "resit", "learner": [world.pseudonym("kim")], "reason": "Ill."}
    later = {"date": "2027-04-20", "time": "12:00"}
    world.browser("ada").post(f"{CAMPUS_PREFIX}{S1}/learners", data={**fields, **later})

    assert "It counts from Thu 18 March, 18:05 CET" in str(card(world)["message"])


@given(
    st.lists(st.integers(0, 72), min_size=1, max_size=8),
    st.one_of(st.none(), st.integers(1, 4)),
    st.integers(0, 30),
)
def test_a_later_hand_in_never_changes_which_earlier_ones_count(
    hours: list[int], most: int | None, pause: int
) -> None:
    limits, at, rows = Attempts(max=most, cooldown_hours=pause), NOW, []
    for number, gap in enumerate(hours, start=1):
        at += timedelta(hours=gap)
        rows.append(tables.Submission(id=number, submitted_at=at))

    whole = excess_of(limits, rows)

    for count in range(1, len(rows) + 1):
        before = excess_of(limits, rows[:count])
        assert before == {key: why for key, why in whole.items() if key <= count}
    assert 1 not in whole
    assert most is None or set(range(most + 1, len(rows) + 1)) <= set(whole)


def test_evidence_numbers_attempts_as_the_grades_do(world: World) -> None:
    four_tries(world)

    with world.store.reading() as session:
        rows = session.execute(select(tables.Evidence.attempt, tables.Evidence.result_id))
        assert {row.attempt for row in rows} == {1, 2, 3, 4}
