"""Ask what this lab uses and may use, so that the panel can say why something ended.

Law: a question to the one socket that the hub names, answered in numbers or not at all;
where nobody answers the panel shows nothing of it.
"""

import asyncio
import json
import os
from typing import Any

SOCKET = "BIOSKILLS_WARDEN_SOCKET"
ANSWER_S = 3.0
LONGEST = 16 * 1024
UNKNOWN: dict[str, Any] = {"known": False}


async def limits() -> dict[str, Any]:
    """Give the numbers with `known`, or only that nothing is known."""
    path = os.environ.get(SOCKET, "")
    if not path:
        return UNKNOWN
    try:
        async with asyncio.timeout(ANSWER_S):
            found = await _ask(path)
    except (OSError, ValueError):  # a timeout is an OSError, bad JSON a ValueError
        return UNKNOWN
    return {"known": True, **found} if isinstance(found.get("memory"), dict) else UNKNOWN


async def _ask(path: str) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST)
    try:
        writer.write(b'{"op":"usage"}\n')
        await writer.drain()
        found = json.loads(await reader.readline())
    finally:
        writer.close()
    return found if isinstance(found, dict) else {}
