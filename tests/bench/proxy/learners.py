"""The load: learners whose kernels talk over websockets and whose Lab loads its files.

Law: what is sent does not depend on the proxy. One steady load, at which the delay
is measured, and two floods, at which the CPU seconds for a message and for a byte are.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import ClientSession, ClientWebSocketResponse
from bioskills_loopback import client

SIZES_KB = (1,) * 16 + (10,) * 3 + (100,)
"""A kernel's messages: mostly states and short texts, now and then a picture."""
FILES_MB = (1, 2, 4)
MESSAGES_PER_S = 5
DOWNLOADS_AT_ONCE = 8
TALKERS = 20
"""Learners who talk without a pause in the flood."""

MESSAGES = {
    size: json.dumps({"header": {"msg_type": "stream"}, "content": {"text": "x" * (size * 1000)}})
    for size in set(SIZES_KB)
}


@dataclass
class Findings:
    """What one load found.

    Attributes:
        message_ms: Way there and back of each message.
        file_ms: Time of each whole file, for one megabyte.
        bytes: Carried in both directions together.
        failures: What did not come back.
    """

    message_ms: list[float] = field(default_factory=list)
    file_ms: list[float] = field(default_factory=list)
    bytes: int = 0
    failures: int = 0


async def sockets(
    session: ClientSession, addresses: dict[str, str]
) -> dict[str, ClientWebSocketResponse]:
    """Open a websocket to every learner's kernel."""
    return {
        name: await session.ws_connect(f"{address}channels", max_msg_size=0)
        for name, address in addresses.items()
    }


async def say(socket: ClientWebSocketResponse, found: Findings) -> None:
    """Send one message and wait for it to come back."""
    text = MESSAGES[random.choice(SIZES_KB)]
    begun = time.perf_counter()
    await socket.send_str(text)
    back = await socket.receive_str(timeout=60)
    found.message_ms.append((time.perf_counter() - begun) * 1000)
    found.bytes += 2 * len(text)
    found.failures += back != text


async def load_file(session: ClientSession, address: str, size: int, found: Findings) -> None:
    """Load one file, as Lab does when it opens."""
    begun = time.perf_counter()
    async with session.get(f"{address}static/{size}") as answer:
        async for part in answer.content.iter_any():
            found.bytes += len(part)
    found.file_ms.append((time.perf_counter() - begun) * 1000 / size)


async def steady(addresses: dict[str, str], seconds: float) -> Findings:
    """Every learner works: some messages a second, and one file each."""
    found, end = Findings(), time.monotonic() + seconds

    async def work(name: str, socket: ClientWebSocketResponse) -> None:
        await asyncio.sleep(random.random() / MESSAGES_PER_S)
        while time.monotonic() < end:
            begun = time.monotonic()
            await say(socket, found)
            pause = random.uniform(0.5, 1.5) / MESSAGES_PER_S - (time.monotonic() - begun)
            await asyncio.sleep(max(0, pause))

    async def open_lab(address: str) -> None:
        await asyncio.sleep(random.uniform(0, seconds * 0.8))
        await load_file(session, address, random.choice(FILES_MB), found)

    async with client() as session:
        opened = await sockets(session, addresses)
        await asyncio.gather(
            *(work(*pair) for pair in opened.items()), *map(open_lab, addresses.values())
        )
        await asyncio.gather(*(socket.close() for socket in opened.values()))
    return found


async def _without_pause(
    seconds: float, one: Callable[[Findings], Awaitable[None]], tasks: int
) -> Findings:
    found, end = Findings(), time.monotonic() + seconds

    async def again() -> None:
        while time.monotonic() < end:
            await one(found)

    await asyncio.gather(*(again() for _task in range(tasks)))
    return found


async def flood_of_messages(addresses: dict[str, str], seconds: float) -> Findings:
    """Twenty learners' kernels print without a pause."""
    async with client() as session:
        talkers = dict(list(addresses.items())[:TALKERS])
        free = list((await sockets(session, talkers)).values())

        async def one(found: Findings) -> None:
            socket = free.pop()
            await say(socket, found)
            free.append(socket)

        found = await _without_pause(seconds, one, len(talkers))
        await asyncio.gather(*(socket.close() for socket in free))
    return found


async def flood_of_files(addresses: dict[str, str], seconds: float) -> Findings:
    """Labs open without a pause."""
    async with client() as session:
        places = list(addresses.values())

        async def one(found: Findings) -> None:
            await load_file(session, random.choice(places), FILES_MB[-1], found)

        return await _without_pause(seconds, one, DOWNLOADS_AT_ONCE)
