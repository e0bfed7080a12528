"""A real hub and a real campus with the real course, for tests of the exchange.

The hub runs as a process, without a proxy: programs call the campus on its own port.
"""

import io
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from bioskills_ports import free_ports
from bioskills_waiting import eventually

from bioskills.base.places import database_url, places_of
from bioskills.base.settings import Settings
from bioskills.base.store import ensure_schema
from bioskills.base.tables import Assignment, Cohort, Membership, Person, Run, now
from bioskills.base.wire import LAB_SCOPE
from bioskills.hub.campus.__main__ import make_site
from bioskills.hub.campus.app import create_app
from bioskills.hub.campus.site import Site
from bioskills.hub.campus.tokens import Wish, make_token
from bioskills.hub.course_install import install, read_for_install
from bioskills.hub.roles import EVERYBODY

COURSE = Path(__file__).parents[2] / "courses" / "sequences-first-steps"
CAMPUS_TOKEN = "campus-token-0123456789abcdef0123"
BOSS_TOKEN = "boss-token-0123456789abcdef012345"
GRADER_TOKEN = "grader-token-0123456789abcdef012"
RUN = "sequences-spring-27"

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
c.DummyAuthenticator.password = "right"
c.Authenticator.allow_all = True
c.JupyterHub.custom_scopes = {"custom:bioskills:lab": {"description": "lab verbs"}}
c.JupyterHub.services = [
    {"name": "campus", "url": "http://127.0.0.1:%(campus_port)d", "api_token": "%(campus_token)s", "oauth_no_confirm": True},
    {"name": "boss", "api_token": "%(boss_token)s"},
]
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": %(everybody)r},
    {"name": "boss", "services": ["boss"], "scopes": ["admin:users", "tokens", "read:users"]},
]
"""


@dataclass
class ExchangePlace:
    """The running hub and campus, and the tokens of its people."""

    site: Site
    folder: Path
    labs: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.site.settings.network.campus_port}/services/campus/"

    def lab(self, name: str) -> str:
        """Return the token that this person's server would have."""
        if name not in self.labs:
            port = self.site.settings.network.hub_port
            answer = httpx.post(
                f"http://127.0.0.1:{port}/hub/api/users/{name}/tokens",
                json={"scopes": [LAB_SCOPE]},
                headers={"Authorization": f"token {BOSS_TOKEN}"},
                trust_env=False,
                timeout=60,
            )
            self.labs[name] = str(answer.raise_for_status().json()["token"])
        return self.labs[name]

    def named(self, *verbs: str, run: str = RUN, who: str = "ina") -> str:
        """Return a token as an instructor makes it on the campus page."""
        with self.site.store.transaction() as session:
            person = session.query(Person).filter_by(name=who).one()
            return make_token(session, person, Wish("test", run, verbs, "7"), now(), 30)

    def call(self, method: str, path: str, token: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return httpx.request(
            method, self.url + path, headers=headers, trust_env=False, timeout=60, **options
        )

    def assignment(self, name: str, rest: str) -> str:
        return f"exchange/v1/runs/{RUN}/assignments/{name}/{rest}"


def tar(files: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return body.getvalue()


@pytest.fixture(name="tar", scope="session")
def _tar() -> Any:
    return tar


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangePlace]:
    """A hub, a campus and one open run of the real course."""
    folder = tmp_path_factory.mktemp("exchange")
    public, hub_port, campus_port = free_ports(3)
    settings = Settings.model_validate(
        {
            "network": {"port": public, "hub_port": hub_port, "campus_port": campus_port},
            "paths": {"data_dir": str(folder / "data")},
            "exchange": {"max_tree_mb": 10},
        }
    )
    site = _site_in(settings)
    _seed(site)
    server, thread = _serve(site)
    hub = _start_hub(folder, settings)
    try:
        url = f"http://127.0.0.1:{hub_port}/hub/api/"
        assert eventually(lambda: httpx.get(url, trust_env=False).status_code < 500)
        _make_users(hub_port, ["lea", "max", "ina"])
        yield ExchangePlace(site, folder)
    finally:
        hub.terminate()
        hub.wait(60)
        server.should_exit = True
        thread.join(60)
        site.store.close()
        site.hub.close()


def _site_in(settings: Settings) -> Site:
    places = places_of(settings)
    for folder in (places.campus, places.database):
        folder.mkdir(parents=True, mode=0o700)
    for name, token in (("hub_token", CAMPUS_TOKEN), ("grader_token", GRADER_TOKEN)):
        (places.campus / name).write_text(token)
        (places.campus / name).chmod(0o600)
    ensure_schema(database_url(settings))
    return make_site(settings)


def _seed(site: Site) -> None:
    content, version = read_for_install(COURSE)
    install(site.store, site.objects, content, version, "test")
    moment = now()
    with site.store.transaction() as session:
        cohort = Cohort(slug="spring-27", title="Spring 2027")
        session.add(cohort)
        session.flush()
        for number, (name, role) in enumerate(
            [("lea", "learner"), ("max", "learner"), ("ina", "instructor")], start=1
        ):
            person = Person(name=name, pseudonym=f"p-{number:06}", display_name=name.title())
            session.add(person)
            session.flush()
            session.add(
                Membership(person_id=person.id, cohort_id=cohort.id, role=role, source="test")
            )
        run = Run(
            slug=RUN,
            course_version_id=version.id,
            cohort_id=cohort.id,
            opens_at=moment - timedelta(days=1),
            closes_at=moment + timedelta(days=60),
            time_zone="Europe/Berlin",
        )
        session.add(run)
        session.flush()
        for position, name in enumerate(("p1", "s1"), start=1):
            session.add(
                Assignment(
                    run_id=run.id,
                    name=name,
                    position=position,
                    due_at=moment + timedelta(days=7),
                    release_policy="automatic",
                )
            )


def _serve(site: Site) -> tuple[uvicorn.Server, threading.Thread]:
    port = site.settings.network.campus_port
    config = uvicorn.Config(create_app(site), port=port, log_level="warning", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    return server, thread


def _start_hub(folder: Path, settings: Settings) -> subprocess.Popen[bytes]:
    values = {
        "public": settings.public_url,
        "hub_port": settings.network.hub_port,
        "campus_port": settings.network.campus_port,
        "campus_token": CAMPUS_TOKEN,
        "boss_token": BOSS_TOKEN,
        "everybody": list(EVERYBODY),
    }
    (folder / "config.py").write_text(HUB_CONFIG % values)
    command = [sys.executable, "-m", "jupyterhub", "-f", "config.py"]
    with (folder / "hub.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ})


def _make_users(hub_port: int, names: list[str]) -> None:
    httpx.post(
        f"http://127.0.0.1:{hub_port}/hub/api/users",
        json={"usernames": names},
        headers={"Authorization": f"token {BOSS_TOKEN}"},
        trust_env=False,
        timeout=60,
    ).raise_for_status()
