"""The grades of a run: what counts, what is said, and files that are only data."""

import csv
import io
from datetime import timedelta

import pytest
from pages_builders import NOW, World, auto, read, waiting
from python_calamine import CalamineWorkbook
from sqlalchemy import event, select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX

GRADES = "runs/spring/grades"


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    empty.person("otto", ("instructor", empty_cohort(empty)))
    empty.person("kim", ("learner", "spring-27"), display="=HYPERLINK(1)")
    empty.person("lee", ("learner", "spring-27"), display="Łucja Müller-Ångström")
    return empty


def empty_cohort(world: World) -> str:
    world.cohort("autumn-27")
    return "autumn-27"


def get(world: World, path: str = GRADES, name: str = "ada", status: int = 200) -> bytes:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return answer.content


def page(world: World, path: str = GRADES) -> str:
    return " ".join(get(world, path).decode().split())


def row_of(world: World, name: str, path: str = GRADES) -> str:
    return page(world, path).split(f"passport/{world.pseudonym(name)}")[1].split("</tr>")[0]


def order(world: World, query: str) -> list[str]:
    text = page(world, f"{GRADES}?{query}")
    return sorted(("kim", "lee"), key=lambda name: text.index(world.pseudonym(name)))


def s1(world: World, name: str, gc: str, *, why: bool = True, at: timedelta) -> int:
    third = read("s1/why", "1.5", "3") if why else waiting("s1/why", "3")
    cells = [auto("s1/gc", gc, "5"), auto("s1/frames", "2", "2"), third]
    submission = world.hand_in(name, 1, "s1", NOW - at)
    return world.grade(submission, cells, verdict="graded" if why else "needs_person")


def sheet(world: World, query: str = "names=1") -> list[list[object]]:
    content = get(world, f"{GRADES}.xlsx?{query}")
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize("path", [GRADES, f"{GRADES}.csv", f"{GRADES}.xlsx"])
def test_grades_open_for_those_who_teach_the_cohort_alone(world: World, path: str) -> None:
    for name, status in {"ada": 200, "zoe": 200, "otto": 403, "kim": 403}.items():
        get(world, path, name, status)


def test_each_learner_has_the_points_of_the_best_graded_attempt_and_the_newest_state(
    world: World,
) -> None:
    world.publish(s1(world, "kim", "4", at=timedelta(days=3)))
    s1(world, "kim", "2", at=timedelta(days=1))

    found = row_of(world, "kim")

    assert "7.5 of 10" in found
    assert "Graded, not returned" in found
    assert "Not handed in" in row_of(world, "lee")


def test_what_a_person_must_read_and_what_came_late_are_said(world: World) -> None:
    world.change(tables.Assignment, world.assignment_id(1, "s1"), due_at=NOW - timedelta(days=5))
    s1(world, "kim", "4", why=False, at=timedelta(days=1))

    assert "Waiting for a person" in row_of(world, "kim")
    assert "late" in row_of(world, "kim")
    assert "late" not in row_of(world, "lee")


def test_practice_is_shown_and_never_added_up(world: World) -> None:
    world.grade(world.hand_in("kim", 1, "p1"), [auto("p1/count", "3", "4")])

    found = row_of(world, "kim")

    assert "3 of 4" in found
    assert "0 of 10" in found.split("<td")[-1]


def test_the_heads_sort_by_name_by_assignment_and_by_total_both_ways(world: World) -> None:
    s1(world, "lee", "5", at=timedelta(days=1))

    assert order(world, "order=name") == ["kim", "lee"]
    assert order(world, "order=name&down=1") == ["lee", "kim"]
    assert order(world, "order=s1&down=1") == ["lee", "kim"]
    assert order(world, "order=total&down=1") == ["lee", "kim"]
    assert order(world, "order=total") == ["kim", "lee"]
    assert order(world, "order=nothing-such") == ["kim", "lee"]


def test_names_are_shown_only_when_asked_for_in_page_and_files(world: World) -> None:
    assert "Łucja" not in page(world)
    assert "Łucja Müller-Ångström" in page(world, f"{GRADES}?names=1")
    assert "Łucja" not in get(world, f"{GRADES}.csv").decode()
    assert not any("Łucja" in str(cell) for row in sheet(world, "") for cell in row)


def test_in_both_files_numbers_are_numbers_texts_are_texts_and_accents_are_right(
    world: World,
) -> None:
    s1(world, "lee", "4", at=timedelta(days=1))

    head, kim, lee = sheet(world)
    rows = list(
        csv.DictReader(io.StringIO(get(world, f"{GRADES}.csv?names=1").decode("utf-8-sig")))
    )

    assert lee[head.index("Sequence records: points")] == 7.5
    assert lee[head.index("total: of")] == 10
    assert lee[1] == "Łucja Müller-Ångström" == rows[1]["name"]
    assert kim[1] == "'=HYPERLINK(1)" == rows[0]["name"]
    assert rows[1]["Sequence records: points"] == "7.5"


def test_who_took_the_file_is_written_down(world: World) -> None:
    get(world, f"{GRADES}.xlsx?names=1")

    with world.store.reading() as session:
        entry = session.scalars(select(tables.AuditEntry)).one()
    assert (entry.action, entry.subject) == ("exported grades", "spring")
    assert entry.detail == {"names": True}


def test_two_hundred_learners_take_no_more_questions_to_the_database_than_two(
    world: World,
) -> None:
    asked: list[str] = []
    with world.store.reading() as session:
        engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    get(world)
    few = len(asked)
    for number in range(198):
        world.person(f"learner{number}", ("learner", "spring-27"))
        if number % 2:
            s1(world, f"learner{number}", "4", at=timedelta(days=1))
    asked.clear()

    text = page(world)

    assert "200 learners" in text
    assert len(asked) == few


def test_a_cohort_without_learners_says_what_will_be_here(empty: World) -> None:
    empty.run("spring", empty.course(), empty.cohort("spring-27"))
    empty.person("ada", ("instructor", "spring-27"))

    assert "Nobody is in this cohort yet." in page(empty)
