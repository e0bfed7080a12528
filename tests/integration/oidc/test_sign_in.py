"""Who gets in through a real provider, and everybody who does not."""

import re
import sqlite3
from contextlib import closing

import httpx
import pytest
from bioskills_http import is_in, rest, visitor
from bioskills_product import Product
from bioskills_provider import (
    CLIENT,
    SECRET,
    Provider,
    agree,
    begin,
    challenge_of,
    query_of,
    sign_in_at_provider,
)

pytestmark = pytest.mark.integration


def account(provider: Provider, sub: str, email: str, *groups: str, **claims: object) -> None:
    provider.put(sub, email=email, email_verified=True, groups=list(groups), **claims)


def seats_of(product: Product, name: str) -> set[tuple[str, str, str]]:
    """Return the open seats of a person: cohort, role, source."""
    file = product.data / "state/db/bioskills.sqlite"
    chosen = (
        "select slug, role, source from membership join cohort on cohort.id = cohort_id "
        "join person on person.id = person_id where name = ? and valid_to is null"
    )
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return set(database.execute(chosen, (name,)).fetchall())


def who(client: httpx.Client, product: Product) -> str:
    """Return whom the hub takes this browser for."""
    found = re.search(r'data-user|user: "([^"]+)"', client.get(f"{product.url}/hub/home").text)
    assert found
    return found[1]


def test_a_provisioned_person_with_a_verified_address_enters(
    place: Product, provider: Provider
) -> None:
    account(provider, "s-lea", "Lea@Example.org", preferred_username="l.brandt")
    with visitor() as client:
        answer = sign_in_at_provider(client, place.url, "s-lea")

        assert answer.status_code == 302, answer.text
        assert is_in(client, place)
        assert who(client, place) == "lea"


def test_the_sign_in_button_names_the_provider(place: Product) -> None:
    with visitor() as client:
        assert "Sign in with Example University" in client.get(f"{place.url}/hub/login").text


def test_pkce_state_and_the_fixed_address_go_with_every_sign_in(
    place: Product, provider: Provider
) -> None:
    account(provider, "s-ina", "ina@example.org")
    with visitor() as client:
        sent = begin(client, place.url)
        asked = query_of(sent.headers["location"])
        client.get(agree(client, sent.headers["location"], "s-ina"))
    form = provider.forms[-1]

    assert asked["code_challenge_method"] == "S256"
    assert challenge_of(form["code_verifier"]) == asked["code_challenge"]
    assert len(asked["state"]) > 40
    assert asked["redirect_uri"] == form["redirect_uri"] == f"{place.url}/hub/oauth_callback"
    assert form["authorization"] == f"{CLIENT}:{SECRET}"


def test_a_sign_in_that_another_browser_began_is_refused(
    place: Product, provider: Provider
) -> None:
    account(provider, "s-ina", "ina@example.org")
    with visitor() as attacker, visitor() as victim:
        sent = begin(attacker, place.url)
        there = agree(attacker, sent.headers["location"], "s-ina")
        begin(victim, place.url)
        answer = victim.get(there)

        assert answer.status_code == 403
        assert "begun in another window" in answer.text
        assert not is_in(victim, place)


def test_whoever_is_not_invited_reads_whom_to_ask(place: Product, provider: Provider) -> None:
    account(provider, "s-eve", "eve@example.org", preferred_username="lea")
    with visitor() as client:
        answer = sign_in_at_provider(client, place.url, "s-eve")

        assert answer.status_code == 403
        assert "belongs to nobody who was invited here" in answer.text
        assert "training@example.org" in answer.text
        assert "eve@example.org" not in answer.text
        assert not is_in(client, place)


def test_an_address_that_the_provider_has_not_verified_opens_nothing(
    place: Product, provider: Provider
) -> None:
    provider.put("s-liar", email="miro@example.org", email_verified=False)
    with visitor() as client:
        assert sign_in_at_provider(client, place.url, "s-liar").status_code == 403

        provider.put("s-liar", email="miro@example.org")
        assert sign_in_at_provider(client, place.url, "s-liar").status_code == 403
        assert not is_in(client, place)


def test_who_changes_their_address_stays_who_they_are_and_becomes_nobody_else(
    place: Product, provider: Provider
) -> None:
    account(provider, "s-tom", "tom@example.org")
    account(provider, "s-thief", "thief@example.org")
    with visitor() as client:
        sign_in_at_provider(client, place.url, "s-tom")
        assert who(client, place) == "tom"
    account(provider, "s-tom", "sofia@example.org")
    with visitor() as client:
        sign_in_at_provider(client, place.url, "s-tom")
        assert who(client, place) == "tom"
    account(provider, "s-thief", "tom@example.org")
    with visitor() as client:
        answer = sign_in_at_provider(client, place.url, "s-thief")

        assert answer.status_code == 403
        assert "signs in with another account" in answer.text


