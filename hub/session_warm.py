"""Start the labs of a cohort before its session, in waves, and keep them.

Law: nobody's lab is stopped or started anew here; what runs already is left as
it is. A lab that cannot start is named with its reason, and the others start.
The culler goes by a lab's last activity: keeping one means noting activity.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from bioskills.base.text import _

START_S = 300.0
KEEP_EACH_S = 240.0
SERVER_STARTED = {httpx.codes.CREATED, httpx.codes.ACCEPTED}
RUNNING_ALREADY = httpx.codes.BAD_REQUEST
AGAIN_S = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True)
class Started:
    """How one learner's lab came up.

    Attributes:
        name: The hub's user name.
        reason: Why it did not; empty when it runs.
    """

    name: str
    reason: str = ""


def hub_client(api: str, token: str) -> httpx.AsyncClient:
    """Return a client of the hub on this machine; no proxy of the environment sees the token."""
    headers = {"Authorization": f"token {token}"}
    return httpx.AsyncClient(base_url=api, headers=headers, timeout=START_S, trust_env=False)


async def warm(hub: httpx.AsyncClient, names: Sequence[str], wave: int, say: Say) -> list[Started]:
    """Start these people's labs, so many at a time, and tell how far it is.

    Args:
        hub: Client of the hub's API.
        names: User names.
        wave: How many start at one time.
        say: Prints a line of progress.

    Raises:
        httpx.TransportError: No hub answers.
    """
    found: list[Started] = []
    for names_now in _waves(names, wave):
        found += await asyncio.gather(*(start_one(hub, name) for name in names_now))
        running = sum(not one.reason for one in found)
        say(_("{n} of {all} labs are running.").format(n=running, all=len(names)))
    return found


def _waves(names: Sequence[str], wave: int) -> Iterator[Sequence[str]]:
    return (names[first : first + wave] for first in range(0, len(names), wave))


async def start_one(hub: httpx.AsyncClient, name: str) -> Started:
    """Start one lab and wait until it answers, or say why it does not."""
    await hub.post(f"/users/{name}")  # the hub knows nobody who never signed in; 409 where it does
    answer = await hub.post(f"/users/{name}/server")
    if answer.status_code == httpx.codes.CREATED:
        return Started(name)
    if answer.status_code == RUNNING_ALREADY and await _runs(hub, name):
        return Started(name)
    if answer.status_code not in SERVER_STARTED | {RUNNING_ALREADY}:
        return Started(name, _message(answer))
    return await _followed(hub, name)


async def _followed(hub: httpx.AsyncClient, name: str) -> Started:
    """Follow the hub's own progress of a start, as the waiting page does."""
    last = _("it did not come up in time")
    async with hub.stream("GET", f"/users/{name}/server/progress") as answer:
        async for line in answer.aiter_lines():
            if not line.startswith("data:"):
                continue
            event = json.loads(line.removeprefix("data:"))
            if event.get("ready"):
                return Started(name)
            last = str(event.get("message") or last)
            if event.get("failed"):
                break
    return Started(name, last)


async def _runs(hub: httpx.AsyncClient, name: str) -> bool:
    limit = time.monotonic() + START_S
    while time.monotonic() < limit:
        found = (await hub.get(f"/users/{name}")).raise_for_status().json()
        server = found.get("servers", {}).get("", {})
        if server.get("ready"):
            return True
        if not server.get("pending"):
            return False
        await asyncio.sleep(AGAIN_S)
    return False


def _message(answer: httpx.Response) -> str:
    try:
        said = answer.json()["message"]
    except (ValueError, KeyError, TypeError):
        said = ""
    return str(said or f"HTTP {answer.status_code}")


async def keep(hub: httpx.AsyncClient, names: Iterable[str], until: datetime, say: Say) -> None:
    """Note activity for these labs until then, so that the culler leaves them alone."""
    kept = list(names)
    while (left := (until - datetime.now(UTC)).total_seconds()) > 0:
        for name in kept:
            await _note_activity(hub, name)
        say(_("Keeping {n}; {minutes} minutes left.").format(n=len(kept), minutes=round(left / 60)))
        await asyncio.sleep(min(KEEP_EACH_S, left))


async def _note_activity(hub: httpx.AsyncClient, name: str) -> None:
    at = datetime.now(UTC).isoformat()
    # Somebody may have stopped a lab meanwhile: the hub then ignores what is said of it.
    await hub.post(
        f"/users/{name}/activity",
        json={"servers": {"": {"last_activity": at}}, "last_activity": at},
    )
