"""Two known advisories of JupyterHub do not bite here: both attacks are made.

GHSA-69wv-m5fw-2fhp: a filtered admin scope (`admin:users!group=...`, `admin:groups!group=...`)
reached beyond its filter. GHSA-c4gm-pwx9-9w8j: the page that accepts a share put an address of
an attacker's into itself. No role of ours has such a scope, and nobody may share; the attacks
are made on a bare hub as well, so that a JupyterHub that lets them through is never locked.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from bioskills_cast import Cast, seats_of_all
from bioskills_ports import free_port
from bioskills_waiting import eventually

from bioskills.hub.roles import EVERYBODY, ROLE_TABLE

pytestmark = pytest.mark.integration

BOSS = "boss-token-0123456789abcdef012345"
CONFIG = """
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    routes = {}
    async def add_route(self, routespec, target, data): self.routes[routespec] = dict(routespec=routespec, target=target, data=data)
    async def delete_route(self, routespec): self.routes.pop(routespec, None)
    async def get_all_routes(self): return dict(self.routes)

c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = c.JupyterHub.hub_bind_url = "http://127.0.0.1:%(port)d"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "right"
c.Authenticator.allow_all = True
c.JupyterHub.load_groups = {"small": {"users": ["sub", "one"]}, "large": {"users": ["two"]}}
c.JupyterHub.services = [{"name": "boss", "api_token": "%(boss)s"}]
c.JupyterHub.load_roles = [
    {"name": "boss", "services": ["boss"], "scopes": ["admin:users", "tokens", "admin:servers"]},
    {"name": "sub-admin", "users": ["sub"], "scopes": [
        "admin:users!group=small", "admin:groups!group=small"]},
    {"name": "sharer", "users": ["one"], "scopes": ["self", "shares!user", "list:users", "read:users:name"]},
]
"""


@dataclass
class BareHub:
    """A hub with a filtered admin and somebody who may share, as no hub of ours has."""

    url: str

    def token(self, name: str) -> str:
        """Return a token with everything that this person may do."""
        made = self.call(BOSS, "POST", f"users/{name}/tokens", json={"note": "test"})
        return str(made.raise_for_status().json()["token"])

    def call(self, token: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the API."""
        headers = {"Authorization": f"token {token}"}
        return httpx.request(
            method,
            f"{self.url}/hub/api/{path}",
            headers=headers,
            trust_env=False,
            timeout=60,
            **options,
        )


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareHub]:
    """The bare hub."""
    folder, port = tmp_path_factory.mktemp("bare"), free_port()
    (folder / "config.py").write_text(CONFIG % {"port": port, "boss": BOSS})
    command = [sys.executable, "-m", "jupyterhub", "-f", "config.py"]
    with (folder / "hub.log").open("wb") as log:
        hub = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    found = BareHub(f"http://127.0.0.1:{port}")
    try:
        ready = eventually(
            lambda: (
                hub.poll() is not None
                or httpx.get(f"{found.url}/hub/health", trust_env=False).is_success
            )
        )
        assert ready
        assert hub.poll() is None, (folder / "hub.log").read_text()[-3000:]
        yield found
    finally:
        hub.terminate()
        hub.wait(60)


BEYOND_THE_FILTER = (
    ("POST", "users", {"usernames": ["planted"]}),
    ("POST", "users/planted", None),
    ("POST", "users", {"usernames": ["planted"], "admin": True}),
    ("PATCH", "users/two", {"name": "taken"}),
    ("PATCH", "users/two", {"admin": True}),
    ("PATCH", "users/one", {"admin": True}),
    ("DELETE", "users/two", None),
    ("POST", "groups", {"groups": ["planted"]}),
    ("POST", "groups/planted", None),
    ("POST", "groups/large/users", {"users": ["sub"]}),
    ("DELETE", "groups/large/users", {"users": ["two"]}),
    ("PUT", "groups/large/properties", {"x": 1}),
    ("DELETE", "groups/large", None),
)


@pytest.mark.parametrize(("method", "path", "body"), BEYOND_THE_FILTER)
def test_a_filtered_admin_reaches_nothing_beyond_the_filter(
    bare: BareHub, method: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = bare.call(bare.token("sub"), method, path, json=body)

    assert answer.status_code in {403, 404}, answer.text


def test_a_filtered_admin_sees_nothing_beyond_the_filter(bare: BareHub) -> None:
    token = bare.token("sub")

    assert {g["name"] for g in bare.call(token, "GET", "groups").json()} == {"small"}
    assert {u["name"] for u in bare.call(token, "GET", "users").json()} == {"sub", "one"}


def test_the_filtered_admin_of_this_test_really_is_one(bare: BareHub) -> None:
    body = {"users": ["two"]}
    token = bare.token("sub")

    assert bare.call(token, "POST", "groups/small/users", json=body).is_success
    assert bare.call(token, "DELETE", "groups/small/users", json=body).is_success


def test_no_role_of_ours_is_a_filtered_admin_or_may_share() -> None:
    every = [*EVERYBODY, *(scope for rule in ROLE_TABLE.values() for scope in rule.scopes)]

    assert [
        s for s in every if s.startswith(("admin:", "groups", "users", "shares", "tokens"))
    ] == []


HOSTILE = (
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "\tjavascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    '/hub/home"><img src=x onerror=alert(1)>',
    "https://evil.example/",
    "//evil.example/",
    "\\\\evil.example",
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_page_that_accepts_a_share_takes_nothing_from_the_address(
    bare: BareHub, hostile: str
) -> None:
    made = bare.call(
        bare.token("one"), "POST", "share-codes/one/", json={"scopes": ["access:servers"]}
    )
    code = made.raise_for_status().json()["code"]
    with httpx.Client(trust_env=False, follow_redirects=True, timeout=60) as browser:
        form = browser.get(f"{bare.url}/hub/login").text
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', form)
        assert xsrf
        data = {"username": "two", "password": "right", "_xsrf": xsrf[1]}
        browser.post(f"{bare.url}/hub/login", data=data, follow_redirects=False)
        query = {"code": code, "next": hostile}
        page = browser.get(f"{bare.url}/hub/accept-share", params=query)

    assert page.is_success, page.text
    assert "Accept sharing invitation" in page.text
    links = re.findall(r'(?:href|src|action)="([^"]*)"', page.text)
    assert [
        link for link in links if re.match(r"(?i)\s*(javascript|data|//|\\|https?://evil)", link)
    ] == []
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text


@pytest.mark.parametrize("name", seats_of_all())
def test_nobody_here_can_make_a_share_or_a_code_for_one(cast: Cast, name: str) -> None:
    who = cast.people[name]
    wish = {"user": "ada", "scopes": ["access:servers"]}
    shared = cast.hub(who, "POST", f"shares/{name}/", json=wish)
    code = cast.hub(who, "POST", f"share-codes/{name}/", json={"scopes": ["access:servers"]})

    assert (shared.status_code, code.status_code) == (403, 403)


def test_there_is_no_share_to_accept_here(cast: Cast) -> None:
    who = cast.people["red-mo"]
    page = who.browser.get(f"{cast.product.url}/hub/accept-share", params={"code": "x" * 24})

    assert page.status_code == 404
