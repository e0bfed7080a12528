"""How an admin gives invitations out, and who may not."""

import base64
import csv
import re
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from bioskills_accounts import GOOD, choose, hidden, link_for, links_for, people, send_sign_in
from bioskills_http import is_in, sign_in, visitor
from bioskills_product import Product
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

pytestmark = pytest.mark.integration

OK, FOUND, FORBIDDEN = httpx.codes.OK, httpx.codes.FOUND, httpx.codes.FORBIDDEN
SLUG = "invited"
NAMES = {"eva": "Éva <b>Ångström</b>", "formula": "=HYPERLINK(1)", "otto": "Otto Test"}


@pytest.fixture(scope="module", autouse=True)
def cohort(product: Product, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cohort of people whose printed passwords are taken away again: they have no account."""
    lines = "".join(
        f'[[people]]\nname = "{n}"\ndisplay_name = "{d}"\nroles = ["learner"]\n'
        for n, d in NAMES.items()
    )
    file = tmp_path_factory.mktemp("cohort") / "invited.toml"
    file.write_text(f'[cohort]\nslug = "{SLUG}"\ntitle = "Invited"\n{lines}')
    done = product.command("cohort", "apply", str(file))
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(product.data / "state/db/bioskills.sqlite")) as database:
        chosen = f"select id from person where name in ({','.join('?' * len(NAMES))})"
        database.execute(f"delete from account where person_id in ({chosen})", list(NAMES))
        database.commit()


@pytest.fixture
def admin(product: Product) -> Iterator[httpx.Client]:
    with visitor() as client:
        link = link_for(product, "ada", "reset")
        assert choose(client, product, link, GOOD + " ada").status_code == FOUND
        yield client


def page(product: Product, path: str = "") -> str:
    return f"{product.campus}people/{SLUG}/invitations{path}"


def test_the_command_writes_a_sheet_and_a_table_for_its_caller_alone(
    product: Product, tmp_path: Path
):
    sheet, table = tmp_path / "sheet.html", tmp_path / "table.csv"
    said = people(product, "invite", SLUG, "--sheet", str(sheet), "--csv", str(table))

    assert "3 links issued." in said
    assert "key=" not in said, "links that lie in a file are not printed, too"
    assert [stat.S_IMODE(f.stat().st_mode) for f in (sheet, table)] == [0o600, 0o600]
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert sorted(row["name"] for row in rows) == sorted(NAMES)
    assert {row["display_name"] for row in rows} >= {"'=HYPERLINK(1)"}
    text = sheet.read_text()
    assert text.count("data:image/svg+xml") == 3
    assert "<script" not in text
    assert "<b>" not in text
    assert all(row["link"].replace("&", "&amp;") in text for row in rows)
    with visitor() as client:
        assert "Otto Test" in client.get(rows[-1]["link"]).text or rows[-1]["name"] != "otto"


def test_who_is_nobody_is_named_and_nothing_is_issued(product: Product):
    done = product.command("people", "invite", "otto", "nobody-here", "spring-99")

    assert done.returncode == 2
    assert "nobody-here" in done.stderr
    assert "spring-99" in done.stderr


@pytest.mark.parametrize("path", ["", "/join", "/revoke", "/reset?person=p-000001"])
@pytest.mark.parametrize("name", ["ina", "lea", "max"])
def test_only_an_admin_of_the_platform_sees_invitations(product: Product, name: str, path: str):
    with visitor() as client:
        link = link_for(product, name, "reset")
        assert choose(client, product, link, GOOD + " other").status_code == FOUND

        assert client.get(page(product, path)).status_code == FORBIDDEN


def test_an_admin_invites_a_cohort_and_takes_links_back(product: Product, admin: httpx.Client):
    assert "0 of 3 people have set a password" in admin.get(page(product)).text
    plan = admin.get(page(product, "/join"))
    assert "Invite 3 people?" in plan.text
    origin = {"Origin": product.campus.partition("/services")[0]}
    chosen = re.findall(r'name="person" value="([^"]+)"', plan.text)
    form = {"_csrf": hidden(plan.text, "_csrf"), "person": chosen, "output": "sheet"}

    sheet = admin.post(page(product, "/join"), data=form, headers=origin)

    assert sheet.headers["cache-control"] == "no-store"
    links = set(re.findall(r'href="(http[^"]+/hub/join\?key=[^"]+)"', sheet.text))
    assert len(links) == 3
    assert not links & set(re.findall(r"http\S+key=\S+", admin.get(page(product)).text))
    back = admin.post(page(product, "/revoke"), data=form, headers=origin)
    assert "3 open links were taken back" in back.text
    with visitor() as client:
        assert "taken back" in client.get(links.pop()).text
    table = admin.post(page(product, "/join"), data={**form, "output": "csv"}, headers=origin)
    assert table.text.startswith("name,display_name,email,link,expires")
    mail = admin.post(page(product, "/join"), data={**form, "output": "mail"}, headers=origin)
    assert mail.status_code == httpx.codes.CONFLICT
    assert (
        admin.post(page(product, "/join"), data={"person": chosen}, headers=origin).status_code
        == FORBIDDEN
    )


def test_a_second_factor_is_asked_for_each_code_once_until_the_admin_switches_it_off(
    product: Product,
):
    address, password = f"{product.url}/hub/password/second-factor", GOOD + " otto"
    with visitor() as client:
        assert (
            choose(client, product, links_for(product, "otto")["otto"], password).status_code
            == FOUND
        )
        code, recovery = switch_on(client, product, password)
        assert len(recovery) == 8
    with visitor() as client:
        first = send_sign_in(client, product, "otto", password)
        assert "Second step" in first.text
        assert not is_in(client, product)

        assert send_code(client, product, first.text, code).status_code == FORBIDDEN, "used once"
        assert not is_in(client, product)
        assert send_code(client, product, first.text, recovery[0]).status_code == FOUND
        assert is_in(client, product)
    with visitor() as client:
        first = send_sign_in(client, product, "otto", password)
        assert send_code(client, product, first.text, recovery[0]).status_code == FORBIDDEN
        forged = first.text.replace(hidden(first.text, "ticket"), "otto")
        assert send_code(client, product, forged, recovery[1]).headers["location"].endswith("login")
        assert not is_in(client, product)
    with visitor() as client:
        first = send_sign_in(client, product, "otto", password)
        assert send_code(client, product, first.text, recovery[2]).status_code == FOUND
        off = f"{address}/off"
        for wrong in ({}, {"code": "000000"}, {"code": recovery[0]}):
            page = client.get(off).text
            data = {"_xsrf": hidden(page, "_xsrf"), "present": password, **wrong}
            assert "This code is wrong" in client.post(off, data=data).text, (
                "the password is not enough"
            )
        data["present"], data["code"] = "wrong", recovery[3]
        assert "present password is not right" in client.post(off, data=data).text
        assert "Switched on: " in client.get(f"{product.url}/hub/password").text
        data["present"] = password
        assert client.post(off, data=data, follow_redirects=False).status_code == FOUND
        assert "Switched off. " in client.get(f"{product.url}/hub/password").text
        switch_on(client, product, password)
    link, newer = link_for(product, "otto", "reset", "--second-factor"), GOOD + " otto again"
    with visitor() as client:
        assert not sign_in(client, product, "otto", password), "who knew the old password is out"
        assert choose(client, product, link, newer).status_code == FOUND
        assert is_in(client, product)
    with visitor() as client:
        assert sign_in(client, product, "otto", newer), "and no second step is asked for"


def test_guessing_has_to_wait_and_a_known_browser_does_not(product: Product):
    password = GOOD + " eva"
    with visitor() as known, visitor() as guesser:
        assert (
            choose(known, product, links_for(product, "eva")["eva"], password).status_code == FOUND
        )
        answers = [send_sign_in(guesser, product, "eva", "wrong") for _time in range(6)]
        assert [answer.status_code for answer in answers] == [403] * 5 + [429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
        assert "Wait 1 second" in answers[-1].text or "Wait 2 seconds" in answers[-1].text
        known.get(f"{product.url}/hub/logout")
        assert send_sign_in(known, product, "eva", password).status_code == FOUND


def switch_on(client: httpx.Client, product: Product, password: str) -> tuple[str, list[str]]:
    """Switch the second factor on; return the code that was used and the recovery codes."""
    address = f"{product.url}/hub/password/second-factor"
    form = client.get(address).text
    letters = re.search(r"<code>([A-Z2-7 ]+)</code>", form)
    assert letters
    code = code_of(letters[1])
    data = {"_xsrf": hidden(form, "_xsrf"), "ticket": hidden(form, "ticket"), "code": code}
    on = client.post(address, data={**data, "present": password})
    return code, re.findall(r"<li><code>([0-9a-f-]+)</code></li>", on.text)


def send_code(client: httpx.Client, product: Product, form: str, code: str) -> httpx.Response:
    data = {"_xsrf": hidden(form, "_xsrf"), "ticket": hidden(form, "ticket"), "code": code}
    return client.post(f"{product.url}/hub/login/code", data=data, follow_redirects=False)


def code_of(letters: str) -> str:
    key = "".join(letters.split())
    raw = base64.b32decode(key + "=" * (-len(key) % 8))
    return TOTP(raw, 6, SHA1(), 30).generate(int(time.time())).decode()
