"""The first course of the project on the pages, as it is installed."""

from pathlib import Path

import pytest
from pages_builders import NOW, World, auto, tar_names
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX, Feedback, LabOverview
from bioskills.hub.course_install import install, read_for_install

COURSE = Path(__file__).parents[3] / "courses" / "sequences-first-steps"
API = f"{CAMPUS_PREFIX}api/v1/lab/"


@pytest.fixture
def world(empty: World) -> World:
    content, version = read_for_install(COURSE)
    install(empty.store, empty.site.objects, content, version, "admin")
    empty.run("spring", 1, empty.cohort("spring-27"), plans=version.manifest["assignments"])
    empty.person("kim", ("learner", "spring-27"))
    return empty


def installed(world: World) -> tables.CourseVersion:
    with world.store.reading() as session:
        return session.scalars(select(tables.CourseVersion)).one()


def overview(world: World) -> LabOverview:
    return LabOverview.model_validate(world.lab("kim").get(f"{API}overview").json())


def test_the_panel_lists_its_lessons_and_assignments(world: World) -> None:
    run, manifest = overview(world).runs[0], installed(world).manifest

    assert [lesson.id for lesson in run.lessons] == [item["id"] for item in manifest["lessons"]]
    assert [card.name for card in run.assignments] == [i["id"] for i in manifest["assignments"]]
    assert run.next.kind == "lesson"


def test_every_assignment_says_what_it_proves(world: World) -> None:
    assert all(card.proves for card in overview(world).runs[0].assignments)


def test_its_materials_are_lessons_and_data_alone(world: World) -> None:
    names = tar_names(world.lab("kim").get(f"{API}runs/spring/materials").content)

    folders = {name.partition("/")[0] for name in names if "/" in name}
    assert folders == {"data", "img", "lessons"}
    assert {name for name in names if "/" not in name} <= {"README.md", "LICENSE"}


def test_every_criterion_has_a_title_and_hints_when_it_is_not_full(world: World) -> None:
    notes = installed(world).notes["p1"]["cells"]
    cells = [auto(f"p1/{name}", "0", "1") for name in notes]
    submission = world.hand_in("kim", 1, "p1", NOW)
    world.grade(submission, cells)

    answer = world.lab("kim").get(f"{API}feedback/{submission}")

    criteria = Feedback.model_validate(answer.json()).criteria
    assert [item.title for item in criteria] == [cell["title"] for cell in notes.values()]
    assert all(len(item.hints) == 3 for item in criteria)
