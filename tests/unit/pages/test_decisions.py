"""More time, an excuse, another attempt: with a reason, for one or many, and to be taken back."""

from datetime import timedelta

import pytest
from pages_builders import NOW, World, auto, read
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.tables_teaching import LateRule
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.campus import submissions
from bioskills.hub.campus.site import Refused

S1 = "runs/spring/assignments/s1"
HERE = f"{S1}/learners"
LATER = {"date": "2027-04-20", "time": "12:00"}


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("lee", ("learner", "spring-27"), display="Lee Ost")
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    return empty


def page(world: World, path: str = HERE, name: str = "ada", status: int = 200) -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def send(world: World, status: int = 303, name: str = "ada", path: str = HERE, **fields: object) -> str:  # fmt: skip
    answer = world.browser(name).post(CAMPUS_PREFIX + path, data=fields)
    assert answer.status_code == status, answer.text
    return answer.headers["location"] if status == 303 else " ".join(answer.text.split())


def decide(world: World, kind: str, *names: str, **fields: object) -> str:
    learners = [world.pseudonym(name) for name in names]
    return send(world, kind=kind, learner=learners, reason="You were ill.", **fields)


def card(world: World, name: str = "kim") -> dict[str, object]:
    answer = world.lab(name).get(f"{CAMPUS_PREFIX}api/v1/lab/overview").json()
    return next(a for a in answer["runs"][0]["assignments"] if a["name"] == "s1")


def fail_s1(world: World, name: str = "kim", *, times: int = 1) -> None:
    for number in range(times):
        at = NOW - timedelta(days=2 * (times - number))
        cells = [auto("s1/gc", "1", "5"), auto("s1/frames", "0", "2"), read("s1/why", "0", "3")]
        world.publish(world.grade(world.hand_in(name, 1, "s1", at), cells))


def check(world: World, name: str = "kim", at: timedelta = timedelta(minutes=1)) -> None:
    ask = submissions.HandIn("spring", "s1", name, world.ids[name], 1, NOW + at)
    with world.store.reading() as session:
        submissions.check(session, ask)


def close(world: World) -> None:
    world.change(tables.Assignment, world.assignment_id(1, "s1"), state="closed")


def test_several_learners_get_more_time_at_once_and_read_why_it_is_listed(world: World) -> None:
    where = decide(world, "extension", "kim", "lee", **LATER)

    assert "2 learners have more time." in page(world, where.split("/services/campus/")[1])
    assert page(world).count("You were ill.") == 2
    assert card(world)["extended"]
    assert card(world)["due_at"].startswith("2027-04-20T10:00")


def test_who_is_excused_is_neither_missing_nor_done_and_reads_the_reason(world: World) -> None:
    decide(world, "excuse", "kim")

    assert card(world)["state"] == "excused"
    assert card(world)["message"] == "You are excused: You were ill."
    grades = page(world, "runs/spring/grades").split(f"passport/{world.pseudonym('kim')}")[1]
    assert "Excused" in grades.split("</tr>")[0]
    assert "0 of 0" in grades.split("</tr>")[0]
    assert "Kim Meyer" not in page(world, f"{S1}/close")
    assert "0 of 1" in page(world, "runs/spring").split("assignments/s1")[1].split("</tr>")[0]


def test_an_excused_learner_is_not_told_to_begin_it(world: World) -> None:
    decide(world, "excuse", "kim")
    world.grade(world.hand_in("kim", 1, "p1"), [auto("p1/count", "4", "4")])

    answer = world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/overview").json()

    assert answer["runs"][0]["next"]["id"] != "s1"


def test_another_attempt_opens_what_is_closed_for_this_learner_alone(world: World) -> None:
    close(world)
    decide(world, "resit", "kim", **LATER)

    check(world, "kim")
    assert card(world)["state"] == "new"
    with pytest.raises(Refused):
        check(world, "lee")
    with pytest.raises(Refused):
        check(world, "kim", timedelta(days=40))


def test_an_attempt_beyond_those_that_count_is_taken_and_said_to_be_practice(world: World) -> None:
    fail_s1(world, times=3)
    with pytest.raises(Refused):
        check(world)

    decide(world, "resit", "kim", **LATER)

    check(world)
    assert card(world)["max_attempts"] == 4
    assert "It is practice: the first 3 attempts count." in card(world)["message"]
    assert "Another attempt open" in page(world, "runs/spring/grades")


