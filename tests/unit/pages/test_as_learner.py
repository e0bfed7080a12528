"""An instructor sees what a learner sees, and stays who they are."""

import re

import pytest
from pages_builders import World, auto, read
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.tables_teaching import Look
from bioskills.base.wire import CAMPUS_PREFIX

HERE = "runs/spring/learners/p-000001/as-learner"


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.cohort("autumn-27")
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    empty.person("otto", ("instructor", "autumn-27"))
    cells = [auto("s1/gc", "4", "5"), auto("s1/frames", "2", "2"), read("s1/why", "3", "3")]
    empty.publish(empty.grade(empty.hand_in("kim", 1, "s1"), cells))
    return empty


def get(world: World, path: str = HERE, name: str = "ada", status: int = 200) -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def test_it_opens_for_those_who_teach_the_learners_cohort_alone(world: World) -> None:
    for name, status in {"ada": 200, "zoe": 200, "otto": 403, "kim": 403}.items():
        get(world, HERE, name, status)
    get(world, HERE.replace("p-000001", "p-000002"), "ada", 403)
    get(world, HERE.replace("p-000001", "p-999999"), "ada", 403)


def test_panel_and_passport_say_what_the_learner_is_told(world: World) -> None:
    told = world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/overview").json()["runs"][0]
    passport = get(world, "passport", "kim")

    found = get(world)

    assert told["next"]["title"] in found
    for card in told["assignments"]:
        assert card["title"] in found
        assert card["late"] in found
    assert "9 of 10" in found
    figures = re.search(r'<dl class="figs">.*?</dl>', passport)
    assert figures is not None
    assert figures.group() in found


def test_a_banner_says_so_and_the_learner_reads_it(world: World) -> None:
    assert "You see what Kim Meyer sees, and you are still yourself." in get(world)

    assert "saw your panel and passport as you see them" in get(world, "looks", "kim")
    with world.store.reading() as session:
        assert session.scalars(select(Look.what)).all() == ["as_learner"]


def test_nothing_can_be_sent_from_there(world: World) -> None:
    found = get(world)

    assert re.findall(r'<form[^>]*action="([^"]*)"', found) == [f"{CAMPUS_PREFIX}sign-out"]
    assert "<script" not in found.split("<main")[1]
    assert "spawn" not in found.split("<main")[1].split("</main")[0]
    for verb in ("post", "put", "patch", "delete"):
        answer = getattr(world.browser("ada"), verb)(CAMPUS_PREFIX + HERE)
        assert answer.status_code == 405


@pytest.mark.parametrize("below", ["open", "close", "due", "hand-in", "undo", "learners", "late"])
def test_there_is_no_route_below_it(world: World, below: str) -> None:
    answer = world.browser("ada").post(f"{CAMPUS_PREFIX}{HERE}/{below}")

    assert answer.status_code in {404, 405}


def test_no_session_or_token_of_the_learner_comes_about(world: World) -> None:
    get(world)

    with world.store.reading() as session:
        assert session.scalars(select(tables.WebSession)).all() == []
        assert session.scalars(select(tables.ApiToken)).all() == []
