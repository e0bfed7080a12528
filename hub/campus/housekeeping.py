"""Put away what was only kept for a while: at the start, and then every few minutes.

Law: nothing that holds names stays because nobody came. A fault of one round is logged, and
the next one comes all the same.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from bioskills.hub.campus.people_staged import forget_old
from bioskills.hub.campus.site import Site

log = logging.getLogger("bioskills.campus")

ROUND_S = 600.0


def housekeeping(
    site: Site, round_s: float = ROUND_S
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the life of the campus, in which somebody puts things away."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        rounds = asyncio.create_task(_rounds(site, round_s))
        yield
        rounds.cancel()
        with suppress(asyncio.CancelledError):
            await rounds

    return life


async def _rounds(site: Site, round_s: float) -> None:
    while True:
        try:
            await run_in_threadpool(forget_old, site)
        except OSError:
            log.exception("Could not put old lists of people away.")
        await asyncio.sleep(round_s)
