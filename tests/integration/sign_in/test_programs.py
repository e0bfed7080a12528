"""Tokens of labs, instructors and the grader, and what opens nothing."""

from datetime import timedelta

import httpx
import pytest
from bioskills_waiting import eventually
from sign_in_place import (
    COOKIE,
    GRADER_TOKEN,
    NAMED_TOKEN,
    OTHER_TOKEN,
    SOON_S,
    Place,
    api,
    end_seat,
    named_token,
    with_cookie,
)

from bioskills.base.tables import now

pytestmark = pytest.mark.integration


def test_a_lab_calls_with_its_own_token_and_nobody_elses(place: Place) -> None:
    browser_token = place.token("lea", "access:services!service=campus")
    tokens = [
        place.token("lea", "custom:bioskills:lab"),
        None,
        "invented",
        OTHER_TOKEN,
        browser_token,
        GRADER_TOKEN,
    ]

    assert [api(place, "lab", token).status_code for token in tokens] == [
        200,
        401,
        401,
        403,
        403,
        401,
    ]


@pytest.mark.parametrize(
    "sent", ["Bearer", "Basic bGVhOng=", "Bearer caf\xe9", "Bearer a b", "Bearer " + "x" * 500]
)
def test_what_is_no_token_is_refused_before_anybody_is_asked(place: Place, sent: str) -> None:
    url = f"http://127.0.0.1:{place.site.settings.network.campus_port}/services/campus/api/lab"

    answer = httpx.get(
        url, headers=[(b"Authorization", sent.encode("latin-1"))], trust_env=False, timeout=60
    )

    assert answer.status_code == 401


def test_a_program_is_refused_in_json_with_the_next_step(place: Place) -> None:
    told = api(place, "lab", "invented").json()

    assert set(told) == {"error", "message", "next"}


def test_a_cookie_is_no_token(place: Place) -> None:
    value = place.signed_in().cookies[COOKIE]

    answer = place.browser().get(
        place.page("/services/campus/api/lab"), headers={"Cookie": f"{COOKIE}={value}"}
    )

    assert answer.status_code == 401


def test_a_lab_token_is_out_soon_after_it_was_revoked(place: Place) -> None:
    token = place.token("max", "custom:bioskills:lab")
    assert api(place, "lab", token).status_code == 200

    place.revoke_all("max")

    assert eventually(lambda: api(place, "lab", token).status_code == 401, SOON_S)


def test_an_instructors_token_is_named_narrow_and_ends(place: Place) -> None:
    named_token(place.site, NAMED_TOKEN)
    named_token(place.site, NAMED_TOKEN + "old", expires_at=now() - timedelta(seconds=1))
    named_token(place.site, NAMED_TOKEN + "gone", revoked_at=now())

    answer = api(place, "teach", NAMED_TOKEN)

    assert answer.json() == {"name": "ina", "verbs": ["list"]}
    others = [
        NAMED_TOKEN + "old",
        NAMED_TOKEN + "gone",
        NAMED_TOKEN + "x",
        place.token("ina", "custom:bioskills:lab"),
    ]
    assert [api(place, "teach", token).status_code for token in others] == [401, 401, 401, 401]
    assert with_cookie(place, NAMED_TOKEN).status_code == 303


def test_the_grader_alone_has_the_graders_token(place: Place) -> None:
    tokens = [GRADER_TOKEN, None, OTHER_TOKEN, place.token("ina", "custom:bioskills:lab")]

    assert [api(place, "grader", token).status_code for token in tokens] == [200, 401, 401, 401]


def test_an_instructors_token_ends_with_the_seat(place: Place) -> None:
    named_token(place.site, NAMED_TOKEN + "seat")
    end_seat(place.site, "ina")

    assert api(place, "teach", NAMED_TOKEN + "seat").status_code == 403