def test_an_account_that_was_made_new_is_let_in_once_the_old_one_is_released(
    place: Product, provider: Provider
) -> None:
    account(provider, "s-ola-1", "ola@example.org")
    account(provider, "s-ola-2", "ola@example.org")
    with visitor() as client:
        assert sign_in_at_provider(client, place.url, "s-ola-1").status_code == 302
        listed = place.command("people", "accounts")
        assert "ola  s-ola-1" in listed.stdout
        assert sign_in_at_provider(client, place.url, "s-ola-2").status_code == 403
        done = place.command("people", "release", "ola")
        assert done.returncode == 0, done.stderr
        assert sign_in_at_provider(client, place.url, "s-ola-2").status_code == 302
        assert who(client, place) == "ola"


def test_an_admin_of_the_cohort_file_is_admin_here(place: Product, provider: Provider) -> None:
    account(provider, "s-ada", "ada@example.org")
    with visitor() as client:
        sign_in_at_provider(client, place.url, "s-ada")

        assert client.get(f"{place.url}/hub/admin").status_code == 200
    assert rest(place, "GET", "users/ada").json()["admin"] is False


def test_a_group_makes_a_new_person_with_a_seat_and_another_an_admin_where_settings_say_so(
    place: Product, provider: Provider
) -> None:
    account(provider, "s-new", "new@example.org", "cohort-2026", preferred_username="Nina_New")
    account(provider, "s-root", "root@example.org", "rulers", preferred_username="rosa")
    with visitor() as client:
        sign_in_at_provider(client, place.url, "s-new")
        assert who(client, place) == "nina-new"
        assert client.get(f"{place.url}/hub/admin").status_code == 403
    with visitor() as client:
        sign_in_at_provider(client, place.url, "s-root")
        assert client.get(f"{place.url}/hub/admin").status_code == 200

    source = f"claim:{provider.issuer}"
    assert seats_of(place, "nina-new") == {("autumn", "learner", source)}
    assert seats_of(place, "rosa") == {("platform", "admin", source)}


def test_a_sign_in_drops_no_seat_of_the_file_and_a_claim_that_ends_takes_only_its_own(
    place: Product, provider: Provider
) -> None:
    account(provider, "s-sofia", "sofia@example.org", "teachers-2026")
    own = ("autumn", "learner", "file:autumn")
    with visitor() as client:
        sign_in_at_provider(client, place.url, "s-sofia")
        with_claim = seats_of(place, "sofia")
        account(provider, "s-sofia", "sofia@example.org")
        sign_in_at_provider(client, place.url, "s-sofia")

    others = {seat for seat in with_claim if seat[0] != "autumn"}  # of the demo's own file
    assert with_claim == {own, ("autumn", "instructor", f"claim:{provider.issuer}"), *others}
    assert seats_of(place, "sofia") == {own, *others}


def test_signing_out_goes_on_to_the_provider_without_a_token_in_the_address(
    place: Product, provider: Provider
) -> None:
    account(provider, "s-ina", "ina@example.org")
    with visitor() as client:
        sign_in_at_provider(client, place.url, "s-ina")
        answer = client.get(f"{place.url}/hub/logout", follow_redirects=False)

        assert answer.headers["location"].startswith(f"{provider.issuer}/oauth2/end_session?")
        assert set(query_of(answer.headers["location"])) == {
            "client_id",
            "post_logout_redirect_uri",
        }
        assert not is_in(client, place)


def test_no_secret_and_no_token_stands_in_a_log_or_a_process(
    place: Product, provider: Provider
) -> None:
    account(provider, "s-ina", "ina@example.org")
    with visitor() as client:
        sent = begin(client, place.url)
        there = agree(client, sent.headers["location"], "s-ina")
        client.get(there)
    logs = "".join(file.read_text() for file in (place.data / "state/log").glob("*.log"))
    kept = place.data / "state/hub"

    assert query_of(there)["code"] not in logs
    assert SECRET not in logs
    assert "s-ina" not in logs
    for name in ("oidc_client_secret", "auth_state_key"):
        assert (kept / name).stat().st_mode & 0o777 == 0o600
        assert (kept / name).stat().st_uid == kept.stat().st_uid
    database = b"".join(file.read_bytes() for file in kept.glob("*.sqlite*"))
    assert b"encrypted_auth_state" in database
    assert b"refresh_token" not in database.replace(b"refresh_tokens", b"")
