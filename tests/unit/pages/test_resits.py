"""Another assignment as the resit: for whom, what its points do, where it is shown, and back."""

import copy
import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from pages_builders import MANIFEST, MAPPING, NOW, World, auto
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.tables_teaching import Resit
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.campus import deliveries, submissions
from bioskills.hub.campus.site import Refused

S1 = "runs/spring/assignments/s1"
HERE = f"{S1}/learners"
LATER = {"date": "2027-04-20", "time": "12:00"}
ANOTHER: dict[str, Any] = {
    **MANIFEST["assignments"][1],
    "id": "s1b", "title": "Other records", "file": "assignments/s1b/s1b.ipynb", "points": 20,
}  # fmt: skip


def course(world: World, *, same_task: bool) -> int:
    """Install the course with one assignment more: of the same task, or a task of its own."""
    key = world.course()
    manifest, mapping = copy.deepcopy(MANIFEST), copy.deepcopy(MAPPING)
    manifest["assignments"].append(ANOTHER)
    cells = [{"cell": "s1b/gc", "outcomes": {"BSH-U04-S1": "1.0"}}]
    if same_task:
        mapping["tasks"][1]["assignments"].append("s1b")
        mapping["tasks"][1]["cells"] += cells
    else:
        task = {**mapping["tasks"][1], "id": "s1b", "assignments": ["s1b"], "cells": cells}
        mapping["tasks"].append({**task, "title": "Other records"})
    world.change(tables.CourseVersion, key, manifest=manifest, mapping=mapping)
    world.run(
        "spring", key, world.cohort("spring-27", "Technicians"), plans=manifest["assignments"]
    )
    world.change(tables.Assignment, world.assignment_id(1, "s1b"), state="draft")
    world.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    world.person("lee", ("learner", "spring-27"), display="Lee Ost")
    world.person("ada", ("instructor", "spring-27"))
    return key


@pytest.fixture
def world(empty: World) -> World:
    course(empty, same_task=False)
    return empty


@pytest.fixture
def same(empty: World) -> World:
    course(empty, same_task=True)
    return empty


def page(world: World, path: str = HERE, name: str = "ada") -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def give(world: World, *names: str, status: int = 303, **fields: str) -> str:
    form = {"kind": "resit", "reason": "You were ill.", "instead": "s1b", **LATER, **fields}
    form["learner"] = [world.pseudonym(name) for name in names]
    answer = world.browser("ada").post(CAMPUS_PREFIX + HERE, data=form)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def card(world: World, assignment: str, name: str = "kim") -> dict[str, Any]:
    answer = world.lab(name).get(f"{CAMPUS_PREFIX}api/v1/lab/overview").json()
    cards = answer["runs"][0]["assignments"]
    return next((a for a in cards if a["name"] == assignment), {})


def work(world: World, assignment: str, points: str, days: float, name: str = "kim") -> int:
    submission = world.hand_in(name, 1, assignment, NOW + timedelta(days=days))
    first = [auto("s1/gc", points, "5"), auto("s1/frames", "0", "2"), auto("s1/why", "0", "3")]
    cells = first if assignment == "s1" else [auto("s1b/gc", points, "20")]
    world.publish(world.grade(submission, cells))
    return submission


def row_of(world: World, name: str = "kim") -> list[str]:
    text = world.browser("ada").get(f"{CAMPUS_PREFIX}runs/spring/grades.csv").text
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    return next(row for row in rows if row[0] == world.pseudonym(name))


def may(world: World, name: str) -> None:
    ask = submissions.HandIn("spring", "s1b", name, world.ids[name], 1, NOW + timedelta(minutes=1))
    with world.store.reading() as session:
        submissions.check(session, ask)


def test_it_is_open_to_who_was_given_it_and_to_nobody_else(world: World) -> None:
    work(world, "s1", "2", -3)
    give(world, "kim")

    may(world, "kim")
    with pytest.raises(Refused, match="not open yet"):
        may(world, "lee")
    with world.store.reading() as session:
        delivery = deliveries.find_delivery(session, "spring")
        listed = [
            [
                i.name
                for i in deliveries.list_assignments(
                    session, delivery, key, drafts=False
                ).assignments
            ]
            for key in (world.ids["kim"], world.ids["lee"])
        ]
    assert listed == [["p1", "s1", "s1b"], ["p1", "s1"]]


