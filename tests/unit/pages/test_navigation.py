"""The links of a page's head follow from the roles alone."""

from types import SimpleNamespace

import pytest

from bioskills.base.tables import PLATFORM
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.navigation import LINKS, first_page, links_for
from bioskills.hub.membership import Seat

SITE = SimpleNamespace(link=lambda path: f"/c/{path}", hub_url="http://hub/")


def browser(*seats: tuple[str, str]) -> Browser:
    held = [Seat(cohort, role) for cohort, role in seats]
    return Browser("ada", 1, "Ada", held, "", "p-000001")


def paths(*seats: tuple[str, str]) -> list[str]:
    return [nav.href.removeprefix("/c/") for nav in links_for(SITE, browser(*seats), "")][:-1]  # type: ignore[arg-type]  # what it needs of a site


@pytest.mark.parametrize(
    ("seats", "links", "first"),
    [
        ([("red", "learner")], ["passport"], "passport"),
        ([("red", "instructor")], ["courses", "cohorts/red", "tokens"], "courses"),
        ([("red", "assessor")], ["waiting", "courses", "cohorts/red"], "waiting"),
        (
            [("red", "instructor"), ("red", "assessor")],
            ["waiting", "courses", "cohorts/red", "tokens"],
            "courses",
        ),
        ([("red", "certifier")], ["units"], "units"),
        ([(PLATFORM, "admin")], ["admin"], "admin"),
        ([("red", "admin")], [], "passport"),
        ([(PLATFORM, "manager")], ["figures"], "figures"),
        ([("red", "funder")], ["funded"], "funded"),
        (
            [("red", "learner"), ("blue", "instructor"), (PLATFORM, "admin")],
            ["admin", "passport", "courses", "cohorts/blue", "tokens"],
            "admin",
        ),
    ],
)
def test_a_person_gets_the_links_of_the_roles_held(
    seats: list[tuple[str, str]], links: list[str], first: str
) -> None:
    assert [path for path in paths(*seats) if path != "people"] == links
    assert first_page(browser(*seats)) == first


def test_a_cohort_is_linked_once_however_many_roles_are_held_in_it() -> None:
    assert paths(("red", "instructor"), ("red", "assessor")).count("cohorts/red") == 1


def test_the_page_that_is_shown_is_marked() -> None:
    found = links_for(SITE, browser(("red", "instructor")), "/c/cohorts/red")  # type: ignore[arg-type]

    assert [nav.href for nav in found if nav.current] == ["/c/cohorts/red"]


def test_no_address_is_linked_twice() -> None:
    assert len({link.path for link in LINKS}) == len(LINKS)
