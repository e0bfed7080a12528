"""Tell a running hub of changed membership at once.

Law: derived from the membership table alone. The authenticator refreshes only
who makes a request; the groups of the others would stay stale until they act
(JupyterHub 6.1), so `cohort apply` writes them here by REST as well. Who has
no seat left loses the running lab and every token: both would outlive it.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import httpx

from bioskills.hub.membership import Seat
from bioskills.hub.roles import groups_of

TIMEOUT_S = 30.0
PAGE_SIZE = 200


class Told(Enum):
    """Whether a hub knows."""

    YES = "yes"
    AWAY = "away"
    REFUSED = "refused"


def tell_hub(api: str, token: str, people: Mapping[str, list[Seat]], gone: list[str]) -> Told:
    """Write users and groups of these people to the hub; end what the gone have running.

    Args:
        api: The hub's API on loopback.
        token: The token of the `provision` service.
        people: Active seats by user name.
        gone: Names without any seat; they lose every group, lab and token.
    """
    headers = {"Authorization": f"token {token}"}
    # The hub is on this machine; a proxy of the environment must not see the token.
    options = {"base_url": api, "headers": headers, "timeout": TIMEOUT_S, "trust_env": False}
    try:
        with httpx.Client(**options) as hub:  # type: ignore[arg-type]  # one dict, several types
            _write(hub, {**people, **{name: [] for name in gone}})
            _show_out(hub, gone)
    except httpx.TransportError:
        return Told.AWAY
    except (httpx.HTTPStatusError, ValueError, KeyError, TypeError):
        return Told.REFUSED
    return Told.YES


def _write(hub: httpx.Client, people: Mapping[str, list[Seat]]) -> None:
    present = {group["name"]: set(group["users"]) for group in _every(hub, "/groups")}
    known = {user["name"] for user in _every(hub, "/users")}
    for name, held in people.items():
        wanted = set(groups_of(held))
        if wanted and name not in known:
            hub.post(f"/users/{name}").raise_for_status()
        for group in wanted - present.keys():
            hub.post(f"/groups/{group}").raise_for_status()
            present[group] = set()
        for group, members in present.items():
            _settle(hub, group, name, name in members, group in wanted)


def _settle(hub: httpx.Client, group: str, name: str, there: bool, wanted: bool) -> None:
    if there != wanted:
        method = "POST" if wanted else "DELETE"
        hub.request(method, f"/groups/{group}/users", json={"users": [name]}).raise_for_status()


def _show_out(hub: httpx.Client, gone: list[str]) -> None:
    known = {user["name"]: user for user in _every(hub, "/users")}
    for name in gone:
        if name in known:
            if known[name].get("server") or known[name].get("pending"):
                _delete(hub, f"/users/{name}/server")
            for token in _get(hub, f"/users/{name}/tokens")["api_tokens"]:
                _delete(hub, f"/users/{name}/tokens/{token['id']}")


def _delete(hub: httpx.Client, path: str) -> None:
    # Gone already is as good: a sign-in's tokens go together, and a lab may be ending (400).
    answer = hub.delete(path)
    if answer.status_code not in {httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND}:
        answer.raise_for_status()


def _every(hub: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    page = 0
    while found := _get(hub, f"{path}?offset={page * PAGE_SIZE}&limit={PAGE_SIZE}"):
        yield from found
        page += 1


def _get(hub: httpx.Client, path: str) -> Any:
    return hub.get(path).raise_for_status().json()
