"""The passport says first what is shown, then what is missing, then why."""

from datetime import timedelta

import pytest
from pages_builders import MANIFEST, NOW, World, auto, read, waiting
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX


@pytest.fixture
def world(empty: World) -> World:
    cohort = empty.cohort("spring-27")
    empty.cohort("autumn-27")
    empty.run("spring", empty.course(), cohort)
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("ada", ("instructor", "spring-27"), display="Ada Demo")
    empty.person("otto", ("instructor", "autumn-27"))
    return empty


def text_of(world: World, name: str, path: str, status: int = 200) -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def graded_s1(world: World, gc: str, *, publish: bool = True, days: int = 3) -> int:
    submission = world.hand_in("kim", 1, "s1", NOW - timedelta(days=days))
    cells = [auto("s1/gc", gc, "5"), auto("s1/frames", "2", "2"), waiting("s1/why", "3")]
    result = world.grade(submission, cells, verdict="needs_person")
    if publish:
        world.publish(result)
    return submission


def test_an_empty_passport_says_what_fills_it(world: World) -> None:
    page = text_of(world, "kim", "passport")

    assert "Your passport fills as you work." in page
    assert "The first outcome appears here after Practice: count is returned." in page


def test_units_and_outcomes_are_named_in_the_language_of_the_reader(world: World) -> None:
    graded_s1(world, "4")
    asked = {"Accept-Language": "de"}

    page = world.browser("kim").get(f"{CAMPUS_PREFIX}passport", headers=asked).text

    assert "Sequenzanalyse mit Biopython" in page
    assert "erklärt Leseraster, genetische Codes" in page
    assert "explains reading frames" not in page


def test_one_task_of_two_is_developing_and_says_what_closes_it(world: World) -> None:
    graded_s1(world, "4")

    page = text_of(world, "kim", "passport")

    assert "Shown once, 80 %." in page
    assert "Your courses have no further task for it yet." in page
    assert "Yes, task 1 of 2 that are needed" in page


def test_a_knowledge_outcome_is_achieved_with_one_task(world: World) -> None:
    graded_s1(world, "4")

    page = text_of(world, "kim", "passport")

    assert "Shown in Sequence records, 100 %. Nothing is missing." in page
    assert "Exceeded" in page


def test_what_a_person_must_read_waits_for_the_assessor(world: World) -> None:
    graded_s1(world, "4")

    page = text_of(world, "kim", "passport")

    assert "Waiting for assessor" in page
    assert "An assessor has one answer of yours to read." in page
    assert "K1 is with the assessor." in page


def test_held_results_are_not_in_the_passport(world: World) -> None:
    graded_s1(world, "4", publish=False)

    assert "Your passport fills as you work." in text_of(world, "kim", "passport")


def test_practice_is_listed_and_says_that_it_never_counts(world: World) -> None:
    world.grade(world.hand_in("kim", 1, "p1"), [auto("p1/count", "4", "4")])

    page = text_of(world, "kim", "passport")

    assert "Practised, 100 %. Practice never counts." in page
    assert "No, practice never counts" in page
    assert "It takes 2 tasks at 70 % or better; your courses have 1: Sequence records." in page


def test_a_worse_attempt_does_not_count_and_says_why(world: World) -> None:
    graded_s1(world, "4", days=5)
    graded_s1(world, "2", days=3)

    page = text_of(world, "kim", "passport")

    assert "No, another attempt is better" in page
    assert "1 of 3" in page
    assert "2 of 3" in page


def test_an_attempt_before_the_waiting_time_does_not_count(world: World) -> None:
    graded_s1(world, "1", days=3)
    submission = world.hand_in("kim", 1, "s1", NOW - timedelta(days=2, hours=23))
    result = world.grade(
        submission, [auto("s1/gc", "5", "5"), auto("s1/frames", "2", "2"), read("s1/why", "3", "3")]
    )
    world.publish(result)

    assert "No, it came before the waiting time was over" in text_of(world, "kim", "passport")


def test_every_outcome_of_the_courses_units_is_in_the_matrix(world: World) -> None:
    page = text_of(world, "kim", "passport")

    for part in MANIFEST["units"]:
        for outcome in part["outcomes"]:
            assert f'href="#{outcome}"' in page


def test_the_instructor_of_the_cohort_sees_it_and_the_view_is_written_down(world: World) -> None:
    name = world.pseudonym("kim")

    page = text_of(world, "ada", f"passport/{name}")

    with world.store.reading() as session:
        entries = session.scalars(select(tables.AuditEntry)).all()
    assert "Competence passport of Kim Meyer" in page
    assert [(e.actor, e.action, e.subject) for e in entries] == [
        (world.pseudonym("ada"), "viewed passport", name)
    ]


@pytest.mark.parametrize("who", ["otto", "kim"])
def test_nobody_else_sees_it_and_nothing_is_written(world: World, who: str) -> None:
    text_of(world, who, f"passport/{world.pseudonym('kim')}", 403)

    with world.store.reading() as session:
        assert session.scalars(select(tables.AuditEntry)).all() == []


def test_a_stranger_sounds_like_a_learner_of_another_cohort(world: World) -> None:
    stranger = text_of(world, "otto", "passport/p-999999", 403)
    other = text_of(world, "otto", f"passport/{world.pseudonym('kim')}", 403)

    assert stranger.replace("p-999999", "X") == other.replace(world.pseudonym("kim"), "X")
