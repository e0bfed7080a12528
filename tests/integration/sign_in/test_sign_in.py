"""Who gets in through a real hub, and everybody who does not."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from bioskills_ports import free_port
from bioskills_waiting import eventually
from sign_in_place import (
    CAMPUS_TOKEN,
    COOKIE,
    GRADER_TOKEN,
    HOME,
    OTHER_TOKEN,
    PROBE,
    SOON_S,
    Place,
    callback_of,
    change,
    planted,
    probe_routes,
    wait_for,
    with_cookie,
)
from sqlalchemy import select

from bioskills.base.tables import WebSession
from bioskills.hub.campus.app import create_app
from bioskills.hub.campus.hub_api import HubApi

pytestmark = pytest.mark.integration


def test_a_person_signs_in_through_the_hub_and_lands_on_the_page_they_wanted(place: Place) -> None:
    browser = place.browser()
    place.sign_in_at_hub(browser, "lea")

    answer = browser.get(place.page(PROBE))

    assert answer.status_code == 200
    assert str(answer.url) == place.page(PROBE)


def test_who_is_not_signed_in_at_the_hub_is_asked_there(place: Place) -> None:
    answer = place.browser().get(place.page(HOME))

    assert str(answer.url).startswith(f"{place.hub}login?next=")


def test_the_browser_holds_a_random_value_and_the_database_only_its_hash(place: Place) -> None:
    browser = place.signed_in()
    value = browser.cookies[COOKIE]

    with place.site.store.reading() as database:
        rows = list(database.scalars(select(WebSession)))

    mine = [row for row in rows if row.sha256 == hashlib.sha256(value.encode()).hexdigest()]
    assert [row.person_name for row in mine] == ["lea"]
    assert place.site.hub.identity(mine[0].hub_token) is None, "the hub's token is not sealed"


def test_the_cookie_is_hidden_from_scripts_and_sent_to_our_pages_alone(place: Place) -> None:
    browser = place.browser()
    place.sign_in_at_hub(browser, "lea")

    history = browser.get(place.page(HOME)).history
    (made,) = [
        h for r in history for h in r.headers.get_list("set-cookie") if h.startswith(f"{COOKIE}=")
    ]

    assert "HttpOnly" in made
    assert "Path=/services/campus/" in made
    assert "SameSite=lax" in made
    assert "Domain" not in made


def test_two_tabs_of_one_browser_can_sign_in_at_once(place: Place) -> None:
    browser = place.browser()
    one, two = callback_of(place, browser), callback_of(place, browser)

    answers = [browser.get(address, follow_redirects=False).status_code for address in (one, two)]

    assert answers == [303, 303]
    assert browser.get(place.page(HOME)).json()["name"] == "lea"


def test_a_state_works_once(place: Place) -> None:
    browser = place.browser()
    address = callback_of(place, browser)
    assert browser.get(address, follow_redirects=False).status_code == 303
    browser.cookies.delete(COOKIE)

    again = browser.get(address, follow_redirects=False)

    assert again.status_code == 400
    assert "set-cookie" not in again.headers


def test_a_state_of_another_browser_is_refused(place: Place) -> None:
    address = callback_of(place, place.browser())

    answer = place.browser().get(address, follow_redirects=False)

    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


def test_a_state_nobody_was_given_is_refused(place: Place) -> None:
    browser = place.browser()
    address = httpx.URL(callback_of(place, browser)).copy_set_param("state", "invented")

    assert browser.get(address, follow_redirects=False).status_code == 400


def test_a_code_of_another_sign_in_is_refused_because_the_verifier_differs(place: Place) -> None:
    victim, attacker = place.browser(), place.browser()
    code = parse_qs(urlsplit(callback_of(place, attacker)).query)["code"][0]
    address = httpx.URL(callback_of(place, victim)).copy_set_param("code", code)

    assert victim.get(address, follow_redirects=False).status_code == 400


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example/", "https://evil.example/", "/hub/logout", "/services/campus/..%2f..%2fhub"],
)
def test_a_sign_in_leads_below_our_prefix_or_to_our_first_page(place: Place, wanted: str) -> None:
    browser = place.browser()
    place.sign_in_at_hub(browser, "lea")
    step = browser.get(
        place.page("/services/campus/sign-in"), params={"next": wanted}, follow_redirects=False
    )
    step = browser.get(step.headers["location"], follow_redirects=False)

    answer = browser.get(step.headers["location"], follow_redirects=False)

    assert answer.headers["location"] == "/services/campus/"


def test_each_sign_in_makes_a_new_session_and_ends_the_one_before(place: Place) -> None:
    browser = place.signed_in()
    old = browser.cookies[COOKIE]

    browser.get(place.page("/services/campus/sign-in"), params={"next": HOME})

    assert browser.cookies[COOKIE] != old
    assert with_cookie(place, old).status_code == 303


def test_a_lab_token_or_a_services_token_is_no_cookie(place: Place) -> None:
    tokens = [place.token("lea", "custom:bioskills:lab"), OTHER_TOKEN, CAMPUS_TOKEN, GRADER_TOKEN]

    assert [with_cookie(place, token).status_code for token in tokens] == [303, 303, 303, 303]


def test_a_page_refuses_every_token_even_beside_a_good_cookie(place: Place) -> None:
    good = place.signed_in().cookies[COOKIE]
    whole = place.token("lea", "inherit")

    answers = [
        with_cookie(place, good, Authorization=f"{kind} {whole}") for kind in ("token", "Bearer")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]


def test_a_planted_second_cookie_is_told_taken_away_and_never_a_loop(place: Place) -> None:
    browser = place.signed_in()
    host = urlsplit(place.hub).hostname or ""
    browser.cookies.set(COOKIE, "planted", domain=f".{host}", path="/services/campus/")

    told = browser.get(place.page(HOME))

    assert told.status_code == 400
    assert told.history == []
    assert "two sign-ins" in told.text
    assert "What you handed in or saved is safe" in told.text
    assert [c.value for c in browser.cookies.jar if c.name == COOKIE] == []
    assert browser.get(place.page(HOME)).json()["name"] == "lea"


def test_a_change_with_a_planted_second_cookie_changes_nothing(place: Place) -> None:
    browser = place.signed_in()
    csrf, before = browser.get(place.page(HOME)).json()["csrf"], list(place.changed)
    browser.cookies.set(COOKIE, "planted", domain=".hub.localhost", path="/")

    assert change(browser, place, csrf) == 400
    assert place.changed == before


def test_a_session_lasts_only_while_its_token_may_open_the_campus(place: Place) -> None:
    narrow = place.token("lea", "access:services!service=campus")
    foreign = place.token("lea", "custom:bioskills:lab")

    answers = [
        with_cookie(place, planted(place, "lea", token)).status_code for token in (narrow, foreign)
    ]

    assert answers == [200, 403]


def test_a_session_with_anothers_token_or_a_services_token_is_ended(place: Place) -> None:
    other_person = place.token("max", "access:services!service=campus")

    answers = [
        with_cookie(place, planted(place, "lea", token)).status_code
        for token in (other_person, OTHER_TOKEN)
    ]

    assert answers == [303, 303]


def test_a_revoked_token_is_out_when_permissions_are_old(place: Place) -> None:
    token = place.token("lea", "access:services!service=campus")
    value = planted(place, "lea", token)
    assert with_cookie(place, value).status_code == 200

    place.revoke_all("lea")

    # The test's settings let a permission be one second old.
    assert eventually(lambda: with_cookie(place, value).status_code == 303, SOON_S)


def test_an_expired_token_is_out(place: Place) -> None:
    value = planted(place, "lea", place.token("lea", "access:services!service=campus", seconds=1))

    assert eventually(lambda: with_cookie(place, value).status_code == 303, SOON_S)


def test_signing_out_at_the_hub_ends_the_campus_session(place: Place) -> None:
    browser = place.signed_in()
    value = browser.cookies[COOKIE]

    browser.get(f"{place.hub}logout")

    assert eventually(lambda: with_cookie(place, value).status_code == 303, SOON_S)


def test_signing_out_here_ends_both_and_the_hub_forgets_the_token(place: Place) -> None:
    browser = place.signed_in("max")
    csrf, value = browser.get(place.page(HOME)).json()["csrf"], browser.cookies[COOKIE]
    before = place.rest("GET", "users/max/tokens").json()["api_tokens"]

    answer = browser.post(
        place.page("/services/campus/sign-out"), data={"_csrf": csrf}, headers=place.origin()
    )

    assert str(answer.url).startswith(f"{place.hub}login")
    assert with_cookie(place, value).status_code == 303
    after = place.rest("GET", "users/max/tokens").json()["api_tokens"]
    assert len(after) == len(before) - 1
    assert str(browser.get(place.page(HOME)).url).startswith(f"{place.hub}login")


def test_a_link_cannot_sign_anybody_out(place: Place) -> None:
    browser = place.signed_in()

    assert browser.get(place.page("/services/campus/sign-out")).status_code == 405
    assert browser.get(place.page(HOME)).status_code == 200


async def test_a_hub_that_is_away_is_said_so_and_nothing_breaks(place: Place) -> None:
    away = replace(place.site, hub=HubApi(f"http://127.0.0.1:{free_port()}/hub/api", "x" * 32, 1))
    app = create_app(away)
    app.include_router(probe_routes([]))
    cookie = f"{COOKIE}={planted(place, 'lea', 'x')}"

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=place.site.origin
    ) as client:
        page = await client.get(HOME, headers={"Cookie": cookie})
        program = await client.get(
            "/services/campus/api/lab", headers={"Authorization": "Bearer x"}
        )
    away.hub.close()

    assert [page.status_code, program.status_code] == [503, 503]
    assert page.headers["retry-after"] == program.headers["retry-after"] == "5"
    assert "The hub does not answer" in page.text
    assert program.json()["error"] == "hub_away"


def test_the_service_starts_from_its_settings_and_says_that_it_is_well(
    place: Place, tmp_path: Path
) -> None:
    port = free_port()
    data_dir = place.site.settings.paths.data_dir
    (tmp_path / "bioskills.toml").write_text(
        f'[paths]\ndata_dir = "{data_dir}"\n[network]\ncampus_port = {port}\n'
    )
    env = {**os.environ, "BIOSKILLS_SETTINGS": str(tmp_path / "bioskills.toml")}
    log = tmp_path / "log"
    with log.open("wb") as errors:
        command = [sys.executable, "-m", "bioskills.hub.campus"]
        service = subprocess.Popen(command, env=env, stderr=errors)
    try:
        url = f"http://127.0.0.1:{port}/services/campus/healthz"
        wait_for(url, lambda: service.poll() is None, log)
        assert httpx.get(url, trust_env=False).json() == {"status": "ok"}
    finally:
        service.terminate()
        service.wait(60)