def test_one_more_attempt_is_one_attempt(world: World) -> None:
    fail_s1(world, times=3)
    decide(world, "resit", "kim", **LATER)
    world.grade(
        world.hand_in("kim", 1, "s1", NOW + timedelta(seconds=5)), [auto("s1/gc", "1", "5")]
    )

    with pytest.raises(Refused):
        check(world)


def test_another_attempt_does_not_make_the_first_one_timely(world: World) -> None:
    world.change(
        tables.Assignment, world.assignment_id(1, "s1"), due_at=NOW - timedelta(days=3, hours=1)
    )
    answer = world.browser("ada").post(
        f"{CAMPUS_PREFIX}{S1}/late", data={"accepted": "days", "days": "9", "percent": "10"}
    )
    assert answer.status_code == 422  # stricter after the date: so it is set as the course may
    with world.store.transaction() as session:
        rule = LateRule(assignment_id=world.assignment_id(1, "s1"), accepted="days", days=9)
        rule.percent_per_day, rule.set_by = 10, "p-000003"
        session.add(rule)
    fail_s1(world)
    before = page(world, "runs/spring/grades")

    decide(world, "resit", "kim", **LATER)

    assert "0.8 of 10" in before
    assert "0.8 of 10" in page(world, "runs/spring/grades")


def test_all_who_did_not_pass_are_chosen_by_one_link(world: World) -> None:
    fail_s1(world)

    assert f"{HERE}?choose=failed" in page(world)
    found = page(world, f"{HERE}?choose=failed")

    assert f'value="{world.pseudonym("kim")}" checked' in found
    assert f'value="{world.pseudonym("lee")}" checked' not in found


@pytest.mark.parametrize("kind", ["extension", "excuse", "resit"])
def test_each_decision_can_be_taken_back(world: World, kind: str) -> None:
    before = card(world)
    decide(world, kind, "kim", **LATER)
    assert "Take back" in page(world)

    send(world, path=f"{HERE}/undo", kind=kind, id=1)

    assert "Take back" not in page(world)
    assert card(world) == before


@pytest.mark.parametrize("kind", ["extension", "excuse", "resit"])
def test_taking_back_what_does_not_hold_says_so(world: World, kind: str) -> None:
    decide(world, kind, "kim", **LATER)
    send(world, path=f"{HERE}/undo", kind=kind, id=1)

    where = send(world, path=f"{HERE}/undo", kind=kind, id=1)

    told = page(world, where.split("/services/campus/")[1])
    assert "Nothing was taken back: this decision did not hold any more." in told
    assert "It is taken back." not in told


def test_every_fault_is_said_at_once_and_nothing_is_changed(world: World) -> None:
    found = send(world, 422, date="2020-01-01", time="noon", kind="resit")

    for text in ("Nobody is chosen.", "The reason is empty.", "&#39;noon&#39; cannot be read."):
        assert text in found
    assert "Nothing is chosen." in send(world, 422)
    strangers = send(world, 422, kind="excuse", learner=["p-999999"], reason="x")
    assert "Somebody chosen is not in this cohort." in strangers
    assert "The reason has 600 characters." in send(world, 422, reason="x" * 600)


@pytest.mark.parametrize("name", ["zoe", "kim"])
def test_only_an_instructor_of_the_cohort_decides(world: World, name: str) -> None:
    page(world, HERE, name, 403)
    send(world, 403, name, kind="excuse", learner=[world.pseudonym("kim")], reason="x")
    send(world, 403, name, f"{HERE}/undo", kind="excuse", id=1)


def test_decisions_are_in_the_audit_log_without_names(world: World) -> None:
    decide(world, "excuse", "kim")
    send(world, path=f"{HERE}/undo", kind="excuse", id=1)

    with world.store.reading() as session:
        entries = list(session.scalars(select(tables.AuditEntry).order_by(tables.AuditEntry.id)))
    assert [entry.action for entry in entries] == ["gave excuse", "took back excuse"]
    assert entries[0].detail["learners"] == [world.pseudonym("kim")]
