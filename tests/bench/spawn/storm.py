"""Everybody at once on one side: arrive, rest, work, rest; counted at each rest.

Law: the client is pinned to one core and counted apart; whatever a learner does not
get through is a failure with a name, and the figures of the others stay.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from census import Census, Use, weigh
from cpu import Account, machine_s, new_account
from learner import PATIENCE_S, Learner, make_token
from sides import SIDES, Side

REST_S = 5
SIGN_INS_AT_ONCE = 4
CORES = len(os.sched_getaffinity(0))


@dataclass
class Phase:
    """What one phase cost: `busy` until the last learner is through, `used` with the rest after it."""

    wall: float
    client: float
    machine: float
    busy: Use
    used: Use

    @property
    def strain(self) -> float:
        """Wall time by what it would be on this machine alone and never idle."""
        return round(self.wall / max((self.busy.total + self.client) / CORES, 0.01), 2)

    @property
    def foreign_cores(self) -> float:
        """Cores that others kept busy."""
        return round((self.machine - self.busy.total - self.client) / max(self.wall, 0.01), 2)


@dataclass
class Storm:
    """One side, one number of learners."""

    side: Side
    account: Account
    learners: list[Learner] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)

    async def phase(self, census: Census, step: Callable[[Learner], Awaitable[None]]) -> Phase:
        """Let everybody still there do a step; count until the rest after it is over."""
        there = [one for one in self.learners if one.name not in self.lost]
        began, before = time.monotonic(), (census.use(), machine_s(), time.process_time())
        with pinned():
            done = await asyncio.gather(*map(self._guard(step), there))
        wall, client = time.monotonic() - began, time.process_time() - before[2]
        busy, machine = census.use().since(before[0]), machine_s() - before[1]
        self.lost |= {name: why for name, why in done if why}
        await asyncio.sleep(REST_S)
        return Phase(wall, client, machine, busy, census.use().since(before[0]))

    def _guard(self, step: Callable[[Learner], Awaitable[None]]) -> Callable[[Learner], Any]:
        async def guarded(one: Learner) -> tuple[str, str]:
            try:
                async with asyncio.timeout(2 * PATIENCE_S):
                    await step(one)
            except Exception as error:  # noqa: BLE001 - one who is lost does not stop the others
                return one.name, f"{step.__name__}: {type(error).__name__}: {error}"[:400]
            return one.name, ""

        return guarded

    async def sign_in(self, names: list[str]) -> None:
        """Give everybody a token of their own, before anything is measured."""
        turn = asyncio.Semaphore(SIGN_INS_AT_ONCE)

        async def one(name: str) -> Learner:
            async with turn:
                token = await make_token(self.side.hub, name, self.side.password(name))
                return Learner(name, self.side.hub, self.side.lab(name), token)

        self.learners = await asyncio.gather(*map(one, names))

    async def leave(self, census: Census) -> float:
        """Stop every lab; return the seconds until none is left."""
        began = time.monotonic()
        await asyncio.gather(*(one.leave() for one in self.learners), return_exceptions=True)
        while census.learners() and time.monotonic() - began < 60:  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.1)
        return time.monotonic() - began


@contextmanager
def pinned() -> Iterator[None]:
    """Keep this process on the last core; what it started before stays free."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def run(side_name: str, count: int) -> dict[str, Any]:
    """Start one side, let so many learners come, and return every figure."""
    side, account = SIDES[side_name](), new_account(f"{side_name}-{count}")
    names = [f"u{number:03d}" for number in range(count)]
    load = os.getloadavg()[0]
    try:
        with account.entered():
            root = side.start(names)
        account.follow(root, side.mark())
        found = asyncio.run(_run(Storm(side, account), names))
    finally:
        with suppress(Exception):
            side.stop()
        left = account.close()
    conditions = {"load_before": round(load, 2), "counted": account.how, "left_alive": left}
    return {"side": side_name, "n": count, **found, **conditions}


async def _run(storm: Storm, names: list[str]) -> dict[str, Any]:
    await storm.sign_in(names)
    await asyncio.sleep(REST_S)
    census = Census(storm.account)
    arrival = await storm.phase(census, Learner.arrive)
    servers = census.learners()
    labs, parents = weigh(servers), weigh(census.of_role("fork_server"))
    arrived = len(names) - len(storm.lost)
    work = await storm.phase(census, Learner.work)
    whole, hub = weigh(census.learners()), weigh(census.of_role("hub"))
    kernels = weigh(census.learners() - servers)
    gone = census.gone()
    stopped = await storm.leave(census)
    complete = len(names) - len(storm.lost)
    return {
        "complete": complete,
        "lost": storm.lost,
        "platform_processes_gone": gone,
        **times(storm.learners),
        **costs(arrival, work, len(names)),
        "lab_memory": labs.per(arrived),
        "learner_memory": whole.per(complete),
        "kernel_memory": kernels.per(complete),
        "parents_memory": parents.per(1),
        "hub_memory": hub.per(1),
        "stop_all_s": round(stopped, 2),
    }


def times(learners: list[Learner]) -> dict[str, Any]:
    """Return p50, p95 and maximum of every step."""
    steps = ("ready", "page", "opened", "session", "connected", "first_reply", "imports", "cell")
    taken = {
        step: sorted(one.times[step] for one in learners if step in one.times) for step in steps
    }
    return {f"{step}_s": spread(values) for step, values in taken.items()}


def spread(values: list[float]) -> dict[str, float] | None:
    """Return nearest-rank percentiles of sorted values."""
    if not values:
        return None
    at = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    last = len(values) - 1
    return {name: round(values[round(share * last)], 3) for name, share in at.items()}


def costs(arrival: Phase, work: Phase, count: int) -> dict[str, Any]:
    """Return CPU seconds for each learner, and how strained the machine was."""
    total = arrival.used.total + work.used.total

    def each(seconds: float) -> float:
        return round(seconds / count, 4)

    def platform(phase: Phase) -> dict[str, float]:
        return {role: each(spent) for role, spent in sorted(phase.used.roles.items())}

    return {
        "lab_cpu_s": each(arrival.used.learners),
        "learner_cpu_s": each(arrival.used.learners + work.used.learners),
        "platform_cpu_s_per_lab": platform(arrival),
        "platform_cpu_s_per_work": platform(work),
        "all_cpu_s_per_learner": each(total),
        "client_cpu_s": round(arrival.client + work.client, 2),
        "wall_s": {"arrive": round(arrival.wall, 2), "work": round(work.wall, 2)},
        "wall_per_full_machine": {"arrive": arrival.strain, "work": work.strain},
        "foreign_cores": {"arrive": arrival.foreign_cores, "work": work.foreign_cores},
    }
