"""A real hub and a campus for the tests of sign-in, with what they ask of them.

The hub runs as a process; the campus answers in a thread, with a few small
routes of the tests beside its own. There is no proxy: the client finds both by
host name, as the proxy would.
"""

import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from bioskills_ports import free_ports
from bioskills_waiting import eventually
from fastapi import APIRouter, Depends
from sqlalchemy import select

from bioskills.base.places import database_url, places_of
from bioskills.base.settings import Settings
from bioskills.base.store import ensure_schema
from bioskills.base.tables import (
    ApiToken,
    Cohort,
    CourseVersion,
    Membership,
    Person,
    Run,
    now,
)
from bioskills.hub.addresses import campus_public_url, hub_public_url
from bioskills.hub.campus import callers
from bioskills.hub.campus.__main__ import make_site
from bioskills.hub.campus.app import create_app
from bioskills.hub.campus.hub_api import Grant
from bioskills.hub.campus.sessions import start_session
from bioskills.hub.campus.site import Site
from bioskills.hub.roles import EVERYBODY

CAMPUS_TOKEN = "campus-token-0123456789abcdef0123"
BOSS_TOKEN = "boss-token-0123456789abcdef012345"
OTHER_TOKEN = "other-token-0123456789abcdef0123"
GRADER_TOKEN = "grader-token-0123456789abcdef012"
NAMED_TOKEN = "bsh_0123456789abcdef0123456789"
COOKIE = "bioskills-session"
SOON_S = 30
"""Enough for a loaded machine, and far below the 300 s for which hub and library would trust."""
HOME, PROBE, CHANGE = (
    "/services/campus/probe",
    "/services/campus/probe?page=2",
    "/services/campus/change",
)

HUB_CONFIG = """
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    routes = {}
    async def add_route(self, routespec, target, data): self.routes[routespec] = dict(routespec=routespec, target=target, data=data)
    async def delete_route(self, routespec): self.routes.pop(routespec, None)
    async def get_all_routes(self): return dict(self.routes)

c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = "%(public)s"
c.JupyterHub.subdomain_host = "%(public)s"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:%(hub_port)d"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.oauth_require_pkce = True
c.DummyAuthenticator.password = "right"
c.Authenticator.allow_all = True
c.JupyterHub.custom_scopes = {"custom:bioskills:lab": {"description": "lab verbs"}}
c.JupyterHub.services = [
    {"name": "campus", "url": "http://127.0.0.1:%(campus_port)d", "api_token": "%(campus_token)s", "oauth_no_confirm": True},
    {"name": "other", "api_token": "%(other_token)s"},
    {"name": "boss", "api_token": "%(boss_token)s"},
]
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": %(everybody)r},
    {"name": "boss", "services": ["boss"], "scopes": ["admin:users", "tokens", "read:users"]},
]
"""


def wait_for(url: str, alive: Callable[[], bool], log: Path) -> None:
    """Wait until something answers there; show the log of a process that ended instead."""
    answers = eventually(lambda: not alive() or httpx.get(url, trust_env=False).status_code < 500)
    assert answers, url
    assert alive(), log.read_text()[-3000:]


