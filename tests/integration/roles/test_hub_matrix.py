"""What each role may do at the hub's own API, pages and servers: exactly its scopes, no more.

Every request carries a token with everything that its person may do. The servers are real:
one learner of each cohort has a lab running.
"""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from bioskills_cast import COHORTS, Cast, Persona, seats_of_all
from bioskills_http import server_of
from bioskills_waiting import eventually

pytestmark = pytest.mark.integration

REFUSED = {401, 403, 404}
NAME_ONLY = {"kind", "name", "admin", "user_info"}
"""What the hub tells with a name; none of it says what somebody does."""
EVERYBODY = [*seats_of_all(), "nobody"]


@dataclass(frozen=True)
class Verb:
    """One request about a learner, and who may make it.

    Attributes:
        who: *self*, *teacher* (of the learner's cohort), *admin* (of the platform).
    """

    method: str
    path: str
    who: tuple[str, ...] = ()
    body: dict[str, Any] | None = None


VERBS = (
    Verb("GET", "users/{name}", ("self", "teacher", "admin")),
    Verb("GET", "users/{name}/server", ("self", "admin")),
    Verb("POST", "users/{name}/server", ("self", "admin")),
    Verb("DELETE", "users/{name}/server", ("self", "admin")),
    Verb("POST", "users/{name}/server", ("self", "admin")),
    Verb("GET", "users/{name}/server/progress", ("self", "admin")),
    Verb("GET", "users/{name}/tokens", ("self",)),
    Verb("POST", "users/{name}/tokens", ("self",), {"note": "matrix", "expires_in": 60}),
    Verb("GET", "users/{name}/shared", ("self",)),
    Verb("GET", "shares/{name}", ("self",)),
    Verb("POST", "shares/{name}/", (), {"user": "max", "scopes": ["access:servers"]}),
    Verb("GET", "share-codes/{name}", ("self",)),
    Verb("POST", "share-codes/{name}/", (), {}),
    Verb("PATCH", "users/{name}", (), {"admin": True}),
    Verb("PATCH", "users/{name}", (), {"name": "somebody-else"}),
    Verb("DELETE", "users/{name}"),
    Verb("POST", "users/{name}-more"),
    Verb("POST", "users", (), {"usernames": ["new-{name}"]}),
    Verb("GET", "groups"),
    Verb("GET", "groups/learners-{cohort}"),
    Verb("POST", "groups/instructors-{cohort}/users", (), {"users": ["{me}"]}),
    Verb("DELETE", "groups/learners-{cohort}/users", (), {"users": ["{name}"]}),
    Verb("PUT", "groups/learners-{cohort}/properties", (), {"mem_limit": "64G"}),
    Verb("POST", "groups/more-{cohort}"),
    Verb("DELETE", "groups/learners-{cohort}"),
    Verb("GET", "services", ("admin",)),
    Verb("GET", "services/campus", ("admin",)),
    Verb("GET", "info", ("admin",)),
    Verb("GET", "proxy"),
    Verb("POST", "proxy"),
    Verb("POST", "shutdown", (), {"proxy": False, "servers": False}),
)


def relations(who: Persona, cohort: str) -> set[str]:
    """Say what this person is to the learner of a cohort who has a lab."""
    found = set()
    if who.name == f"{cohort}-lea":
        found.add("self")
    if who.seat and (who.seat.role, who.seat.cohort) == ("instructor", cohort):
        found.add("teacher")
    if who.name == "ada":
        found.add("admin")
    return found


def filled(value: Any, names: dict[str, str]) -> Any:
    """Put names into a body."""
    if isinstance(value, str):
        return value.format(**names)
    if isinstance(value, list):
        return [filled(one, names) for one in value]
    return {k: filled(v, names) for k, v in value.items()} if isinstance(value, dict) else value


def settled(cast: Cast, name: str) -> bool:
    """Wait until nothing of a server is under way."""
    return eventually(lambda: not server_of(cast.product, name).get("pending"))


def ask(cast: Cast, who: Persona, verb: Verb, cohort: str) -> httpx.Response:
    """Make one request about a cohort's learner, once nothing of their server is under way."""
    names = {"name": f"{cohort}-lea", "cohort": cohort, "me": who.name}
    if verb.path.endswith("/server"):
        assert settled(cast, names["name"])
    if verb.path.endswith("/progress"):
        return _first_line(cast, who, verb.path.format(**names))
    return cast.hub(who, verb.method, verb.path.format(**names), json=filled(verb.body, names))


def _first_line(cast: Cast, who: Persona, path: str) -> httpx.Response:
    # A stream of events: its status is enough.
    port = cast.product.environ["BIOSKILLS_NETWORK_HUB_PORT"]
    headers = {"Authorization": f"token {who.token}"} if who.token else {}
    url = f"http://127.0.0.1:{port}/hub/api/{path}"
    with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=60) as answer:
        return httpx.Response(answer.status_code)


@pytest.mark.parametrize("name", EVERYBODY)
def test_a_person_may_do_at_the_hub_exactly_what_the_scopes_of_the_role_say(
    cast: Cast, name: str
) -> None:
    who, faults = cast.people[name], []
    for cohort in COHORTS:
        for verb in VERBS:
            may = bool(relations(who, cohort) & set(verb.who))
            answer = ask(cast, who, verb, cohort)
            if (answer.status_code not in REFUSED) != may:
                faults.append(
                    f"{name} {verb.method} {verb.path} of {cohort}: may {may}, {answer.status_code}"
                )

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", EVERYBODY)
def test_the_list_of_people_holds_exactly_those_whom_the_role_may_see(
    cast: Cast, name: str
) -> None:
    who = cast.people[name]
    answer = cast.hub(who, "GET", "users")
    seen = {user["name"] for user in answer.json()} if answer.is_success else set()
    if name == "ada":
        assert set(seats_of_all()) <= seen
    elif name.endswith("-ina") and who.seat:
        own = who.seat.cohort
        assert seen == {f"{own}-lea", f"{own}-mo"}
        assert all(set(user) <= NAME_ONLY for user in answer.json())
    else:
        assert seen <= {name}


@pytest.mark.parametrize("name", EVERYBODY)
def test_nobody_but_its_owner_opens_a_lab(cast: Cast, name: str) -> None:
    who = cast.people[name]
    for cohort in COHORTS:
        owner = f"{cohort}-lea"
        assert eventually(lambda owner=owner: server_of(cast.product, owner).get("ready"))
        url = f"http://{owner}.hub.localhost:{cast.product.port}/user/{owner}/api/contents"
        headers = {"Authorization": f"token {who.token}"} if who.token else {}
        answer = who.browser.get(url, headers=headers, follow_redirects=False)

        assert answer.is_success == (name == owner), (name, owner, answer.status_code)


@pytest.mark.parametrize("name", EVERYBODY)
def test_the_hubs_own_pages_about_others_are_for_admins_alone(cast: Cast, name: str) -> None:
    who, admin = cast.people[name], name == "ada"
    for path in ("admin", "metrics", "spawn/red-mo", "token"):
        answer = who.browser.get(f"{cast.product.url}/hub/{path}", follow_redirects=False)
        mine = {"admin": admin, "metrics": False, "spawn/red-mo": admin or name == "red-mo"}
        expected = mine.get(path, bool(who.seat))
        found = answer.status_code not in REFUSED and "/login" not in answer.headers.get(
            "location", ""
        )

        assert found == expected, (name, path, answer.status_code)
