"""What a signed-in browser may change, and what a page of somebody else may not."""

import pytest
from sign_in_place import CHANGE, COOKIE, HOME, Place, change, end_seat, seat, with_cookie

pytestmark = pytest.mark.integration


def test_a_change_needs_the_token_of_this_very_session(place: Place) -> None:
    browser, again = place.signed_in(), place.signed_in()
    mine, others = (b.get(place.page(HOME)).json()["csrf"] for b in (browser, again))

    assert [change(browser, place, csrf) for csrf in (mine, None, "", "wrong", others)] == [
        200,
        403,
        403,
        403,
        403,
    ]


def test_a_change_needs_our_own_origin(place: Place) -> None:
    browser = place.signed_in()
    csrf = browser.get(place.page(HOME)).json()["csrf"]
    lab = place.site.origin.replace("campus--service", "max")

    origins = [
        place.site.origin,
        lab,
        "null",
        "https://evil.example",
        place.hub.removesuffix("/hub/"),
    ]

    assert [change(browser, place, csrf, Origin=origin) for origin in origins] == [
        200,
        403,
        403,
        403,
        403,
    ]


def test_a_form_without_a_session_changes_nothing_and_says_so(place: Place) -> None:
    answer = place.browser().post(place.page(CHANGE), data={"_csrf": "x"}, headers=place.origin())

    assert answer.status_code == 401
    assert "nothing was changed" in answer.text


def test_a_page_of_a_lab_cannot_load_one_of_ours(place: Place) -> None:
    value = place.signed_in().cookies[COOKIE]
    fetch = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}
    link = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}

    assert [with_cookie(place, value, **how).status_code for how in (fetch, link)] == [403, 200]


def test_headers_of_a_proxy_change_nothing(place: Place) -> None:
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example",
    }

    step = place.browser().get(
        place.page("/services/campus/sign-in"), headers=forged, follow_redirects=False
    )

    assert "evil.example" not in step.headers["location"] + step.headers["set-cookie"]
    assert (
        place.browser().get(place.page(HOME), headers={"Host": "evil.example"}).status_code == 421
    )


def test_who_lost_the_last_seat_is_told_so(place: Place) -> None:
    seat(place.site, "tim", "learner")
    browser = place.signed_in("tim")
    end_seat(place.site, "tim")

    answer = browser.get(place.page(HOME))

    assert answer.status_code == 403
    assert "no seat" in answer.text


def test_who_is_in_no_list_is_told_so(place: Place) -> None:
    browser = place.browser()
    place.sign_in_at_hub(browser, "stranger")

    answer = browser.get(place.page(HOME))

    assert answer.status_code == 403
    assert "in no list of people" in answer.text
