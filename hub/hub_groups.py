"""Tell a running hub of changed membership at once.

Law: derived from the membership table alone. The authenticator refreshes only
who makes a request; the groups of the others would stay stale until they act
(JupyterHub 6.1), so `cohort apply` writes them here by REST as well.
"""

from collections.abc import Mapping

import httpx

from bioskills.hub.membership import Seat
from bioskills.hub.roles import groups_of

TIMEOUT_S = 10.0


def tell_hub(api: str, token: str, people: Mapping[str, list[Seat]], gone: list[str]) -> bool:
    """Write users and groups of these people to the hub.

    Args:
        api: The hub's API on loopback.
        token: The token of the `provision` service.
        people: Active seats by user name.
        gone: Names without any seat; they lose every group.

    Returns:
        False where no hub answers: it reads the table itself when it starts.
    """
    headers = {"Authorization": f"token {token}"}
    try:
        with httpx.Client(base_url=api, headers=headers, timeout=TIMEOUT_S) as hub:
            _write(hub, {**people, **{name: [] for name in gone}})
    except httpx.TransportError:
        return False
    return True


def _write(hub: httpx.Client, people: Mapping[str, list[Seat]]) -> None:
    present = {
        group["name"]: set(group["users"]) for group in hub.get("/groups").raise_for_status().json()
    }
    for name, held in people.items():
        _ensure_user(hub, name)
        wanted = set(groups_of(held))
        for group in wanted - present.keys():
            hub.post(f"/groups/{group}").raise_for_status()
            present[group] = set()
        for group, members in present.items():
            _settle(hub, group, name, name in members, group in wanted)


def _ensure_user(hub: httpx.Client, name: str) -> None:
    answer = hub.post(f"/users/{name}")
    if answer.status_code != httpx.codes.CONFLICT:
        answer.raise_for_status()


def _settle(hub: httpx.Client, group: str, name: str, there: bool, wanted: bool) -> None:
    if there != wanted:
        method = "POST" if wanted else "DELETE"
        hub.request(method, f"/groups/{group}/users", json={"users": [name]}).raise_for_status()
