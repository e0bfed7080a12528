"""What learners see when the proxy is killed, and when it is over for each of them.

Law: a route counts as back only when the learner's own server answers through it, and
a kernel only when a message over a new websocket came back.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout
from bioskills_loopback import client
from candidates import Kept, Site
from learners import Findings, say, sockets

LOOK_S = 0.25
"""Pause between two looks of one learner; the figures are as coarse as this."""


@dataclass
class Outage:
    """How long it took.

    Attributes:
        routes_s: By learner, until the own server answered.
        kernels_s: By learner, until a message over a new websocket came back.
        noticed_s: By learner, until the old websocket was known to be closed.
        seen: How often which answer was given meanwhile.
    """

    routes_s: dict[str, float] = field(default_factory=dict)
    kernels_s: dict[str, float] = field(default_factory=dict)
    noticed_s: dict[str, float] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)


async def outage(site: Site, proxy: Kept, patience_s: float) -> Outage:
    """Kill the proxy while every learner has a websocket open, and wait for all."""
    found, addresses = Outage(), {name: site.address(name) for name in site.labs}
    async with client(timeout=ClientTimeout(total=10)) as session:
        opened = await sockets(session, addresses)
        os.kill(proxy.process.pid, signal.SIGKILL)
        began = time.monotonic()

        async def page(name: str) -> None:
            while not await _is_back(session, site, name, found):
                if time.monotonic() - began > patience_s:
                    return
                await asyncio.sleep(LOOK_S)
            found.routes_s[name] = time.monotonic() - began

        async def kernel(name: str) -> None:
            await opened[name].receive()
            found.noticed_s[name] = time.monotonic() - began
            while not await _talks(session, addresses[name]):
                if time.monotonic() - began > patience_s:
                    return
                await asyncio.sleep(LOOK_S)
            found.kernels_s[name] = time.monotonic() - began

        await asyncio.gather(*map(page, site.labs), *map(kernel, site.labs))
    return found


async def _is_back(session: ClientSession, site: Site, name: str, found: Outage) -> bool:
    try:
        async with session.get(f"{site.address(name)}api", allow_redirects=False) as answer:
            if answer.status == 200 and (await answer.json())["port"] == site.labs[name]:
                return True
            found.seen[str(answer.status)] += 1
    except (ClientError, TimeoutError) as error:
        found.seen[type(error).__name__] += 1
    return False


async def _talks(session: ClientSession, address: str) -> bool:
    try:
        async with session.ws_connect(f"{address}channels", max_msg_size=0) as socket:
            await say(socket, Findings())
    except (ClientError, TimeoutError, TypeError):
        return False
    return True
