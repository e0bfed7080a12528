"""A session is what the browser holds and the database can check, never what it could copy."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import Request, Response
from sqlalchemy import select

from bioskills.base.places import database_url, places_of
from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.base.store import ensure_schema
from bioskills.base.tables import WebSession
from bioskills.hub.campus.__main__ import make_site, read_secret
from bioskills.hub.campus.hub_api import Grant
from bioskills.hub.campus.sessions import (
    LONGEST,
    TwoSessionsError,
    cookie_value,
    drop_everywhere,
    find_session,
    session_cookie,
    start_session,
)
from bioskills.hub.campus.signin import BEGUN_LIFE, Begun, BegunSignIns
from bioskills.hub.campus.site import Site

NOON = datetime(2027, 3, 18, 12, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = Settings.model_validate({"paths": {"data_dir": str(tmp_path)}})
    places = places_of(settings)
    for folder in (places.campus, places.database):
        folder.mkdir(parents=True)
    for name in ("hub_token", "grader_token"):
        (places.campus / name).write_text("0123456789abcdef")
        (places.campus / name).chmod(0o600)
    ensure_schema(database_url(settings))
    made = replace(make_site(settings), clock=lambda: NOON)
    yield made
    made.store.close()
    made.hub.close()


def asking(*cookies: str) -> Request:
    headers = [(b"cookie", cookie.encode()) for cookie in cookies]
    return Request({"type": "http", "headers": headers, "path": "/", "query_string": b""})


def at(site: Site, later: timedelta) -> Site:
    return replace(site, clock=lambda: NOON + later)


def test_a_session_is_found_by_its_cookie_with_the_hubs_token(site: Site) -> None:
    value, _life = start_session(site, "lea", Grant("hub-token", 3600))

    found = find_session(site, asking(f"a=b; bioskills-session={value}"))

    assert found is not None
    assert (found.name, found.hub_token) == ("lea", "hub-token")


def test_a_copied_database_holds_neither_cookie_nor_token(site: Site) -> None:
    value, _life = start_session(site, "lea", Grant("hub-token", 3600))

    with site.store.reading() as database:
        row = database.scalars(select(WebSession)).one()

    assert value not in (row.sha256, row.hub_token, row.csrf)
    assert "hub-token" not in row.hub_token


def test_a_token_sealed_for_another_session_is_worth_nothing(site: Site) -> None:
    mine, _life = start_session(site, "max", Grant("token-of-max", 3600))
    start_session(site, "lea", Grant("token-of-lea", 3600))
    with site.store.transaction() as database:
        rows = {row.person_name: row for row in database.scalars(select(WebSession))}
        rows["max"].hub_token = rows["lea"].hub_token

    assert find_session(site, asking(f"bioskills-session={mine}")) is None


@pytest.mark.parametrize(
    ("token_life_s", "life"),
    [
        (3600, timedelta(hours=1)),
        # The hub gives two weeks; a working day is enough, the hub is asked again.
        (14 * 86400, LONGEST),
        (0, LONGEST),
    ],
)
def test_a_session_lives_no_longer_than_its_token_and_a_day(
    site: Site, token_life_s: int, life: timedelta
) -> None:
    value, told = start_session(site, "lea", Grant("t", token_life_s))
    request = asking(f"bioskills-session={value}")

    assert told == life
    assert find_session(at(site, life - timedelta(seconds=1)), request) is not None
    assert find_session(at(site, life), request) is None


def test_ended_sessions_are_removed_at_the_next_sign_in(site: Site) -> None:
    start_session(site, "lea", Grant("t", 60))
    start_session(at(site, timedelta(minutes=2)), "max", Grant("t", 60))

    with site.store.reading() as database:
        assert [row.person_name for row in database.scalars(select(WebSession))] == ["max"]


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        (["s=1"], "1"),
        (["a=0; s=1; b=2"], "1"),
        (["s=1; s=1"], "1"),
        (["s=1; s=2"], ""),
        (["s=1", "s=2"], ""),
        (["S=1"], ""),
        (["ss=1"], ""),
        ([], ""),
    ],
)
def test_a_cookie_that_came_twice_with_two_values_counts_as_none(
    cookies: list[str], value: str
) -> None:
    assert cookie_value(asking(*cookies), "s") == value


@pytest.mark.parametrize(
    ("network", "name", "path"),
    [
        ({"public_url": "https://hub.example.org"}, "__Host-bioskills-session", "/"),
        # One origin for all: a cookie on / would be sent to every lab.
        (
            {"public_url": "https://hub.example.org", "accept_single_origin": True},
            "__Secure-bioskills-session",
            "/services/campus/",
        ),
        ({}, "bioskills-session", "/services/campus/"),
    ],
)
def test_the_cookie_is_as_confined_as_the_address_allows(
    site: Site, network: dict[str, object], name: str, path: str
) -> None:
    shape = session_cookie(replace(site, settings=Settings.model_validate({"network": network})))

    assert (shape.name, shape.path, shape.secure) == (name, path, "https" in str(network))


def test_a_sign_in_is_taken_once_by_the_browser_that_began_it() -> None:
    begun = BegunSignIns()
    begun.add("state", sign_in_of("binding"))

    assert begun.take("state", "binding", NOON) is not None
    assert begun.take("state", "binding", NOON) is None


def test_a_sign_in_is_used_up_by_a_wrong_browser() -> None:
    begun = BegunSignIns()
    begun.add("state", sign_in_of("binding"))

    assert begun.take("state", "guessed", NOON) is None
    assert begun.take("state", "binding", NOON) is None


def test_a_sign_in_older_than_ten_minutes_is_refused() -> None:
    begun = BegunSignIns()
    begun.add("state", sign_in_of("binding"))

    assert begun.take("state", "binding", NOON + BEGUN_LIFE) is None


def sign_in_of(binding: str) -> Begun:
    return Begun(_sha256(binding), "verifier", "/services/campus/", NOON + BEGUN_LIFE)


def _sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(mode)

    with pytest.raises(SetupError, match="chmod 600"):
        read_secret(tmp_path / "token")


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_secret_that_is_missing_or_empty_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)
        (tmp_path / "token").chmod(0o600)

    with pytest.raises(SetupError, match="bioskills doctor"):
        read_secret(tmp_path / "token")


def test_two_values_of_our_cookie_are_never_chosen_between(site: Site) -> None:
    value, _life = start_session(site, "lea", Grant("hub-token", 3600))
    name = session_cookie(site).name

    with pytest.raises(TwoSessionsError):
        find_session(site, asking(f"{name}={value}; {name}=planted"))


def expired(site: Site, path: str) -> set[str]:
    response, scope = Response(), {"type": "http", "headers": [], "raw_path": path.encode()}
    drop_everywhere(site, Request(scope), response)
    return set(response.headers.getlist("set-cookie"))


@pytest.mark.parametrize(
    "where",
    [
        "Path=/services/campus/",
        "Path=/",
        "Path=/; Domain=hub.localhost",
        "Path=/services/campus/; Domain=hub.localhost",
        "Path=/services/campus; Domain=hub.localhost",
        "Path=/services/campus/runs/a; Domain=campus--service.hub.localhost",
    ],
)
def test_a_planted_cookie_is_expired_wherever_it_can_have_come_from(site: Site, where: str) -> None:
    assert f"bioskills-session=; Max-Age=0; {where}" in expired(site, "/services/campus/runs/a")


def test_the_expired_cookies_fit_through_the_proxy_whatever_the_path(site: Site) -> None:
    found = expired(site, "/services/campus/" + "long/" * 400)

    assert sum(map(len, found)) < 12_000
    assert "bioskills-session=; Max-Age=0; Path=/; Domain=hub.localhost" in found
