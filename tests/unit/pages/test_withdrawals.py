"""Leaving a cohort: by one's own wish or an instructor's, with a reason, and back within days."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pages_builders import NOW, World
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.campus import withdrawals
from bioskills.hub.membership import has_seat

LEFT = "cohorts/spring-27/withdrawals"


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.cohort("autumn-27")
    empty.person("kim", ("learner", "spring-27"), ("learner", "autumn-27"), display="Kim Meyer")
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    empty.person("otto", ("instructor", "autumn-27"))
    return empty


def get(world: World, path: str, name: str = "ada", status: int = 200) -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def post(world: World, path: str, name: str = "ada", status: int = 303, **fields: object) -> str:
    answer = world.browser(name).post(CAMPUS_PREFIX + path, data=fields)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def seated(world: World, cohort: str = "spring-27") -> bool:
    with world.store.reading() as session:
        return has_seat(session, "kim", cohort, ["learner"], NOW + timedelta(seconds=1))


def of_kim(world: World) -> str:
    return f"{LEFT}/{world.pseudonym('kim')}"


def test_an_instructor_withdraws_a_learner_from_this_cohort_alone(world: World) -> None:
    assert "Work, results and evidence stay" in get(world, of_kim(world))

    post(world, of_kim(world), reason="Moved to another site.")

    assert not seated(world)
    assert seated(world, "autumn-27")
    assert "Moved to another site." in get(world, LEFT)


def test_a_learner_leaves_by_their_own_wish(world: World) -> None:
    assert f"{CAMPUS_PREFIX}leave/spring-27" in get(world, "passport", "kim")
    assert "Leave Technicians, spring 2027?" in get(world, "leave/spring-27", "kim")

    found = post(world, "leave/spring-27", "kim", 200, reason="No time.")

    assert "You have left Technicians, spring 2027" in found
    assert not seated(world)
    assert "by their own wish" in get(world, LEFT)


def test_the_work_of_who_left_is_kept(world: World) -> None:
    submission = world.hand_in("kim", 1, "s1")

    post(world, of_kim(world), reason="x")

    with world.store.reading() as session:
        assert session.get(tables.Submission, submission) is not None


def test_it_is_undone_as_it_was(world: World) -> None:
    until = NOW + timedelta(days=30)
    with world.store.transaction() as session:
        session.scalars(select(tables.Membership)).first().valid_to = until
    post(world, of_kim(world), reason="x")

    post(world, "cohorts/spring-27/withdrawal-undo", withdrawal=1)

    assert seated(world)
    with world.store.reading() as session:
        assert session.scalars(select(tables.Membership)).first().valid_to == until
    assert "Nobody has left this cohort." in get(world, LEFT)


def test_after_some_days_it_cannot_be_undone(world: World) -> None:
    post(world, of_kim(world), reason="x")
    late = NOW + timedelta(days=withdrawals.UNDO_DAYS, seconds=1)

    with world.store.transaction() as session:
        cohort = session.scalars(select(tables.Cohort)).first()
        assert not withdrawals.undo(session, 1, cohort, "p-000002", late)
        assert not replace(withdrawals.left(session, cohort, late)[0]).may_undo


def test_without_a_reason_nothing_happens(world: World) -> None:
    assert "The reason is empty." in post(world, of_kim(world), status=422, reason="  ")
    assert "The reason is empty." in post(world, "leave/spring-27", "kim", 422)
    assert seated(world)


@pytest.mark.parametrize("name", ["zoe", "otto", "kim"])
def test_only_an_instructor_of_the_cohort_withdraws_others(world: World, name: str) -> None:
    get(world, LEFT, name, 403)
    get(world, of_kim(world), name, 403)
    post(world, of_kim(world), name, 403, reason="x")
    post(world, "cohorts/spring-27/withdrawal-undo", name, 403, withdrawal=1)
    assert seated(world)


@pytest.mark.parametrize("name", ["ada", "otto"])
def test_nobody_leaves_for_another(world: World, name: str) -> None:
    get(world, "leave/spring-27", name, 403)
    post(world, "leave/spring-27", name, 403, reason="x")


def test_it_is_in_the_audit_log(world: World) -> None:
    post(world, of_kim(world), reason="x")
    post(world, "cohorts/spring-27/withdrawal-undo", withdrawal=1)

    with world.store.reading() as session:
        found = [
            (entry.action, entry.detail) for entry in session.scalars(select(tables.AuditEntry))
        ]
    who = {"learner": world.pseudonym("kim")}
    assert found == [("withdrew learner", who), ("took back withdrawal", who)]


def test_giving_a_seat_back_twice_says_that_nothing_was_given_back(world: World) -> None:
    post(world, of_kim(world), reason="Moved.")
    undo = f"{CAMPUS_PREFIX}cohorts/spring-27/withdrawal-undo"
    first = world.browser("ada").post(undo, data={"withdrawal": "1"}).headers["location"]
    second = world.browser("ada").post(undo, data={"withdrawal": "1"}).headers["location"]

    assert "The seat is given back as it was." in world.browser("ada").get(first).text
    assert "No seat was given back" in world.browser("ada").get(second).text


@pytest.mark.parametrize("path", [LEFT, "cohorts/spring-27"])
def test_the_cohort_is_the_marked_link_of_the_head(world: World, path: str) -> None:
    for shown in (path, of_kim(world)):
        head = get(world, shown).split("<main")[0]
        assert head.count('aria-current="page"') == 1
        marked = head.split('aria-current="page"')[0].rsplit("<a", 1)[1]
        assert "cohorts/spring-27" in marked
