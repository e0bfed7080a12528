"""Who is taken back at the provider or here is out within the stated seconds; nobody else is."""

import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import httpx
import pytest
from bioskills_http import is_in, rest, visitor
from bioskills_product import Product
from bioskills_provider import Provider, sign_in_at_provider
from bioskills_waiting import eventually
from sqlalchemy import select

from bioskills.base.store import Store
from bioskills.base.tables import Cohort, CourseVersion, Person, Run, now
from bioskills.hub.campus.tokens import Wish, make_token

pytestmark = pytest.mark.integration

RECHECK_S, GRACE_S = 2, 4


def enter(client: httpx.Client, place: Product, provider: Provider, name: str, *groups: str) -> str:
    """Sign in, open a campus page and start the lab; return the id at the provider."""
    sub = f"s-{name}"
    mail = f"{name}@example.org"
    claims = {"email": mail, "email_verified": True, "groups": list(groups)}
    provider.put(sub, preferred_username=name, **claims)
    sign_in_at_provider(client, place.url, sub)
    assert is_in(client, place)
    assert on_campus(client, place)
    rest(place, "POST", f"users/{name}/server").raise_for_status()
    assert eventually(lambda: ready(place, name))
    return sub


def ready(place: Product, name: str) -> bool:
    servers = rest(place, "GET", f"users/{name}").json()["servers"]
    return bool(servers) and servers[""]["ready"]


def on_campus(client: httpx.Client, place: Product) -> bool:
    answer = client.get(f"{place.campus}")
    return answer.status_code == 200 and str(answer.url).startswith(place.campus)


def has_lab(place: Product, name: str) -> bool:
    return bool(rest(place, "GET", f"users/{name}").json()["servers"])


def sign_ins(place: Product, name: str) -> list[str]:
    found = rest(place, "GET", f"users/{name}/tokens").json()["api_tokens"]
    return [token["note"] for token in found]


def is_out(client: httpx.Client, place: Product) -> bool:
    return not is_in(client, place) and not on_campus(client, place)


def test_who_is_removed_at_the_provider_loses_tokens_and_lab_without_asking_for_anything(
    place: Product, provider: Provider
) -> None:
    with visitor() as client:
        sub = enter(client, place, provider, "lea")
        begun = time.monotonic()
        provider.remove(sub)

        assert eventually(lambda: not has_lab(place, "lea"))
        took = time.monotonic() - begun
        print(f"lab ended after {took:.1f} s (recheck_s {RECHECK_S}, lab_grace_s {GRACE_S})")
        assert took > GRACE_S
        assert sign_ins(place, "lea") == []
        assert is_out(client, place)


def test_who_is_removed_at_the_provider_is_out_of_hub_and_campus_before_the_lab_ends(
    place: Product, provider: Provider
) -> None:
    with visitor() as client:
        sub = enter(client, place, provider, "miro")
        begun = time.monotonic()
        provider.remove(sub)

        assert eventually(lambda: is_out(client, place))
        print(f"out of hub and campus after {time.monotonic() - begun:.1f} s")
        assert eventually(lambda: not has_lab(place, "miro"))


def test_who_signs_in_again_meanwhile_keeps_the_lab(place: Product, provider: Provider) -> None:
    with visitor() as client:
        sub = enter(client, place, provider, "tom")
        lab = rest(place, "GET", "users/tom").json()["servers"][""]["started"]
        provider.remove(sub)
        assert eventually(lambda: not is_in(client, place))
        sign_in_at_provider(client, place.url, sub)
        assert is_in(client, place)
        asked = provider.asked_for("/userinfo")
        begun = time.monotonic()

        # As long as the lab would have had, and the provider asked again.
        assert eventually(lambda: time.monotonic() > begun + GRACE_S + RECHECK_S)
        assert provider.asked_for("/userinfo") > asked
        assert rest(place, "GET", "users/tom").json()["servers"][""]["started"] == lab


def test_who_left_the_group_that_gave_the_only_seat_is_shown_out(
    place: Product, provider: Provider
) -> None:
    with visitor() as client:
        sub = enter(client, place, provider, "gus", "cohort-2026")
        mail = "gus@example.org"
        provider.put(sub, email=mail, email_verified=True, groups=[])

        assert eventually(lambda: not has_lab(place, "gus"))
        assert eventually(lambda: is_out(client, place))
        answer = sign_in_at_provider(client, place.url, sub)
        assert answer.status_code == 403
        assert "no place in a course here now" in answer.text


def test_an_access_token_that_ended_is_renewed_unseen(place: Product, provider: Provider) -> None:
    with visitor() as client:
        sub = enter(client, place, provider, "ina")
        before = len([f for f in provider.forms if f["grant_type"] == "refresh_token"])
        provider.end_access(sub)

        def renewed() -> bool:
            assert is_in(client, place)
            return len([f for f in provider.forms if f["grant_type"] == "refresh_token"]) > before

        assert eventually(renewed)
        asked = provider.asked_for("/userinfo")
        assert eventually(lambda: is_in(client, place) and provider.asked_for("/userinfo") > asked)
        assert has_lab(place, "ina")


