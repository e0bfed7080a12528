"""Odd addresses and forms end on a page that says what to do; nothing fails on our side."""

import pytest
from pages_builders import World, auto
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX

S1 = "runs/spring/assignments/s1"
HUGE = "9" * 30


@pytest.fixture
def world(empty: World) -> World:
    empty.site.places.campus.mkdir(parents=True)
    empty.cohort(tables.PLATFORM, "Platform")
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians"))
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("ada", ("instructor", "spring-27"), ("admin", tables.PLATFORM))
    empty.grade(empty.hand_in("kim", 1, "s1"), [auto("s1/gc", "1", "5")])
    return empty


@pytest.mark.parametrize(
    "path",
    [
        f"feedback/{HUGE}", f"course-versions/uploads/{HUGE}", f"course-versions?done={HUGE * 200}",
        "people/%00", "runs/spring%00", "people/upload?cohort=%00", f"admin/jobs?page={HUGE}",
        "admin/audit?since=0001-01-01&until=9999-12-31", f"{S1}?done=open&n={HUGE}",
        f"runs/spring/grades?order=%00&names={HUGE}", "people/upload/" + "f" * 64,
        "cohorts/" + "x" * 3000,
    ],
)  # fmt: skip
def test_an_odd_address_is_answered_with_a_sentence(world: World, path: str) -> None:
    answer = world.browser("ada").get(CAMPUS_PREFIX + path)

    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2027-13-01", "-1", "9" * 500])
@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"{S1}/due", "date"), (f"{S1}/learners", "date"), (f"{S1}/more-time", "date"),
        ("people/spring-27/copy", "opens"), ("cohorts/spring-27/messages", "start_date"),
    ],
)  # fmt: skip
def test_a_date_that_cannot_be_meant_is_a_fault_at_its_field(
    world: World, path: str, field: str, day: str
) -> None:
    fields = {field: day, "time": "00:00", "start_time": "00:00", "kind": "resit", "slug": "next"}

    answer = world.browser("ada").post(CAMPUS_PREFIX + path, data={**fields, "reason": "x"})

    assert answer.status_code in {404, 405, 422}, answer.text
    if answer.status_code == 422:
        assert f'id="{field}' in answer.text or "fault" in answer.text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (f"{S1}/learners/undo", {"kind": "resit", "id": HUGE}),
        (f"{S1}/counts", {"result": HUGE}),
        (f"{S1}/regrade", {"submission": HUGE}),
        (f"{S1}/return", {"result": HUGE}),
        ("cohorts/spring-27/withdrawal-undo", {"withdrawal": HUGE}),
        (f"admin/jobs/{HUGE}/again", {}),
    ],
)
def test_a_number_beyond_every_id_changes_nothing(
    world: World, path: str, fields: dict[str, str]
) -> None:
    answer = world.browser("ada").post(CAMPUS_PREFIX + path, data=fields)

    assert answer.status_code < 500, answer.text
    with world.store.reading() as session:
        assert (
            list(
                session.scalars(
                    select(tables.AuditEntry.action).where(tables.AuditEntry.action == "x")
                )
            )
            == []
        )
