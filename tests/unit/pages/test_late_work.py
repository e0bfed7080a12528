"""Late work: said before the due date, enforced, taken off the grade and never off the evidence."""

from datetime import timedelta
from fractions import Fraction

import pytest
from pages_builders import MANIFEST, NOW, World, auto, read
from pydantic import ValidationError
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.courses.manifest import Late
from bioskills.hub.campus import submissions
from bioskills.hub.campus.late_rules import LateRule, days_late
from bioskills.hub.campus.site import Refused

S1 = "runs/spring/assignments/s1"
LATE = f"{S1}/late"
DUE = NOW - timedelta(days=1, hours=2)


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    return empty


def page(world: World, path: str, name: str = "ada", status: int = 200) -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def send(world: World, status: int = 303, name: str = "ada", **fields: str) -> str:
    answer = world.browser(name).post(CAMPUS_PREFIX + LATE, data=fields)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def card(world: World, name: str = "kim", assignment: str = "s1") -> dict[str, object]:
    answer = world.lab(name).get(f"{CAMPUS_PREFIX}api/v1/lab/overview").json()
    return next(a for a in answer["runs"][0]["assignments"] if a["name"] == assignment)


def ask(world: World) -> submissions.HandIn:
    return submissions.HandIn("spring", "s1", "kim", world.ids["kim"], 1, NOW)


def costly(world: World) -> None:
    """Take s1 for three days at 10 per cent a day, and let it be due yesterday."""
    send(world, accepted="days", days="3", percent="10")
    world.change(tables.Assignment, world.assignment_id(1, "s1"), due_at=DUE)


def test_each_begun_day_counts() -> None:
    assert days_late(NOW, NOW) == 0
    assert days_late(NOW, NOW + timedelta(seconds=1)) == 1
    assert days_late(NOW, NOW + timedelta(days=1)) == 1
    assert days_late(NOW, NOW + timedelta(days=1, seconds=1)) == 2


def test_no_more_than_all_points_can_be_lost() -> None:
    rule = LateRule("days", 9, 40)

    assert rule.share_lost(NOW, NOW + timedelta(days=2)) == Fraction(4, 5)
    assert rule.share_lost(NOW, NOW + timedelta(days=8)) == 1


@pytest.mark.parametrize(
    "late", [{"accepted": "days"}, {"accepted": "never", "days": 2}, {"percent_per_day": 5}]
)
def test_a_course_whose_rule_contradicts_itself_is_refused(late: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Late.model_validate(late)


def test_the_learner_reads_the_rule_before_the_due_date(world: World) -> None:
    assert "is taken until" in card(world)["late"]
    assert "marked late" in card(world)["late"]

    send(world, accepted="days", days="3", percent="10")

    assert "each day begun costs 10 % of the points" in card(world)["late"]
    send(world, accepted="never")
    assert card(world)["late"] == "Nothing is taken after the due date."


def test_the_course_says_the_rule_where_the_run_does_not(empty: World) -> None:
    plan = MANIFEST["assignments"][1]
    plan["late"] = {"accepted": "never"}
    try:
        empty.run("spring", empty.course(), empty.cohort("spring-27"))
    finally:
        del plan["late"]
    empty.person("kim", ("learner", "spring-27"))

    assert card(empty)["late"] == "Nothing is taken after the due date."


def test_after_the_last_moment_the_exchange_refuses_and_says_the_rule(world: World) -> None:
    send(world, accepted="never")
    world.change(tables.Assignment, world.assignment_id(1, "s1"), due_at=DUE)

    with world.store.reading() as session, pytest.raises(Refused) as error:
        submissions.check(session, ask(world))

    assert error.value.error == "late"
    assert "Ask your instructor for more time" in error.value.next
    assert card(world)["state"] == "closed"


def test_an_extension_moves_the_date_that_the_rule_starts_from(world: World) -> None:
    send(world, accepted="never")
    world.change(tables.Assignment, world.assignment_id(1, "s1"), due_at=DUE)
    with world.store.transaction() as session:
        later = NOW + timedelta(hours=1)
        given = tables.Extension(person_id=world.ids["kim"], due_at=later, granted_by="p-000002")
        given.assignment_id = world.assignment_id(1, "s1")
        session.add(given)

    with world.store.reading() as session:
        assert submissions.check(session, ask(world)) == []
    assert card(world)["state"] == "new"


def graded(world: World) -> int:
    submission = world.hand_in("kim", 1, "s1", NOW - timedelta(minutes=5))
    cells = [auto("s1/gc", "5", "5"), auto("s1/frames", "2", "2"), read("s1/why", "3", "3")]
    world.publish(world.grade(submission, cells))
    return submission


def test_a_penalty_lowers_the_grade_and_never_the_evidence(world: World) -> None:
    costly(world)
    submission = graded(world)

    told = "Handed in 2 days late: 20 % of the points are taken off."
    assert "8 of 10" in page(world, "runs/spring/grades")
    assert "8 of 10" in page(world, S1)
    assert card(world)["points"] == "8"
    assert told in page(world, f"feedback/{submission}", "kim")
    assert told in world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/feedback/{submission}").text
    with world.store.reading() as session:
        scores = {row.score for row in session.scalars(select(tables.Evidence))}
    assert scores == {"1.0000"}


def test_after_the_due_date_the_rule_may_only_become_milder(world: World) -> None:
    costly(world)

    assert "only become milder" in send(world, 422, accepted="never")
    assert "only become milder" in send(world, 422, accepted="days", days="3", percent="11")
    send(world, accepted="days", days="4", percent="5")
    send(world, accepted="until_close")


def test_every_fault_of_the_form_is_said_at_once_and_what_was_typed_stays(world: World) -> None:
    found = send(world, 422, accepted="days", days="0", percent="many")

    assert "&#39;0&#39; is no number from 1 to 366." in found
    assert "&#39;many&#39; is no number from 0 to 100." in found
    assert 'value="many"' in found
    assert "Nothing is chosen." in send(world, 422)


@pytest.mark.parametrize("name", ["zoe", "kim"])
def test_only_an_instructor_of_the_cohort_sets_the_rule(world: World, name: str) -> None:
    page(world, LATE, name, 403)
    send(world, 403, name, accepted="never")


def test_the_change_is_in_the_audit_log(world: World) -> None:
    send(world, accepted="never")

    with world.store.reading() as session:
        entry = session.scalars(select(tables.AuditEntry)).one()
    assert entry.action == "set late rule"
    assert entry.detail["after"]["accepted"] == "never"
