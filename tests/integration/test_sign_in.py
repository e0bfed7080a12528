"""Sign-in at the campus against a real hub: who gets in, and everybody who does not.

The hub runs as a process; the campus answers in a thread with two small pages
of the test beside its own. There is no proxy: the client finds both by host
name, as the proxy would.
"""

import hashlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, Depends
from sqlalchemy import select

from bioskills.base.places import database_url, places_of
from bioskills.base.settings import Settings
from bioskills.base.store import ensure_schema
from bioskills.base.tables import ApiToken, Cohort, CourseVersion, Membership, Person, Run, WebSession, now
from bioskills.hub.addresses import campus_public_url, hub_public_url
from bioskills.hub.campus import callers
from bioskills.hub.campus.__main__ import make_site
from bioskills.hub.campus.app import create_app
from bioskills.hub.campus.hub_api import Grant, HubApi
from bioskills.hub.campus.sessions import start_session
from bioskills.hub.campus.site import Site
from bioskills.hub.roles import EVERYBODY

pytestmark = pytest.mark.integration

CAMPUS_TOKEN = "campus-token-0123456789abcdef0123"
BOSS_TOKEN = "boss-token-0123456789abcdef012345"
OTHER_TOKEN = "other-token-0123456789abcdef0123"
GRADER_TOKEN = "grader-token-0123456789abcdef012"
NAMED_TOKEN = "bsh_0123456789abcdef0123456789"
COOKIE = "bioskills-session"
HOME, PROBE, CHANGE = "/services/campus/probe", "/services/campus/probe?page=2", "/services/campus/change"

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(url, trust_env=False).status_code < 500:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{url} did not answer in {seconds} s")