def test_the_learner_reads_what_it_is_and_what_its_points_do(world: World) -> None:
    work(world, "s1", "2", -3)
    give(world, "kim")

    assert card(world, "s1b")["state"] == "new"
    assert card(world, "s1b")["closes_at"].startswith("2027-04-20T10:00")
    assert card(world, "s1b")["late"] == ""
    assert "It is your resit of Sequence records" in card(world, "s1b")["message"]
    assert "Your resit is Other records, until 20 April" in card(world, "s1")["message"]
    assert "You were ill." in card(world, "s1")["message"]

    work(world, "s1b", "16", 0.001)

    assert card(world, "s1")["points"] == "8"
    assert card(world, "s1")["passed"]
    assert "Other records stands for it" in card(world, "s1")["message"]
    feedback = page(world, "feedback/1", "kim")
    assert "Your resit counts, not this attempt" in feedback


def test_better_points_stand_for_the_first_one_as_a_share_and_are_added_once(world: World) -> None:
    work(world, "s1", "2", -3)
    give(world, "kim")
    before = row_of(world)
    work(world, "s1b", "16", 0.001)

    after = row_of(world)

    assert before[4:6] == ["2", "10"]
    assert "resit given: Other records" in before[6]
    assert after[4:6] == ["8", "10"]
    assert "by the resit Other records" in after[6]
    assert after[-2:] == ["8", "10"]
    assert "by the resit Other records" in page(world, "runs/spring/grades")


def test_worse_points_take_nothing_away(world: World) -> None:
    work(world, "s1", "5", -3)
    give(world, "kim")
    work(world, "s1b", "2", 0.001)

    assert row_of(world)[4:6] == ["5", "10"]
    assert "the better of the two counts" in card(world, "s1")["message"]


def test_where_it_is_a_column_it_adds_nothing_for_who_was_given_it(world: World) -> None:
    world.change(tables.Assignment, world.assignment_id(1, "s1b"), state="closed")
    work(world, "s1", "2", -3)
    give(world, "kim")
    work(world, "s1b", "16", 0.001)

    assert row_of(world)[-2:] == ["8", "10"]
    assert "resit of Sequence records: its points stand there" in row_of(world)[9]
    assert row_of(world, "lee")[-1] == "30"


def test_it_can_be_taken_back_and_every_step_is_in_the_audit_log(world: World) -> None:
    work(world, "s1", "2", -3)
    give(world, "kim")
    assert "Other records as the resit, until" in page(world)
    work(world, "s1b", "16", 0.001)

    world.browser("ada").post(f"{CAMPUS_PREFIX}{HERE}/undo", data={"kind": "resit", "id": 1})

    assert row_of(world)[4:6] == ["2", "10"]
    with world.store.reading() as session:
        row = session.scalars(select(Resit)).one()
        entries = session.scalars(select(tables.AuditEntry).order_by(tables.AuditEntry.id)).all()
        told = {entry.action: entry.detail for entry in entries}
    assert (row.ended_by, row.ended_at) == (world.pseudonym("ada"), NOW)
    assert told["gave resit"]["by"] == "s1b"
    assert told["took back resit"] == {"learners": [world.pseudonym("kim")]}


def test_the_passport_says_that_the_evidence_came_by_a_resit(world: World) -> None:
    work(world, "s1", "2", -3)
    give(world, "kim")
    work(world, "s1b", "16", 0.001)

    words = "Other records, as the resit of Sequence records"
    assert words in page(world, "passport", "kim")
    kim = world.pseudonym("kim")
    assert words in page(world, f"runs/spring/learners/{kim}/as-learner")


def test_attempts_of_one_task_are_counted_together_and_said_to_be(same: World) -> None:
    for days in (-9, -7, -5):
        work(same, "s1", "2", days)
    give(same, "kim")

    assert "It is practice: the first 3 attempts count." in card(same, "s1b")["message"]
    late = work(same, "s1b", "20", 0.001)

    assert row_of(same)[4:6] == ["2", "10"]
    assert "only the first 3 attempts count" in page(same, f"feedback/{late}", "kim")


def test_an_attempt_that_is_left_is_used_by_the_resit(same: World) -> None:
    work(same, "s1", "2", -5)
    give(same, "kim")
    work(same, "s1b", "20", 0.001)

    assert row_of(same)[4:6] == ["10", "10"]
    with same.store.reading() as session:
        rows = session.scalars(
            select(tables.Evidence).where(tables.Evidence.outcome == "BSH-U04-S1")
        )
        assert [(row.task, row.attempt) for row in rows] == [("s1", 1), ("s1", 2)]


