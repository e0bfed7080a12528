"""Whoever may open a page comes to it by clicks from the first page, and to no page that refuses."""

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from bioskills_cast import Cast, seats_of_all

from bioskills.hub.campus.site import CSRF_FIELD
from bioskills.hub.role_routes import CAMPUS_ROUTES, Opening, opens_to_person

pytestmark = pytest.mark.integration

PREFIX = "/services/campus/"
LINK = re.compile(r'<a\b[^>]*\bhref="([^"#]+)"')
MOST = 400
PEOPLE = [name for name in seats_of_all() if not name.startswith("blue-")]


def pattern_of(opening: Opening) -> re.Pattern[str]:
    """Return what addresses of a route look like."""
    parts = re.split(r"\{\w+\}", opening.path)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def crawl(cast: Cast, name: str) -> dict[str, int]:
    """Follow every link of the campus from the first page; return the status of each page."""
    who, found, ahead = cast.people[name], dict[str, int](), [PREFIX]
    while ahead and len(found) < MOST:
        address = ahead.pop()
        answer = cast.ask(who, "GET", address.removeprefix(PREFIX))
        found[address] = answer.status_code
        links = [unescape(link) for link in LINK.findall(answer.text)]
        links += [answer.headers["location"]] if answer.is_redirect else []
        here = cast.product.campus + address.removeprefix(PREFIX)
        for link in links:
            parts = urlsplit(urljoin(here, link))
            same = f"{parts.scheme}://{parts.netloc}" == cast.origin
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if same and parts.path.startswith(PREFIX) and target not in {*found, *ahead}:
                ahead.append(target)
    assert len(found) < MOST, "the pages do not end"
    return found


@pytest.mark.parametrize("name", PEOPLE)
def test_every_page_of_a_persona_is_reached_by_clicks(cast: Cast, name: str) -> None:
    who, found = cast.people[name], crawl(cast, name)
    reached = {address.removeprefix(PREFIX).partition("?")[0] for address in found}
    wanted = [
        opening
        for opening in CAMPUS_ROUTES
        if opening.page and not opening.when
        if opens_to_person(opening, who.seats, "red", owns=name == "red-lea")
    ]
    missing = [o.path for o in wanted if not any(map(pattern_of(o).fullmatch, reached))]

    assert missing == []
    assert {a: s for a, s in found.items() if s >= 400} == {}, "a link leads to a refusal"


def test_a_link_that_is_there_at_times_is_there_at_its_time(cast: Cast) -> None:
    assert cast.lab_runs("red")
    stops = [a for a in crawl(cast, "ada") if a.endswith("/stop")]
    closes = [a for a in crawl(cast, "red-ina") if a.endswith("/close")]

    assert stops, "labs run, so their owner's can be stopped"
    assert closes, "assignments are open, so they can be closed"


def test_no_address_that_is_linked_carries_a_secret(cast: Cast) -> None:
    who = cast.people["ada"]
    for address in crawl(cast, "ada"):
        assert CSRF_FIELD not in address
        assert who.csrf not in address
        assert who.token not in address
