"""The first pages of assessor, certifier, manager and funder: real figures, nobody's too much."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from pages_builders import MANIFEST, NOW, World, auto, read, waiting
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.tables import PLATFORM
from bioskills.base.tables_teaching import Look, Withdrawal
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.competence.framework import RULE, load_framework
from bioskills.hub.campus import waiting as waiting_page
from bioskills.hub.campus.overview_routes import FRAMEWORK
from bioskills.hub.campus.passport import standing_of
from bioskills.hub.campus.standings import Reading, Verdicts
from bioskills.hub.ledger_rows import append_evidence

SPRING = "Technicians, spring 2027"
FLAG = {"code": "hook", "cell": "", "message": "A hook was left behind."}


@pytest.fixture
def world(empty: World) -> World:
    course = empty.course()
    empty.run("spring", course, empty.cohort("spring-27", SPRING))
    empty.cohort(PLATFORM)
    empty.cohort("autumn-27", "Autumn")
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    empty.person("cer", ("certifier", "spring-27"))
    empty.person("man", ("manager", "spring-27"))
    empty.person("boss", ("manager", PLATFORM))
    empty.person("fun", ("funder", "spring-27"), ("funder", "autumn-27"))
    empty.person("out", ("assessor", "autumn-27"), ("certifier", "autumn-27"))
    empty.person("kim", ("learner", "spring-27"), display="=HYPERLINK(1)")
    empty.person("lee", ("learner", "spring-27"), display="Łucja Müller")
    return empty


def get(world: World, path: str, name: str, status: int = 200) -> bytes:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return answer.content


def page(world: World, path: str, name: str, status: int = 200) -> str:
    return " ".join(get(world, path, name, status).decode().split())


def s1(world: World, name: str, *, days: int = 1, why: bool = False, **more: Any) -> int:
    third = read("s1/why", "3", "3") if why else waiting("s1/why", "3")
    cells = [auto("s1/gc", "5", "5"), auto("s1/frames", "2", "2"), third]
    submission = world.hand_in(name, 1, "s1", NOW - timedelta(days=days))
    world.publish(world.grade(submission, cells, **more))
    return submission


def looks(world: World, what: str) -> list[tuple[int, str]]:
    with world.store.reading() as session:
        rows = session.scalars(select(Look).where(Look.what == what))
        return sorted((row.person_id, row.role) for row in rows)


# ---------- assessor ----------


def test_the_oldest_work_that_needs_a_person_comes_first_with_its_reason(world: World) -> None:
    s1(world, "kim", days=1)
    s1(world, "lee", days=3)

    found = page(world, "waiting", "zoe")

    assert found.index("Łucja Müller") < found.index("=HYPERLINK(1)")
    assert "2 hand-ins wait." in found
    assert "3 days ago" in found
    assert found.count("One answer to read.") == 2
    assert looks(world, "waiting") == [
        (world.ids["kim"], "assessor"),
        (world.ids["lee"], "assessor"),
    ]


def test_work_that_is_flagged_failed_or_was_flagged_before_is_listed_and_finished_work_not(
    world: World,
) -> None:
    s1(world, "kim", days=4, why=True, flags=[FLAG])
    s1(world, "kim", days=1, why=True)
    failed = world.hand_in("lee", 1, "p1", NOW - timedelta(days=2))
    with world.store.transaction() as session:
        job = session.scalars(select(tables.Job).where(tables.Job.submission_id == failed)).one()
        job.state, job.message = "failed", "The machine was too full."

    found = page(world, "waiting", "zoe")

    assert "2 hand-ins wait." in found
    assert "Flagged." in found
    assert "attempt 1" in found
    assert "attempt 2" not in found
    assert "The machine was too full." in found


def test_who_left_waits_for_nobody(world: World) -> None:
    s1(world, "kim")
    with world.store.transaction() as session:
        mine = tables.Membership.person_id == world.ids["kim"]
        session.scalars(select(tables.Membership).where(mine)).one().valid_to = NOW

    assert "Nothing waits for you." in page(world, "waiting", "zoe")


def test_judged_work_waits_for_an_instructor_and_no_more_for_the_assessor(world: World) -> None:
    submission = s1(world, "kim")
    with world.store.transaction() as session:
        session.add(
            tables.Judgement(
                submission_id=submission, kind="points", cell="s1/why", points="2",
                by=world_pseudonym(session, "zoe"),
            )
        )  # fmt: skip

    found = page(world, "waiting", "zoe")

    assert "Nothing waits for you." in found
    assert "=HYPERLINK(1)" in found.split("Judged, not in results yet")[1]


def test_work_that_waits_is_listed_however_much_that_is_done_came_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_page, "MOST", 2)
    for number in range(5):
        world.person(f"done-{number}", ("learner", "spring-27"))
        s1(world, f"done-{number}", days=9)
        s1(world, f"done-{number}", days=8, why=True)
    s1(world, "kim", days=1)

    found = page(world, "waiting", "zoe")

    assert "1 hand-in waits." in found
    assert "=HYPERLINK(1)" in found
    assert "more follow" not in found
    assert "Done-0" not in found
    assert looks(world, "waiting") == [(world.ids["kim"], "assessor")], "nobody else was shown"


def test_one_page_lists_the_oldest_and_says_how_many_may_follow(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_page, "MOST", 2)
    for number in range(5):
        world.person(f"new-{number}", ("learner", "spring-27"))
        s1(world, f"new-{number}", days=9 - number)

    found = page(world, "waiting", "zoe")

    assert "2 hand-ins wait." in found
    assert "Up to 3 more follow when these are done." in found
    assert found.index("New-0") < found.index("New-1")
    assert "New-2" not in found
    assert looks(world, "waiting") == [(world.ids[f"new-{n}"], "assessor") for n in (0, 1)]


def world_pseudonym(session: Any, name: str) -> str:
    return session.scalars(select(tables.Person).where(tables.Person.name == name)).one().pseudonym


def test_an_assessor_of_another_cohort_sees_nothing_and_says_what_will_come(world: World) -> None:
    s1(world, "kim")

    found = page(world, "waiting", "out")

    assert "Nothing waits for you." in found
    assert "as soon as a learner hands them in" in found


# ---------- certifier ----------


def test_the_certifiers_table_says_what_the_passport_says(world: World) -> None:
    s1(world, "kim", days=5, why=True)
    s1(world, "lee")
    with world.store.reading() as session:
        framework = load_framework(FRAMEWORK)
        reading = Reading(session, framework, NOW)
        people = [session.get_one(tables.Person, world.ids[name]) for name in ("kim", "lee")]
        together = reading.standings(people)
        alone = {p.id: standing_of(session, framework, p, NOW) for p in people}

    assert {key: one.results for key, one in together.items()} == {
        key: one.results for key, one in alone.items()
    }


def reach(world: World, name: str, unit: str) -> None:
    """Let prior learning show every outcome of a unit, written down beside some result."""
    with world.store.transaction() as session:
        result = session.scalars(select(tables.Result.id)).first()
        rows = [
            tables.Evidence(
                kind="rpl", at=NOW, actor="p-000003", learner=world_pseudonym(session, name),
                outcome=outcome.id, task="", attempt=0, score=None, raw=None, max="0.0000",
                pending=False, submitted_at=NOW, framework=FRAMEWORK, mapping="first-steps@1",
                rule=RULE, notebook_sha256="", notebook_src_sha256="", cells_sha256="",
                feedback_sha256="", image="", released_by="p-000003", run_id=1, result_id=result,
            )
            for outcome in load_framework(FRAMEWORK).unit(unit).outcomes
        ]  # fmt: skip
        append_evidence(session, rows, "spring")


def test_a_unit_is_reached_by_the_same_verdict_remembered_or_not(world: World) -> None:
    verdicts = Verdicts()
    s1(world, "lee", days=5, why=True)
    reach(world, "kim", "BSH-U04")
    with world.store.reading() as session:
        framework = load_framework(FRAMEWORK)
        reading = Reading(session, framework, NOW)
        kim, lee = (session.get_one(tables.Person, world.ids[name]) for name in ("kim", "lee"))
        standing = standing_of(session, framework, kim, NOW)
        first, again = (reading.reached([kim, lee], verdicts) for _time in range(2))
        expected = {code for code, unit in standing.units.items() if unit.points}

    assert expected == {"BSH-U04"}
    assert first == again
    assert first[kim.id] == expected
    assert not first.get(lee.id)


def test_a_table_of_units_has_pseudonyms_until_names_are_asked_for(world: World) -> None:
    s1(world, "kim", why=True)

    plain, named = (page(world, f"units/spring-27{q}", "cer") for q in ("", "?names=1"))

    assert "Łucja" not in plain
    assert world.pseudonym("lee") in plain
    assert "Łucja Müller" in named
    assert "Not ready" in plain
    assert "1 of 1 record counts" in plain
    assert looks(world, "units")[0] == (world.ids["kim"], "certifier")


def test_the_files_of_units_are_only_data_and_are_written_down(world: World) -> None:
    s1(world, "kim", why=True)
    path = "units/spring-27/units"

    text = get(world, f"{path}.csv?names=1", "cer").decode("utf-8-sig")
    book = CalamineWorkbook.from_filelike(io.BytesIO(get(world, f"{path}.xlsx?names=1", "cer")))
    rows = list(csv.reader(io.StringIO(text)))

    assert rows[0][:3] == ["learner", "name", "unit"]
    assert {row[1] for row in rows[1:]} == {"'=HYPERLINK(1)", "Łucja Müller"}
    assert book.get_sheet_by_index(0).to_python()[0] == rows[0]
    with world.store.reading() as session:
        actions = list(session.scalars(select(tables.AuditEntry.action)))
    assert actions.count("exported units reached") == 2


@pytest.mark.parametrize(
    ("query", "rows"), [("?state=ready", 0), ("?state=open", 2), ("?unit=BSH-U01", 1)]
)
def test_a_part_of_the_table_is_chosen_by_state_and_unit(
    world: World, query: str, rows: int
) -> None:
    found = page(world, f"units/spring-27{query}", "cer")

    assert found.count(f">{world.pseudonym('kim')}<") == rows


# ---------- manager ----------


def test_a_managers_page_counts_people_work_and_what_waits_and_names_nobody(world: World) -> None:
    s1(world, "kim", days=20, why=True)
    world.hand_in("lee", 1, "s1", NOW - timedelta(days=3))
    with world.store.transaction() as session:
        session.add(
            Withdrawal(
                person_id=world.ids["lee"], cohort_id=1, seats=[], reason="-", given_by="-",
                given_at=NOW - timedelta(days=2),
            )
        )  # fmt: skip

    found = page(world, "figures/spring-27", "man")

    figures = found.split("</dl>")[0]
    assert "<dt>Started</dt><dd>2 <small>of 2</small>" in figures
    assert "<dt>Handed in within 7 days</dt><dd>1 <small>of 2</small>" in figures
    assert "<dt>Handed in within 30 days</dt><dd>2 <small>of 2</small>" in figures
    assert "<dt>Hand-ins without feedback</dt><dd>1</dd>" in figures
    assert "3 days ago" in found
    assert "1 learner left." in found
    for name in ("kim", "lee"):
        assert world.pseudonym(name) not in found
    assert "Łucja" not in found


def test_a_period_counts_its_first_and_last_day_whole(world: World) -> None:
    s1(world, "kim", days=5)
    day = (NOW - timedelta(days=5)).date().isoformat()

    inside = page(world, f"figures/spring-27?since={day}&until={day}", "man")
    before = page(world, "figures/spring-27?since=2027-01-01&until=2027-01-31", "man")

    assert "<dt>Learners who handed in</dt><dd>1 <small>of 2</small>" in inside
    assert "<dt>Learners who handed in</dt><dd>0 <small>of 2</small>" in before


def test_every_fault_of_a_period_is_told_at_once(world: World) -> None:
    found = page(world, "figures/spring-27?since=soon&until=%3Cb%3E", "man", 422)

    assert "soon is no day." in found
    assert "&lt;b&gt; is no day." in found
    backwards = "figures/spring-27?since=2027-03-02&until=2027-03-01"
    assert "The last day is before the first." in page(world, backwards, "man", 422)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_file_of_another_period_than_was_typed_is_given(world: World, kind: str) -> None:
    typed = f"figures/spring-27/figures.{kind}?since=soon&until=2027-03-01"

    assert "soon is no day." in page(world, typed, "man", 422)


def test_a_manager_of_the_platform_sees_every_cohort_and_one_of_a_cohort_only_that(
    world: World,
) -> None:
    everything, own = page(world, "figures", "boss"), page(world, "figures", "man")

    assert SPRING in everything
    assert "Autumn" in everything
    assert SPRING in own
    assert "Autumn" not in own
    page(world, "figures/autumn-27", "boss")
    page(world, "figures/autumn-27", "man", 403)


def test_the_managers_files_hold_one_figure_in_each_row(world: World) -> None:
    s1(world, "kim")

    path = "figures/spring-27/figures"
    rows = list(csv.reader(io.StringIO(get(world, f"{path}.csv", "man").decode("utf-8-sig"))))
    book = CalamineWorkbook.from_filelike(io.BytesIO(get(world, f"{path}.xlsx", "man")))

    assert ["spring-27", "spring", "hand-ins", "1"] in rows
    assert ["spring-27", "Learners", "now", "2"] in rows
    assert len(book.get_sheet_by_index(0).to_python()) == len(rows)


# ---------- funder ----------


def fill(world: World, cohort: str, count: int, run: int = 0, hand_ins: int = 0) -> None:
    for number in range(count):
        name = f"{cohort}-{number}"
        world.person(name, ("learner", cohort))
        if number < hand_ins:
            world.hand_in(name, run, "s1", NOW - timedelta(days=2))


def test_a_funder_sees_no_number_below_five_and_no_name_of_a_small_cohort(world: World) -> None:
    fill(world, "spring-27", 12, 1, 7)
    world.person("one", ("learner", "autumn-27"))

    found = page(world, "funded", "fun")

    assert "<dt>Learners</dt><dd>15</dd>" in found
    assert "<dt>Handed in</dt><dd>5</dd>" in found
    assert "<dt>Reached a unit</dt><dd>not shown</dd>" in found
    assert "Autumn" not in found, "fourteen of fifteen would give the one away"
    assert "spring-27-1" not in found


def test_cohorts_that_are_large_enough_are_named(world: World) -> None:
    fill(world, "spring-27", 10)
    fill(world, "autumn-27", 6)

    found = page(world, "funded", "fun")

    assert SPRING in found
    assert "Autumn" in found
    rows = list(
        csv.reader(io.StringIO(get(world, "funded/figures.csv", "fun").decode("utf-8-sig")))
    )
    assert rows[0][0] == "people, in fives rounded down"
    assert [row[:2] for row in rows[1:]] == [
        ["All together", "15"],
        ["Autumn", "5"],
        [SPRING, "10"],
    ]


def test_one_learner_more_changes_nothing_for_a_funder(world: World) -> None:
    fill(world, "spring-27", 9, 1, 7)
    fill(world, "autumn-27", 6)
    before = get(world, "funded/figures.csv", "fun")

    s1(world, "kim")
    world.person("one", ("learner", "autumn-27"))

    assert get(world, "funded/figures.csv", "fun") == before


def test_a_funder_of_nobody_reads_that_numbers_are_small(world: World) -> None:
    found = page(world, "funded", "fun")

    assert "<dt>Learners</dt><dd>not shown</dd>" in found
    assert "Cohort by cohort" not in found


# ---------- doors ----------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("kim", "waiting"), ("ada", "waiting"), ("man", "units/spring-27"), ("zoe", "figures"),
        ("out", "units/spring-27"), ("cer", "figures/spring-27"), ("man", "funded"),
        ("fun", "figures/spring-27"), ("fun", "units/spring-27/units.csv"),
        ("cer", "funded/figures.xlsx"), ("cer", "units/nowhere"), ("boss", "units/spring-27"),
    ],
)  # fmt: skip
def test_a_door_is_shut_to_other_roles_and_other_cohorts(
    world: World, name: str, path: str
) -> None:
    assert "This page is for people with another role" in page(world, path, name, 403)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("zoe", "waiting"),
        ("cer", "units"),
        ("man", "figures"),
        ("boss", "figures"),
        ("fun", "funded"),
    ],
)
def test_each_role_begins_at_its_own_door(world: World, name: str, first: str) -> None:
    answer = world.browser(name).get(CAMPUS_PREFIX)

    assert answer.headers["location"].endswith(f"campus/{first}")
    page(world, first, name)


def test_who_learns_and_certifies_chooses_between_both(world: World) -> None:
    world.person("both", ("learner", "spring-27"), ("certifier", "autumn-27"))

    found = page(world, "", "both")

    assert "Units reached" in found
    assert "Passport" in found


def test_a_cohort_without_course_or_learners_says_what_will_come(world: World) -> None:
    assert "No course runs for this cohort yet." in page(world, "units/autumn-27", "out")
    assert "No course runs for this cohort yet." in page(world, "figures/autumn-27", "boss")


def test_the_manifest_of_these_tests_teaches_two_units() -> None:
    assert len(MANIFEST["units"]) == 2