def test_a_resit_within_the_pause_of_its_task_says_from_when_it_counts(same: World) -> None:
    work(same, "s1", "2", -0.5)
    give(same, "kim")

    assert "It counts from Fri 19 March, 02:05 CET" in card(same, "s1b")["message"]


def test_what_is_mapped_as_a_resit_is_hidden_from_who_was_not_given_it(same: World) -> None:
    work(same, "s1", "2", -5)
    give(same, "kim")

    assert card(same, "s1b", "kim")
    assert card(same, "s1b", "lee") == {}


def test_only_what_is_not_open_to_everybody_and_not_begun_can_be_given(world: World) -> None:
    work(world, "s1", "2", -3)
    assert '<option value="s1b"' in page(world)
    assert '<option value="p1"' not in page(world)
    assert "p1 cannot be given as the resit" in give(world, "kim", status=422, instead="p1")
    assert "s1 cannot be given as the resit" in give(world, "kim", status=422, instead="s1")
    give(world, "lee")
    work(world, "s1b", "20", 0.001, "lee")
    world.browser("ada").post(f"{CAMPUS_PREFIX}{HERE}/undo", data={"kind": "resit", "id": 1})
    assert "Lee Ost has worked on Other records already" in give(world, "lee", status=422)

    world.change(tables.Assignment, world.assignment_id(1, "s1b"), state="open")

    assert "s1b cannot be given as the resit" in give(world, "kim", status=422)


def test_two_assignments_are_never_each_others_resit(world: World) -> None:
    for name in ("s1", "s1b"):
        world.change(tables.Assignment, world.assignment_id(1, name), state="closed")
    give(world, "kim")
    form = {"kind": "resit", "reason": "x", "instead": "s1", "learner": world.pseudonym("kim")}
    there = f"{CAMPUS_PREFIX}runs/spring/assignments/s1b/learners"

    answer = world.browser("ada").post(there, data={**form, **LATER})

    assert answer.status_code == 422
    assert page(world, "runs/spring/grades")


def test_another_attempt_takes_nothing_from_the_resit_that_was_taken(world: World) -> None:
    work(world, "s1", "2", -3)
    give(world, "kim")
    work(world, "s1b", "16", 0.001)

    give(world, "kim", instead="")

    assert row_of(world)[4:6] == ["8", "10"]
    assert "by the resit Other records" in row_of(world)[6]
    assert "Another attempt open" in row_of(world)[6]
    assert "You have another attempt until" in card(world, "s1")["message"]
    assert "Other records as the resit, until" in page(world)
    work(world, "s1", "5", 0.002)
    assert row_of(world)[4:6] == ["8", "10"]

    world.browser("ada").post(f"{CAMPUS_PREFIX}{HERE}/undo", data={"kind": "resit", "id": 1})

    assert row_of(world)[4:6] == ["5", "10"]


def test_a_resit_that_nobody_has_worked_on_ends_with_the_next_decision(world: World) -> None:
    give(world, "kim")
    give(world, "kim", instead="")

    with world.store.reading() as session:
        rows = session.scalars(select(Resit).order_by(Resit.id)).all()
        ended = [row.ended_at is not None for row in rows]
    assert ended == [True, False]


def test_another_attempt_at_a_resit_does_not_count_its_points_twice(world: World) -> None:
    world.change(tables.Assignment, world.assignment_id(1, "s1b"), state="closed")
    work(world, "s1", "2", -3)
    give(world, "kim")
    work(world, "s1b", "16", -0.001)
    there = f"{CAMPUS_PREFIX}runs/spring/assignments/s1b/learners"
    form = {"kind": "resit", "reason": "Once more.", "learner": world.pseudonym("kim"), **LATER}

    assert world.browser("ada").post(there, data=form).status_code == 303

    assert row_of(world)[-2:] == ["8", "10"]
    assert "You have another attempt until" in card(world, "s1b")["message"]
    assert "It is your resit of Sequence records" in card(world, "s1b")["message"]


def test_more_time_that_is_changed_or_taken_back_stays_on_record(world: World) -> None:
    for day in ("2027-04-20", "2027-04-22"):
        give(world, "kim", kind="extension", date=day)
    world.browser("ada").post(f"{CAMPUS_PREFIX}{HERE}/undo", data={"kind": "extension", "id": 2})

    with world.store.reading() as session:
        rows = session.scalars(select(tables.Extension).order_by(tables.Extension.id)).all()
        kept = [(row.due_at.day, row.ended_by, row.ended_at) for row in rows]
    assert kept == [(20, world.pseudonym("ada"), NOW), (22, world.pseudonym("ada"), NOW)]
    assert not card(world, "s1")["extended"]
