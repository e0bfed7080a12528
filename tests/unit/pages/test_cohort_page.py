"""The cohort table: every status, every sign with its figures, and a file that is only text."""

import csv
import io
from datetime import timedelta

import pytest
from pages_builders import NOW, World, auto, read, waiting
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.formula_guard import guarded

COHORT = "cohorts/spring-27"


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("kim", ("learner", "spring-27"), display="=HYPERLINK(1)")
    empty.person("lee", ("learner", "spring-27"), display="Lee Ost")
    return empty


def page(world: World, path: str = COHORT) -> str:
    answer = world.browser("ada").get(CAMPUS_PREFIX + path)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def row_of(world: World, name: str, path: str = COHORT) -> str:
    return page(world, path).split(f"passport/{world.pseudonym(name)}")[1].split("</tr>")[0]


def s1(world: World, name: str, gc: str, at: timedelta, *, why: str | None = "3") -> None:
    third = waiting("s1/why", "3") if why is None else read("s1/why", why, "3")
    cells = [auto("s1/gc", gc, "5"), auto("s1/frames", "2", "2"), third]
    submission = world.hand_in(name, 1, "s1", NOW - at)
    world.publish(world.grade(submission, cells, verdict="graded" if why else "needs_person"))


def done(world: World, name: str) -> None:
    world.grade(world.hand_in(name, 1, "p1"), [auto("p1/count", "4", "4")])
    s1(world, name, "5", timedelta(days=1))


def test_names_are_shown_only_when_asked_for(world: World) -> None:
    assert "Lee Ost" not in page(world)
    assert "Lee Ost" in page(world, f"{COHORT}?names=1")


def test_a_status_is_said_in_words_beside_its_level(world: World) -> None:
    s1(world, "kim", "4", timedelta(days=1))

    found = row_of(world, "kim")

    assert 'Developing </span><span>40<span class="visually-hidden"> %' in found
    assert 'Exceeded </span><span>100<span class="visually-hidden"> %' in found


def test_reached_outcomes_are_counted_over_the_cohort(world: World) -> None:
    done(world, "kim")

    assert "1<small>/2</small>" in page(world)


def test_who_did_not_hand_in_by_the_due_date_is_named_with_the_date(world: World) -> None:
    found = row_of(world, "kim")

    assert "Not handed in" in found
    assert "Practice: count, was due 15 Mar 2027" in found


def test_an_extension_is_not_overdue(world: World) -> None:
    with world.store.transaction() as session:
        session.add(
            tables.Extension(
                assignment_id=world.assignment_id(1, "p1"),
                person_id=world.ids["kim"],
                due_at=NOW + timedelta(days=2),
                granted_by="ada",
            )
        )

    assert "Not handed in" not in row_of(world, "kim")


def test_three_tries_below_the_pass_share_are_a_sign(world: World) -> None:
    for days in (6, 4, 2):
        s1(world, "kim", "1", timedelta(days=days), why="0")

    found = row_of(world, "kim")

    assert "3 tries without passing" in found
    assert "Sequence records, best 30 %" in found


def test_a_week_without_a_hand_in_is_a_sign_while_something_is_open(world: World) -> None:
    world.hand_in("kim", 1, "p1", NOW - timedelta(days=9))

    assert "No hand-in for 9 days" in row_of(world, "kim")


def test_who_has_handed_in_everything_shows_no_sign(world: World) -> None:
    done(world, "kim")

    assert "<strong>" not in row_of(world, "kim")


def test_who_needs_attention_comes_first(world: World) -> None:
    done(world, "kim")

    found = page(world)

    assert found.index(world.pseudonym("lee")) < found.index(world.pseudonym("kim"))
    assert "1 learner may need you." in found


def test_by_progress_the_furthest_comes_first(world: World) -> None:
    done(world, "lee")

    found = page(world, f"{COHORT}?order=progress")

    assert found.index(world.pseudonym("lee")) < found.index(world.pseudonym("kim"))


def test_the_chart_has_its_table(world: World) -> None:
    world.hand_in("kim", 1, "p1", NOW - timedelta(days=9))
    world.hand_in("lee", 1, "p1", NOW - timedelta(days=1))

    found = page(world)

    assert 'aria-label="week 1: 1, week 2: 1"' in found
    assert "1 of 2" in found.split("Table of this chart")[1]


def test_a_cohort_without_learners_says_so(empty: World) -> None:
    empty.run("spring", empty.course(), empty.cohort("spring-27"))
    empty.person("ada", ("instructor", "spring-27"))

    assert "Nobody is in this cohort yet." in page(empty)


def test_a_cohort_without_a_run_says_so(empty: World) -> None:
    empty.cohort("spring-27")
    empty.person("ada", ("instructor", "spring-27"))

    assert "No course runs for this cohort yet." in page(empty)


def table(world: World, names: int) -> list[list[str]]:
    answer = world.browser("ada").get(f"{CAMPUS_PREFIX}{COHORT}/table.csv?names={names}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="cohort-spring-27.csv"'
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_the_file_holds_what_the_page_shows(world: World) -> None:
    done(world, "kim")

    head, kim, _lee = table(world, 0)

    assert head[:3] == ["learner", "BSH-U01-K1", "BSH-U01-K1 level"]
    assert [world.pseudonym("kim"), "Exceeded"] == kim[:2]
    assert len(head) == len(kim)


def test_a_name_in_the_file_never_becomes_a_formula(world: World) -> None:
    assert table(world, 1)[1][1] == "'=HYPERLINK(1)"


def test_taking_the_file_is_written_down(world: World) -> None:
    table(world, 1)

    with world.store.reading() as session:
        entry = session.scalars(select(tables.AuditEntry)).one()
    assert (
        entry.actor,
        entry.action,
        entry.subject,
        entry.detail,
    ) == (world.pseudonym("ada"), "exported cohort table", "spring-27", {"names": True})


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n=1"])
def test_text_that_a_spreadsheet_would_run_is_marked_as_text(text: str) -> None:
    assert f"'{text}" == guarded(text)


@pytest.mark.parametrize("text", ["", "Kim", "p-000001", "80 %", "3 tries = 3"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert text == guarded(text)