def test_a_token_of_ones_own_ends_with_its_owner_though_no_lab_runs(
    place: Product, provider: Provider
) -> None:
    claims = {"email": "tea@example.org", "email_verified": True}
    groups = ["teachers-2026"]
    provider.put("s-tea", preferred_username="tea", groups=groups, **claims)
    with visitor() as client:
        sign_in_at_provider(client, place.url, "s-tea")
        assert on_campus(client, place)
        token = own_token(place, "tea")
        assert takes(place, token)
        client.get(f"{place.url}/hub/logout", follow_redirects=False)
        asked = provider.asked_for("/userinfo")
        assert eventually(lambda: provider.asked_for("/userinfo") > asked + 1)
        assert takes(place, token), "signing out in a browser ends no token"
    begun = time.monotonic()
    provider.remove("s-tea")

    assert eventually(lambda: not takes(place, token))
    print(f"a token of one's own ended after {time.monotonic() - begun:.1f} s")


def own_token(place: Product, name: str) -> str:
    """Return a token as an instructor makes it on the campus page."""
    store = Store(f"sqlite:///{place.data / 'state/db/bioskills.sqlite'}")
    with store.transaction() as session:
        cohort = session.scalars(select(Cohort).where(Cohort.slug == "autumn")).one()
        dates = {"opens_at": now(), "closes_at": now() + timedelta(days=9)}
        run = Run(slug="autumn-run", cohort_id=cohort.id, time_zone="UTC", **dates)
        run.course_version_id = session.scalars(select(CourseVersion.id)).first()
        session.add(run)
        session.flush()
        person = session.scalars(select(Person).where(Person.name == name)).one()
        return make_token(session, person, Wish("t", run.slug, ("list",), "7"), now(), 30)


def takes(place: Product, token: str) -> bool:
    """Say whether the campus takes a token of an instructor."""
    head = {"Authorization": f"Bearer {token}"}
    with visitor() as client:
        answer = client.get(f"{place.campus}exchange/v1/runs", headers=head)
    assert answer.status_code in {httpx.codes.OK, httpx.codes.UNAUTHORIZED}, answer.text
    return answer.status_code == httpx.codes.OK


def test_a_provider_that_is_away_puts_nobody_out_and_lets_nobody_new_in(
    place: Product, provider: Provider
) -> None:
    with visitor() as client, visitor() as other:
        enter(client, place, provider, "pia")
        asked = provider.asked_for("/userinfo")
        with provider.away():
            assert eventually(lambda: provider.asked_for("/userinfo") > asked + 1)
            assert is_in(client, place)
            assert on_campus(client, place)
            answer = sign_in_at_provider_that_is_away(other, place)
            assert answer.status_code == 503
            assert "does not answer" in answer.text
        assert is_in(client, place)
        assert has_lab(place, "pia")


def sign_in_at_provider_that_is_away(client: httpx.Client, place: Product) -> httpx.Response:
    """Come back from a provider that went away meanwhile."""
    sent = client.get(f"{place.url}/hub/oauth_login", follow_redirects=False)
    state = httpx.URL(sent.headers["location"]).params["state"]
    back = httpx.URL(f"{place.url}/hub/oauth_callback", params={"code": "c", "state": state})
    return client.get(back, follow_redirects=False)


def test_while_the_provider_is_away_a_sign_in_ends_with_its_token_and_the_lab_goes_on(
    place: Product, provider: Provider
) -> None:
    provider.lasts(6)
    try:
        with visitor() as client:
            enter(client, place, provider, "sofia")
            with provider.away():
                assert is_in(client, place)
                assert eventually(lambda: is_out(client, place))
                assert has_lab(place, "sofia")
    finally:
        provider.lasts(0)


def test_who_is_taken_out_of_the_file_is_out_though_the_provider_still_knows_them(
    place: Product, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("cohort") / "winter.csv"
    head = "cohort,name,display_name,email,roles\n"
    stays = "winter,wim,Wim,wim@example.org,learner\n"
    file.write_text(head + stays + "winter,wanda,Wanda,wanda@example.org,learner\n")
    assert place.command("cohort", "apply", str(file)).returncode == 0
    with visitor() as client:
        enter(client, place, provider, "wanda")
        file.write_text(head + stays)
        begun = time.monotonic()
        assert place.command("cohort", "apply", str(file)).returncode == 0

        assert eventually(lambda: is_out(client, place))
        assert not has_lab(place, "wanda")
        print(f"out {time.monotonic() - begun:.1f} s after the command began")


def test_a_person_of_the_file_keeps_every_seat_of_it_through_all_of_this(place: Product) -> None:
    file = place.data / "state/db/bioskills.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        ended = database.execute(
            "select name from membership join person on person.id = person_id "
            "where source = 'file:autumn' and valid_to is not null"
        ).fetchall()

    assert ended == []