class ByHost(httpx.BaseTransport):
    """Bring each host's requests to its port, as the proxy does; the Host header stays."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.ports = ports
        self.wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        port = self.ports[request.url.host]
        url = request.url.copy_with(host="127.0.0.1", port=port)
        sent = httpx.Request(
            request.method,
            url,
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return self.wire.handle_request(sent)

    def close(self) -> None:
        self.wire.close()


@dataclass
class Place:
    """The running hub and campus, as a person finds them."""

    site: Site
    hub: str
    campus: str
    ports: dict[str, int]
    changed: list[str] = field(default_factory=list)
    opened: list[httpx.Client] = field(default_factory=list)

    def browser(self) -> httpx.Client:
        browser = httpx.Client(transport=ByHost(self.ports), follow_redirects=True, timeout=60)
        self.opened.append(browser)
        return browser

    def signed_in(self, name: str = "lea") -> httpx.Client:
        browser = self.browser()
        self.sign_in_at_hub(browser, name)
        assert browser.get(self.page(HOME)).json()["name"] == name
        return browser

    def sign_in_at_hub(self, browser: httpx.Client, name: str) -> httpx.Response:
        form = browser.get(f"{self.hub}login").text
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', form)
        assert xsrf
        data = {"username": name, "password": "right", "_xsrf": xsrf[1]}
        return browser.post(f"{self.hub}login", data=data, follow_redirects=False)

    def page(self, path: str) -> str:
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.campus)) + path

    def origin(self) -> dict[str, str]:
        return {"Origin": self.site.origin}

    def token(self, name: str, *scopes: str, seconds: int | None = None) -> str:
        body = {"scopes": list(scopes), "expires_in": seconds}
        answer = self.rest("POST", f"users/{name}/tokens", json=body)
        return str(answer.json()["token"])

    def revoke_all(self, name: str) -> None:
        # Revoking one token of a sign-in revokes its siblings, so look again each time.
        while known := self.rest("GET", f"users/{name}/tokens").json()["api_tokens"]:
            self.rest("DELETE", f"users/{name}/tokens/{known[0]['id']}")

    def rest(self, method: str, path: str, **options: Any) -> httpx.Response:
        url = f"http://127.0.0.1:{self.site.settings.network.hub_port}/hub/api/{path}"
        answer = httpx.request(
            method,
            url,
            headers={"Authorization": f"token {BOSS_TOKEN}"},
            trust_env=False,
            timeout=60,
            **options,
        )
        return answer.raise_for_status()


def probe_routes(changed: list[str]) -> APIRouter:
    router = APIRouter(prefix="/services/campus")

    @router.get("/probe")
    def probe(caller: Annotated[callers.Browser, Depends(callers.browser)]) -> dict[str, str]:
        return {"name": caller.name, "csrf": caller.csrf}

    @router.post("/change")
    def change(
        caller: Annotated[callers.Browser, Depends(callers.browser_unsafe)],
    ) -> dict[str, str]:
        changed.append(caller.name)
        return {"changed": caller.name}

    @router.get("/api/lab")
    def lab(caller: Annotated[callers.Lab, Depends(callers.lab)]) -> dict[str, str]:
        return {"name": caller.name}

    @router.get("/api/teach")
    def teach(caller: Annotated[callers.Instructor, Depends(callers.instructor)]) -> dict[str, Any]:
        return {"name": caller.name, "verbs": sorted(caller.verbs)}

    @router.get("/api/grader", dependencies=[Depends(callers.grader)])
    def grade() -> dict[str, str]:
        return {"name": "grader"}

    return router


def seat(site: Site, name: str, role: str) -> None:
    with site.store.transaction() as database:
        cohort = database.scalar(select(Cohort)) or Cohort(slug="spring", title="Spring")
        person = Person(name=name, pseudonym=f"p-{name}", display_name=name.title())
        database.add_all([cohort, person])
        database.flush()
        database.add(Membership(person_id=person.id, cohort_id=cohort.id, role=role, source="test"))


def site_in(settings: Settings) -> Site:
    places = places_of(settings)
    for folder in (places.campus, places.database):
        folder.mkdir(parents=True, mode=0o700)
    for name, token in (("hub_token", CAMPUS_TOKEN), ("grader_token", GRADER_TOKEN)):
        (places.campus / name).write_text(token)
        (places.campus / name).chmod(0o600)
    ensure_schema(database_url(settings))
    return make_site(settings)


def start_hub(folder: Path, settings: Settings) -> subprocess.Popen[bytes]:
    values = {
        "public": settings.public_url,
        "hub_port": settings.network.hub_port,
        "campus_port": settings.network.campus_port,
        "campus_token": CAMPUS_TOKEN,
        "other_token": OTHER_TOKEN,
        "boss_token": BOSS_TOKEN,
        "everybody": list(EVERYBODY),
    }
    (folder / "config.py").write_text(HUB_CONFIG % values)
    command = [sys.executable, "-m", "jupyterhub", "-f", "config.py"]
    with (folder / "hub.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ})


@contextmanager
def place_in(folder: Path) -> Iterator[Place]:
    """Start hub and campus below this folder; end both afterwards."""
    public, hub_port, campus_port = free_ports(3)
    settings = Settings.model_validate(
        {
            "network": {"port": public, "hub_port": hub_port, "campus_port": campus_port},
            "paths": {"data_dir": str(folder / "data")},
            "sign_in": {"permissions_age_s": 1},
        }
    )
    site = site_in(settings)
    for name, role in (("lea", "learner"), ("max", "learner"), ("ina", "instructor")):
        seat(site, name, role)
    app = create_app(site)
    changed: list[str] = []
    app.include_router(probe_routes(changed))
    server = uvicorn.Server(
        uvicorn.Config(app, port=campus_port, log_level="warning", proxy_headers=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    hub = start_hub(folder, settings)
    hub_host, campus_host = (
        urlsplit(hub_public_url(settings)).hostname,
        urlsplit(campus_public_url(settings)).hostname,
    )
    ports = {str(hub_host): hub_port, str(campus_host): campus_port}
    found = Place(site, hub_public_url(settings), campus_public_url(settings), ports, changed)
    try:
        wait_for(
            f"http://127.0.0.1:{hub_port}/hub/api/", lambda: hub.poll() is None, folder / "hub.log"
        )
        found.rest("POST", "users", json={"usernames": ["lea", "max", "ina"]})
        yield found
    finally:
        for browser in found.opened:
            browser.close()
        hub.terminate()
        hub.wait(60)
        server.should_exit = True
        thread.join(60)
        site.store.close()
        site.hub.close()


def callback_of(place: Place, browser: httpx.Client) -> str:
    """Walk a sign-in up to the address that the hub sends the browser to."""
    if not browser.cookies:
        place.sign_in_at_hub(browser, "lea")
    step = browser.get(place.page("/services/campus/sign-in?next=" + HOME), follow_redirects=False)
    step = browser.get(step.headers["location"], follow_redirects=False)
    assert "/oauth_callback?code=" in step.headers["location"]
    return str(step.headers["location"])


def with_cookie(place: Place, value: str, **headers: str) -> httpx.Response:
    sent = {"Cookie": f"{COOKIE}={value}", **headers}
    return place.browser().get(place.page(HOME), headers=sent, follow_redirects=False)


def planted(place: Place, name: str, token: str) -> str:
    return start_session(place.site, name, Grant(token, 3600))[0]


def change(browser: httpx.Client, place: Place, csrf: str | None, **headers: str) -> int:
    data = {} if csrf is None else {"_csrf": csrf}
    sent = {**place.origin(), **headers}
    return browser.post(
        place.page(CHANGE), data=data, headers=sent, follow_redirects=False
    ).status_code


def end_seat(site: Site, name: str) -> None:
    with site.store.transaction() as database:
        person = database.scalars(select(Person).where(Person.name == name)).one()
        for row in database.scalars(select(Membership).where(Membership.person_id == person.id)):
            row.valid_to = now() - timedelta(seconds=1)


def api(place: Place, verb: str, token: str | None) -> httpx.Response:
    url = f"http://127.0.0.1:{place.site.settings.network.campus_port}/services/campus/api/{verb}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(url, headers=headers, trust_env=False, timeout=60)


def named_token(site: Site, token: str, **values: Any) -> None:
    with site.store.transaction() as database:
        owner = database.scalars(select(Person).where(Person.name == "ina")).one()
        row = {
            "label": "laptop",
            "verbs": ["list"],
            "expires_at": now() + timedelta(days=1),
            **values,
        }
        sha256 = hashlib.sha256(token.encode()).hexdigest()
        database.add(ApiToken(sha256=sha256, person_id=owner.id, run_id=a_run(database), **row))


def a_run(database: Any) -> int:
    found = database.scalar(select(Run))
    if found is None:
        version = CourseVersion(
            course="c", version="1.0.0", sha256="0" * 64, manifest={}, mapping={}, notes={}
        )
        database.add(version)
        database.flush()
        cohort = database.scalars(select(Cohort)).one()
        found = Run(
            slug="c-spring", course_version_id=version.id, cohort_id=cohort.id,
            opens_at=now(), closes_at=now() + timedelta(days=9), time_zone="Europe/Berlin",
        )  # fmt: skip
        database.add(found)
        database.flush()
    return int(found.id)
