"""Who looked at my work: noted before it is shown, once an hour and thing, and never hidden."""

from datetime import timedelta

import pytest
from pages_builders import NOW, World, auto, read
from sqlalchemy import delete, select

from bioskills.base.tables_teaching import Look
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.campus.looks import note_look
from bioskills.hub.role_routes import CAMPUS_ROUTES

S1 = "runs/spring/assignments/s1"


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("lee", ("learner", "spring-27"), display="Lee Ost")
    empty.person("ada", ("instructor", "spring-27"), display="Ada <b>Rossi</b>")
    empty.person("zoe", ("assessor", "spring-27"), display="Zoe Lind")
    cells = [auto("s1/gc", "4", "5"), auto("s1/frames", "2", "2"), read("s1/why", "3", "3")]
    empty.publish(empty.grade(empty.hand_in("kim", 1, "s1"), cells))
    return empty


def get(world: World, path: str, name: str = "ada") -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def noted(world: World, name: str = "kim") -> list[tuple[str, str, str]]:
    with world.store.reading() as session:
        rows = session.scalars(select(Look).where(Look.person_id == world.ids[name]))
        return [(row.what, row.subject, row.role) for row in rows]


@pytest.mark.parametrize(
    ("path", "noticed"),
    [
        ("passport/p-000001", ("passport", "")),
        ("runs/spring", ("board", "spring")),
        ("runs/spring/grading", ("board", "spring")),
        ("feedback/1", ("feedback", "spring/s1")),
        (S1, ("assignment", "spring/s1")),
        ("runs/spring/grades", ("grades", "spring")),
        ("runs/spring/grades.csv", ("grades_file", "spring")),
        ("runs/spring/grades.xlsx", ("grades_file", "spring")),
        ("cohorts/spring-27", ("cohort", "spring-27")),
        ("cohorts/spring-27/table.csv", ("cohort_file", "spring-27")),
    ],
)
@pytest.mark.parametrize(("name", "role"), [("ada", "instructor"), ("zoe", "assessor")])
def test_every_page_and_file_that_shows_a_learners_result_is_noted(
    world: World, path: str, noticed: tuple[str, str], name: str, role: str
) -> None:
    get(world, path, name)

    assert noted(world) == [(*noticed, role)]


@pytest.mark.parametrize(
    ("path", "noticed"),
    [
        (f"{S1}/learners", ("decisions", "spring/s1")),
        (f"{S1}/learners?choose=failed", ("decisions", "spring/s1")),
        (f"{S1}/close", ("assignment", "spring/s1")),
        (f"{S1}/return", ("assignment", "spring/s1")),
        (f"{S1}/regrade", ("assignment", "spring/s1")),
        (f"{S1}/points", ("assignment", "spring/s1")),
        ("runs/spring/learners/p-000001/as-learner", ("as_learner", "spring")),
    ],
)
def test_every_page_of_the_instructor_alone_is_noted(
    world: World, path: str, noticed: tuple[str, str]
) -> None:
    get(world, path)

    assert noted(world) == [(*noticed, "instructor")]


def test_a_refused_decision_shows_the_learners_and_is_noted(world: World) -> None:
    answer = world.browser("ada").post(f"{CAMPUS_PREFIX}{S1}/learners", data={"kind": "excuse"})

    assert answer.status_code == 422
    assert noted(world) == [("decisions", "spring/s1", "instructor")]


def test_no_page_that_an_instructor_opens_shows_a_learner_unnoted(world: World) -> None:
    """Walks every address of the campus; one that shows the learner must leave its line."""
    fill = {"run": "spring", "name": "s1", "cohort": "spring-27", "learner": "p-000001"}
    fill |= {"pseudonym": "p-000001", "submission_id": "1"}
    own = {"withdrawals"}  # who left, and what leaving means: no work, state or result
    for opening in CAMPUS_ROUTES:
        if (
            opening.method != "GET"
            or opening.reach == "programs"
            or own & {*opening.path.split("/")}
        ):
            continue
        with world.store.transaction() as session:
            session.execute(delete(Look))
        answer = world.browser("ada").get(CAMPUS_PREFIX + opening.path.format_map(_Filled(fill)))
        if answer.status_code == 200 and ("Kim Meyer" in answer.text or "p-000001" in answer.text):
            assert noted(world), opening.path


class _Filled(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "1"


def test_the_same_thing_is_noted_once_an_hour(world: World) -> None:
    for minutes in (0, 5, 54, 56):
        with world.store.transaction() as session:
            at = NOW + timedelta(minutes=minutes)
            note_look(session, "p-000003", world.ids["kim"], "passport", at)

    assert len(noted(world)) == 2


def test_ones_own_pages_are_no_look(world: World) -> None:
    get(world, "passport", "kim")
    get(world, "feedback/1", "kim")

    assert noted(world) == []


def test_the_learner_reads_who_when_in_which_role_and_what_for(world: World) -> None:
    get(world, "feedback/1", "zoe")
    get(world, S1)

    found = get(world, "looks", "kim")

    assert "Zoe Lind, assessor" in found
    assert "read one hand-in with its feedback" in found
    assert "Ada &lt;b&gt;Rossi&lt;/b&gt;, instructor" in found
    assert "14:05 CET" in found
    assert "Zoe Lind" not in get(world, "looks", "lee")


def test_nobody_has_looked_is_said_in_words(world: World) -> None:
    assert "Nobody but you has looked at your work." in get(world, "looks", "kim")


def test_the_passport_leads_to_the_list(world: World) -> None:
    assert f"{CAMPUS_PREFIX}looks" in get(world, "passport", "kim")
