"""From a link to a password: who gets in, once, and what a link leaves behind."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest
from bioskills_accounts import (
    GOOD,
    choose,
    hidden,
    link_for,
    open_form,
    people,
    secret_of,
    send_choice,
    send_sign_in,
)
from bioskills_http import (
    end_lab,
    is_in,
    rest,
    server_of,
    sign_in,
    start_lab,
    start_lab_of,
    the,
    visitor,
)
from bioskills_product import Product
from bioskills_waiting import eventually, halted

pytestmark = pytest.mark.integration

OK, FOUND = httpx.codes.OK, httpx.codes.FOUND


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with visitor() as found:
        yield found


def rows(product: Product, question: str) -> list[tuple[object, ...]]:
    file = product.data / "state/db/bioskills.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return database.execute(question).fetchall()


def knows(product: Product, token: str) -> bool:
    """Say whether the hub takes a token."""
    port = product.environ["BIOSKILLS_NETWORK_HUB_PORT"]
    head = {"Authorization": f"token {token}"}
    me = httpx.get(f"http://127.0.0.1:{port}/hub/api/user", headers=head, trust_env=False)
    return me.status_code == OK


def test_opening_a_link_uses_nothing_up_and_sets_nothing(product: Product, client: httpx.Client):
    link = link_for(product, "lea")
    for _time in range(3):
        answer = client.get(link)

        assert answer.status_code == OK
        assert "Lea Brandt" in answer.text
        assert ">Continue<" in answer.text
        assert "set-cookie" not in answer.headers
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "'unsafe" not in answer.headers["content-security-policy"]
        assert "<input" in answer.text
        assert 'type="password"' not in answer.text
    assert choose(client, product, link).status_code == FOUND


def test_who_set_a_password_is_in_and_comes_in_again_with_it(product: Product):
    with visitor() as first:
        answer = choose(first, product, link_for(product, "miro"), GOOD + " miro")
        assert answer.status_code == FOUND
        assert is_in(first, product)
    with visitor() as again:
        assert sign_in(again, product, "miro", GOOD + " miro")
    with visitor() as old:
        assert not sign_in(old, product, "miro", "another password")


def test_of_two_who_use_a_link_at_the_same_time_one_gets_in(product: Product):
    link = link_for(product, "sofia")
    with visitor() as one, visitor() as two, ThreadPoolExecutor() as pool:
        clients = (one, two)
        pages = [open_form(client, product, link) for client in clients]
        words = [GOOD + " one", GOOD + " two"]
        sent = pool.map(
            lambda n: send_choice(clients[n], product, pages[n], words[n]).status_code, (0, 1)
        )

        assert sorted(sent) == [FOUND, httpx.codes.GONE]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ("used_at = issued_at", 410, "This link was used already"),
        ("expires_at = issued_at", 410, "This link has ended"),
        ("revoked_at = issued_at", 410, "This link was taken back"),
        ("sha256 = 'x' || id", 404, "There is no such link"),
    ],
)
def test_each_end_of_a_link_has_its_own_page(
    product: Product, client: httpx.Client, change: str, status: int, said: str
):
    link = link_for(product, "max", "invite")
    page = open_form(client, product, link)
    with closing(sqlite3.connect(product.data / "state/db/bioskills.sqlite")) as database:
        newest = "(select max(id) from join_link)"
        database.execute(f"update join_link set {change} where id = {newest}")
        database.commit()

    for answer in (client.get(link), send_choice(client, product, page)):
        assert answer.status_code == status
        assert said in answer.text
        assert "Max Meyer" not in answer.text
        assert "sk the person who invited you" in answer.text


def test_a_newer_link_ends_the_one_before_and_a_revoked_one_is_no_more(
    product: Product, client: httpx.Client
):
    first, second = (link_for(product, "max") for _time in (1, 2))

    assert "taken back" in client.get(first).text
    assert client.get(second).status_code == OK
    assert "1 open link was taken back" in people(product, "revoke", "max")
    assert "taken back" in client.get(second).text


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "It has 5 characters; at least 12 are needed."),
        ("password12345", "one of the first that somebody would try"),
        ("ada admin 2027", "little more than your name"),
    ],
)
def test_a_password_that_will_not_do_is_refused_and_the_link_stays_good(
    product: Product, client: httpx.Client, password: str, said: str
):
    link = link_for(product, "ada", "reset")

    answer = choose(client, product, link, password)

    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert said in answer.text
    assert client.get(link).status_code == OK


def test_a_reset_ends_every_sign_in_token_and_lab(product: Product):
    start_lab_of(product, "asta")
    token = rest(product, "POST", "users/asta/tokens", json={"note": "mine"}).json()["token"]
    with visitor() as old, visitor() as new:
        assert sign_in(old, product, "asta")
        link = link_for(product, "asta", "reset")
        assert choose(new, product, link, GOOD + " asta").status_code == FOUND

        assert is_in(new, product)
        assert not is_in(old, product)
    assert not knows(product, token)
    assert eventually(lambda: not server_of(product, "asta"))


def test_a_reset_ends_a_lab_that_was_only_starting(product: Product):
    end_lab(product, "max")
    with visitor() as new, halted(the(product, "bioskills.fork_server.labs")):
        begun = rest(product, "POST", "users/max/server")
        assert begun.status_code == httpx.codes.ACCEPTED, "it goes on starting"
        link = link_for(product, "max", "reset")
        assert choose(new, product, link, GOOD + " max").status_code == FOUND
        assert server_of(product, "max")["pending"] == "spawn"

    assert eventually(lambda: not server_of(product, "max"))


def test_the_secret_of_a_link_stands_in_no_log_and_no_database(
    product: Product, client: httpx.Client
):
    link = link_for(product, "ina", "reset")
    secret = secret_of(link)
    client.get(link)
    client.get(f"{product.url}/hub/join/?key={secret}")
    client.post(f"{product.url}/hub/join", data={"key": secret + "x"})
    client.get(link + "x")
    client.post(f"{product.url}/hub/join/password", data={"key": secret})
    choose(client, product, link, "short")

    places = [file for file in (product.data / "state").rglob("*") if file.is_file()]
    logs = [file for file in places if file.suffix == ".log"]
    assert len(logs) > 3
    assert [file for file in places if secret.encode() in file.read_bytes()] == []
    assert b"/hub/join" in b"".join(file.read_bytes() for file in logs), "something was logged"


@pytest.mark.parametrize(
    "path", ["signup", "authorize", "authorize/lea", "change-password", "discard/lea"]
)
def test_no_route_lets_anybody_make_an_account(product: Product, client: httpx.Client, path: str):
    assert client.get(f"{product.url}/hub/{path}").status_code == httpx.codes.NOT_FOUND


def test_the_hubs_api_gives_no_token_for_a_password(product: Product, client: httpx.Client):
    auth = {"username": "ina", "password": product.password("ina")}
    address = f"{product.url}/hub/api/users/ina/tokens"

    assert client.post(address, json={"auth": auth}).status_code == httpx.codes.FORBIDDEN


def test_a_changed_password_is_audited_without_a_name(product: Product):
    found = rows(
        product,
        "select actor, action, subject from audit_entry where action like '%link%' or action = 'set password'",
    )

    assert {action for _actor, action, _subject in found} >= {
        "issued join link",
        "issued reset link",
        "revoked link",
        "set password",
    }
    assert all(str(subject).startswith("p-") for _actor, _action, subject in found)


def test_the_page_to_change_the_password_asks_for_the_present_one(
    product: Product, client: httpx.Client
):
    link = link_for(product, "ada", "reset")
    assert choose(client, product, link, GOOD + " ada").status_code == FOUND
    address = f"{product.url}/hub/password"

    def change(present: str, new: str) -> httpx.Response:
        xsrf = hidden(client.get(address).text, "_xsrf")
        data = {"_xsrf": xsrf, "present": present, "password": new, "again": new}
        return client.post(address, data=data)

    lab = start_lab(product, "ada", GOOD + " ada").environ["JUPYTERHUB_API_TOKEN"]
    # Noted as the hub notes a lab's own token, which outlives a change of the password.
    own = {"note": "Server at /user/ada/"}
    token = rest(product, "POST", "users/ada/tokens", json=own).json()["token"]
    assert "present password is not right" in change("wrong", GOOD + " later").text
    assert knows(product, token)
    assert "The password was changed" in change(GOOD + " ada", GOOD + " later").text
    assert is_in(client, product)
    assert not knows(product, token)
    assert knows(product, lab)
    with visitor() as other:
        assert send_sign_in(other, product, "ada", GOOD + " ada").status_code == 403
        assert send_sign_in(other, product, "ada", GOOD + " later").status_code == FOUND
