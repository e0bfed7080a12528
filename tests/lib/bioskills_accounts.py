"""Invitations as the admin gives them out, and forms before the hub as a browser sends them."""

import csv
import re
import tempfile
from pathlib import Path
from typing import Any

import httpx
from bioskills_product import Product

GOOD = "four words nobody puts together"


def people(product: Product, *words: str) -> str:
    """Run `bioskills people` and return what it printed."""
    done = product.command("people", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def link_for(product: Product, name: str, kind: str = "invite", *more: str) -> str:
    """Issue a link to a person and return it."""
    found = re.search(r"http\S+/hub/join\?key=\S+", people(product, kind, name, *more))
    assert found
    return found[0]


def links_for(product: Product, *whom: str, kind: str = "invite") -> dict[str, str]:
    """Issue links to many people and return them by name."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "links.csv"
        people(product, kind, *whom, "--csv", str(file))
        with file.open(newline="") as lines:
            return {row["name"]: row["link"] for row in csv.DictReader(lines)}


def secret_of(link: str) -> str:
    """Return the secret of a link."""
    return link.partition("key=")[2]


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, (name, page)
    return found[1]


def open_form(client: httpx.Client, product: Product, link: str) -> str:
    """Open a link and press *Continue*; return the page with the form."""
    assert client.get(link).status_code == httpx.codes.OK
    answer = client.post(f"{product.url}/hub/join", data={"key": secret_of(link)})
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.text


def choose(
    client: httpx.Client, product: Product, link: str, password: str = GOOD, **more: Any
) -> httpx.Response:
    """Go from a link to a password; return the answer, not followed."""
    page = open_form(client, product, link)
    return send_choice(client, product, page, password, **more)


def send_choice(
    client: httpx.Client, product: Product, page: str, password: str = GOOD, **more: Any
) -> httpx.Response:
    """Send the form for a password."""
    data = {
        "_xsrf": hidden(page, "_xsrf"),
        "key": hidden(page, "key"),
        "password": password,
        "again": password,
        **more,
    }
    return client.post(f"{product.url}/hub/join/password", data=data, follow_redirects=False)


def send_sign_in(
    client: httpx.Client, product: Product, name: str, password: str
) -> httpx.Response:
    """Send the sign-in form; return the answer, not followed."""
    form = client.get(f"{product.url}/hub/login").text
    data = {"username": name, "password": password, "_xsrf": hidden(form, "_xsrf")}
    return client.post(f"{product.url}/hub/login", data=data, follow_redirects=False)