class ByHost(httpx.BaseTransport):
    """Bring each host's requests to its port, as the proxy does; the Host header stays."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.ports = ports
        self.wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        port = self.ports[request.url.host]
        url = request.url.copy_with(host="127.0.0.1", port=port)
        sent = httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
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
    opened: list[httpx.Client] = field(default_factory=list)

    def browser(self) -> httpx.Client:
        browser = httpx.Client(transport=ByHost(self.ports), follow_redirects=True, timeout=20)
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
        answer = httpx.request(method, url, headers={"Authorization": f"token {BOSS_TOKEN}"}, trust_env=False, **options)
        return answer.raise_for_status()


def probe_routes() -> APIRouter:
    router = APIRouter(prefix="/services/campus")

    @router.get("/probe")
    def probe(caller: Annotated[callers.Browser, Depends(callers.browser)]) -> dict[str, str]:
        return {"name": caller.name, "csrf": caller.csrf}

    @router.post("/change")
    def change(caller: Annotated[callers.Browser, Depends(callers.browser_unsafe)]) -> dict[str, str]:
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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hub")
    public, hub_port, campus_port = (free_port() for _i in range(3))
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
    app.include_router(probe_routes())
    server = uvicorn.Server(uvicorn.Config(app, port=campus_port, log_level="warning", proxy_headers=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    hub = start_hub(folder, settings)
    hub_host, campus_host = urlsplit(hub_public_url(settings)).hostname, urlsplit(campus_public_url(settings)).hostname
    ports = {str(hub_host): hub_port, str(campus_host): campus_port}
    found = Place(site, hub_public_url(settings), campus_public_url(settings), ports)
    try:
        wait_for(f"http://127.0.0.1:{hub_port}/hub/api/")
        found.rest("POST", "users", json={"usernames": ["lea", "max", "ina"]})
        yield found
    finally:
        for browser in found.opened:
            browser.close()
        hub.terminate()
        hub.wait(20)
        server.should_exit = True
        thread.join(20)
        site.store.close()
        site.hub.close()


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
    (made,) = [h for r in history for h in r.headers.get_list("set-cookie") if h.startswith(f"{COOKIE}=")]

    assert "HttpOnly" in made
    assert "Path=/services/campus/" in made
    assert "SameSite=lax" in made
    assert "Domain" not in made


def callback_of(place: Place, browser: httpx.Client) -> str:
    """Walk a sign-in up to the address that the hub sends the browser to."""
    place.sign_in_at_hub(browser, "lea")
    step = browser.get(place.page("/services/campus/sign-in?next=" + HOME), follow_redirects=False)
    step = browser.get(step.headers["location"], follow_redirects=False)
    assert "/oauth_callback?code=" in step.headers["location"]
    return str(step.headers["location"])


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


@pytest.mark.parametrize("wanted", ["//evil.example/", "https://evil.example/", "/hub/logout", "/services/campus/..%2f..%2fhub"])
def test_a_sign_in_leads_below_our_prefix_or_to_our_first_page(place: Place, wanted: str) -> None:
    browser = place.browser()
    place.sign_in_at_hub(browser, "lea")
    step = browser.get(place.page("/services/campus/sign-in"), params={"next": wanted}, follow_redirects=False)
    step = browser.get(step.headers["location"], follow_redirects=False)

    answer = browser.get(step.headers["location"], follow_redirects=False)

    assert answer.headers["location"] == "/services/campus/"


def test_each_sign_in_makes_a_new_session_and_ends_the_one_before(place: Place) -> None:
    browser = place.signed_in()
    old = browser.cookies[COOKIE]

    browser.get(place.page("/services/campus/sign-in"), params={"next": HOME})

    assert browser.cookies[COOKIE] != old
    assert with_cookie(place, old).status_code == 303


def with_cookie(place: Place, value: str, **headers: str) -> httpx.Response:
    sent = {"Cookie": f"{COOKIE}={value}", **headers}
    return place.browser().get(place.page(HOME), headers=sent, follow_redirects=False)


def test_a_lab_token_or_a_services_token_is_no_cookie(place: Place) -> None:
    tokens = [place.token("lea", "custom:bioskills:lab"), OTHER_TOKEN, CAMPUS_TOKEN, GRADER_TOKEN]

    assert [with_cookie(place, token).status_code for token in tokens] == [303, 303, 303, 303]


def test_a_page_refuses_every_token_even_beside_a_good_cookie(place: Place) -> None:
    good = place.signed_in().cookies[COOKIE]
    whole = place.token("lea", "inherit")

    answers = [with_cookie(place, good, Authorization=f"{kind} {whole}") for kind in ("token", "Bearer")]

    assert [answer.status_code for answer in answers] == [403, 403]


def test_two_cookies_of_our_name_count_as_none(place: Place) -> None:
    good = place.signed_in().cookies[COOKIE]

    assert with_cookie(place, f"{good}; {COOKIE}=planted").status_code == 303


def planted(place: Place, name: str, token: str) -> str:
    return start_session(place.site, name, Grant(token, 3600))[0]


def test_a_session_lasts_only_while_its_token_may_open_the_campus(place: Place) -> None:
    narrow = place.token("lea", "access:services!service=campus")
    foreign = place.token("lea", "custom:bioskills:lab")

    answers = [with_cookie(place, planted(place, "lea", token)).status_code for token in (narrow, foreign)]

    assert answers == [200, 403]


def test_a_session_with_anothers_token_or_a_services_token_is_ended(place: Place) -> None:
    other_person = place.token("max", "access:services!service=campus")

    answers = [with_cookie(place, planted(place, "lea", token)).status_code for token in (other_person, OTHER_TOKEN)]

    assert answers == [303, 303]


def eventually(answer: Callable[[], int], wanted: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer() == wanted:
            return True
        time.sleep(0.1)
    return False


def test_a_revoked_token_is_out_when_permissions_are_old(place: Place) -> None:
    token = place.token("lea", "access:services!service=campus")
    value = planted(place, "lea", token)
    assert with_cookie(place, value).status_code == 200

    place.revoke_all("lea")

    # The test's settings let a permission be one second old; ten is the most they allow.
    assert eventually(lambda: with_cookie(place, value).status_code, 303, seconds=3)


def test_an_expired_token_is_out(place: Place) -> None:
    value = planted(place, "lea", place.token("lea", "access:services!service=campus", seconds=1))

    assert eventually(lambda: with_cookie(place, value).status_code, 303, seconds=5)


def test_signing_out_at_the_hub_ends_the_campus_session(place: Place) -> None:
    browser = place.signed_in()
    value = browser.cookies[COOKIE]

    browser.get(f"{place.hub}logout")

    assert eventually(lambda: with_cookie(place, value).status_code, 303, seconds=3)


def test_signing_out_here_ends_both_and_the_hub_forgets_the_token(place: Place) -> None:
    browser = place.signed_in("max")
    csrf, value = browser.get(place.page(HOME)).json()["csrf"], browser.cookies[COOKIE]
    before = place.rest("GET", "users/max/tokens").json()["api_tokens"]

    answer = browser.post(place.page("/services/campus/sign-out"), data={"_csrf": csrf}, headers=place.origin())

    assert str(answer.url).startswith(f"{place.hub}login")
    assert with_cookie(place, value).status_code == 303
    after = place.rest("GET", "users/max/tokens").json()["api_tokens"]
    assert len(after) == len(before) - 1
    assert str(browser.get(place.page(HOME)).url).startswith(f"{place.hub}login")


def test_a_link_cannot_sign_anybody_out(place: Place) -> None:
    browser = place.signed_in()

    assert browser.get(place.page("/services/campus/sign-out")).status_code == 405
    assert browser.get(place.page(HOME)).status_code == 200


def change(browser: httpx.Client, place: Place, csrf: str | None, **headers: str) -> int:
    data = {} if csrf is None else {"_csrf": csrf}
    sent = {**place.origin(), **headers}
    return browser.post(place.page(CHANGE), data=data, headers=sent, follow_redirects=False).status_code


def test_a_change_needs_the_token_of_this_very_session(place: Place) -> None:
    browser, again = place.signed_in(), place.signed_in()
    mine, others = (b.get(place.page(HOME)).json()["csrf"] for b in (browser, again))

    assert [change(browser, place, csrf) for csrf in (mine, None, "", "wrong", others)] == [200, 403, 403, 403, 403]


def test_a_change_needs_our_own_origin(place: Place) -> None:
    browser = place.signed_in()
    csrf = browser.get(place.page(HOME)).json()["csrf"]
    lab = place.site.origin.replace("campus--service", "max")

    origins = [place.site.origin, lab, "null", "https://evil.example", place.hub.removesuffix("/hub/")]

    assert [change(browser, place, csrf, Origin=origin) for origin in origins] == [200, 403, 403, 403, 403]


def test_a_form_without_a_session_changes_nothing_and_says_so(place: Place) -> None:
    answer = place.browser().post(place.page(CHANGE), data={"_csrf": "x"}, headers=place.origin())

    assert answer.status_code == 401
    assert "nothing was changed" in answer.text


def test_a_page_of_a_lab_cannot_load_one_of_ours(place: Place) -> None:
    value = place.signed_in().cookies[COOKIE]
    fetch = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}
    link = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}

    assert [with_cookie(place, value, **how).status_code for how in (fetch, link)] == [403, 200]


def test_headers_of_a_proxy_change_nothing(place: Place) -> None:
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}

    step = place.browser().get(place.page("/services/campus/sign-in"), headers=forged, follow_redirects=False)

    assert "evil.example" not in step.headers["location"] + step.headers["set-cookie"]
    assert place.browser().get(place.page(HOME), headers={"Host": "evil.example"}).status_code == 421


def test_who_lost_the_last_seat_is_told_so(place: Place) -> None:
    seat(place.site, "tim", "learner")
    browser = place.signed_in("tim")
    end_seat(place.site, "tim")

    answer = browser.get(place.page(HOME))

    assert answer.status_code == 403
    assert "no seat" in answer.text


def test_who_is_in_no_list_is_told_so(place: Place) -> None:
    browser = place.browser()
    place.sign_in_at_hub(browser, "stranger")

    answer = browser.get(place.page(HOME))

    assert answer.status_code == 403
    assert "in no list of people" in answer.text


def end_seat(site: Site, name: str) -> None:
    with site.store.transaction() as database:
        person = database.scalars(select(Person).where(Person.name == name)).one()
        for row in database.scalars(select(Membership).where(Membership.person_id == person.id)):
            row.valid_to = now() - timedelta(seconds=1)


def api(place: Place, verb: str, token: str | None) -> httpx.Response:
    url = f"http://127.0.0.1:{place.site.settings.network.campus_port}/services/campus/api/{verb}"
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"} if token else {}, trust_env=False)


def test_a_lab_calls_with_its_own_token_and_nobody_elses(place: Place) -> None:
    browser_token = place.token("lea", "access:services!service=campus")
    tokens = [place.token("lea", "custom:bioskills:lab"), None, "invented", OTHER_TOKEN, browser_token, GRADER_TOKEN]

    assert [api(place, "lab", token).status_code for token in tokens] == [200, 401, 401, 403, 403, 401]


def test_a_program_is_refused_in_json_with_the_next_step(place: Place) -> None:
    told = api(place, "lab", "invented").json()

    assert set(told) == {"error", "message", "next"}


def test_a_cookie_is_no_token(place: Place) -> None:
    value = place.signed_in().cookies[COOKIE]

    answer = place.browser().get(place.page("/services/campus/api/lab"), headers={"Cookie": f"{COOKIE}={value}"})

    assert answer.status_code == 401


def test_a_lab_token_is_out_soon_after_it_was_revoked(place: Place) -> None:
    token = place.token("max", "custom:bioskills:lab")
    assert api(place, "lab", token).status_code == 200

    place.revoke_all("max")

    assert eventually(lambda: api(place, "lab", token).status_code, 401, seconds=3)


def named_token(site: Site, token: str, **values: Any) -> None:
    with site.store.transaction() as database:
        owner = database.scalars(select(Person).where(Person.name == "ina")).one()
        row = {"label": "laptop", "verbs": ["list"], "expires_at": now() + timedelta(days=1), **values}
        sha256 = hashlib.sha256(token.encode()).hexdigest()
        database.add(ApiToken(sha256=sha256, person_id=owner.id, run_id=a_run(database), **row))


def a_run(database: Any) -> int:
    found = database.scalar(select(Run))
    if found is None:
        version = CourseVersion(course="c", version="1.0.0", sha256="0" * 64, manifest={}, mapping={}, notes={})
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


def test_an_instructors_token_is_named_narrow_and_ends(place: Place) -> None:
    named_token(place.site, NAMED_TOKEN)
    named_token(place.site, NAMED_TOKEN + "old", expires_at=now() - timedelta(seconds=1))
    named_token(place.site, NAMED_TOKEN + "gone", revoked_at=now())

    answer = api(place, "teach", NAMED_TOKEN)

    assert answer.json() == {"name": "ina", "verbs": ["list"]}
    others = [NAMED_TOKEN + "old", NAMED_TOKEN + "gone", NAMED_TOKEN + "x", place.token("ina", "custom:bioskills:lab")]
    assert [api(place, "teach", token).status_code for token in others] == [401, 401, 401, 401]
    assert with_cookie(place, NAMED_TOKEN).status_code == 303


def test_the_grader_alone_has_the_graders_token(place: Place) -> None:
    tokens = [GRADER_TOKEN, None, OTHER_TOKEN, place.token("ina", "custom:bioskills:lab")]

    assert [api(place, "grader", token).status_code for token in tokens] == [200, 401, 401, 401]


def test_an_instructors_token_ends_with_the_seat(place: Place) -> None:
    named_token(place.site, NAMED_TOKEN + "seat")
    end_seat(place.site, "ina")

    assert api(place, "teach", NAMED_TOKEN + "seat").status_code == 403


async def test_a_hub_that_is_away_is_said_so_and_nothing_breaks(place: Place) -> None:
    away = replace(place.site, hub=HubApi(f"http://127.0.0.1:{free_port()}/hub/api", "x" * 32, 1))
    app = create_app(away)
    app.include_router(probe_routes())
    cookie = f"{COOKIE}={planted(place, 'lea', 'x')}"

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=place.site.origin) as client:
        page = await client.get(HOME, headers={"Cookie": cookie})
        program = await client.get("/services/campus/api/lab", headers={"Authorization": "Bearer x"})
    away.hub.close()

    assert [page.status_code, program.status_code] == [503, 503]
    assert page.headers["retry-after"] == program.headers["retry-after"] == "5"
    assert "The hub did not answer" in page.text
    assert program.json()["error"] == "hub_away"


def test_the_service_starts_from_its_settings_and_says_that_it_is_well(place: Place, tmp_path: Path) -> None:
    port = free_port()
    data_dir = place.site.settings.paths.data_dir
    (tmp_path / "bioskills.toml").write_text(f'[paths]\ndata_dir = "{data_dir}"\n[network]\ncampus_port = {port}\n')
    env = {**os.environ, "BIOSKILLS_SETTINGS": str(tmp_path / "bioskills.toml")}
    service = subprocess.Popen([sys.executable, "-m", "bioskills.hub.campus"], env=env, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/services/campus/healthz"
        wait_for(url)
        assert httpx.get(url, trust_env=False).json() == {"status": "ok"}
    finally:
        service.terminate()
        service.wait(20)
