"""The queue of labs: in order, with a place that never gets worse."""

import asyncio
import os
import re

import pytest

from bioskills.fork_server import wire
from bioskills.hub.fork_spawner import ForkSpawner, reached_limit, waiting_text
from bioskills.hub.lab_failures import sentence_of
from bioskills.hub.processes import start_time
from bioskills.hub.start_queue import StartQueue, Ticket


async def run(queue: StartQueue, ticket: Ticket, gate: asyncio.Event, seen: list[Ticket]) -> None:
    async with queue.turn(ticket):
        seen.append(ticket)
        await gate.wait()


async def test_who_came_first_starts_first_and_places_only_get_better() -> None:
    queue, tickets, seen = StartQueue(2), [Ticket() for _ in range(5)], []
    gates = [asyncio.Event() for _ in tickets]
    tasks = [
        asyncio.create_task(run(queue, ticket, gate, seen))
        for ticket, gate in zip(tickets, gates, strict=True)
    ]
    places = []
    for gate in gates:
        for _ in range(3):
            await asyncio.sleep(0)
        places.append([queue.place(ticket) for ticket in tickets])
        gate.set()
    await asyncio.gather(*tasks)

    assert seen == tickets
    assert places == [
        [0, 0, 1, 2, 3],
        [0, 0, 0, 1, 2],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]


async def test_who_gives_up_waiting_leaves_the_queue_and_keeps_nobody_from_a_turn() -> None:
    queue, first, second, third = StartQueue(1), Ticket(), Ticket(), Ticket()
    gate, seen = asyncio.Event(), []
    tasks = [asyncio.create_task(run(queue, t, gate, seen)) for t in (first, second, third)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    tasks[1].cancel()
    await asyncio.sleep(0)
    assert queue.place(third) == 1
    gate.set()
    await asyncio.gather(tasks[0], tasks[2])

    assert seen == [first, third]
    assert queue.place(second) == 0


async def test_a_start_that_fails_gives_its_turn_back_and_does_not_count_for_the_estimate() -> None:
    queue = StartQueue(1)
    before = queue.estimate_s(4)

    with pytest.raises(ValueError, match="lab"):
        async with queue.turn(Ticket()):
            raise ValueError("lab")
    async with asyncio.timeout(1), queue.turn(Ticket()):
        pass

    assert before == 4, "before anything is known: a second each"
    assert queue.estimate_s(4) < before


def test_the_waiting_person_reads_place_and_time() -> None:
    assert waiting_text(1, 1) == "Your lab is the next to start. About 1 second."
    assert waiting_text(7, 12) == (
        "Many labs are starting. You are number 7 in the queue. About 12 seconds."
    )


LIMITS = {"memory_mb": 512, "processes": 64, "home_mb": 100}


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("out_of_memory", "more than the 512 MB of memory"),
        ("too_many_processes", "more than the 64 processes"),
        ("home_full", r"is full \(100 MB\)"),
        (wire.HOME_FOREIGN, r"another account \(uid 4242, expected 70001\); nothing was changed"),
        ("unreachable", "is being started again"),
        (wire.NO_ROOM, "is being started again"),
        (wire.BUSY, "still being ended"),
        (wire.ENDED_BEFORE_READY, "ended while it was starting"),
        ("never_heard_of", r"could not start \(never_heard_of\)"),
    ],
)
def test_every_failure_is_a_sentence_that_says_what_to_do(code: str, told: str) -> None:
    said = sentence_of(code, {**LIMITS, "uid": 4242}, 70001)

    assert re.search(told, said), said
    assert "?" not in said
    assert re.search(r"Start it again|Try again|Tell your", said), said


@pytest.mark.parametrize(
    ("used", "code"),
    [
        ({"room": False}, ""),
        ({"memory": {"oom_kills": 1}, "processes": {"hits": 3}}, "out_of_memory"),
        ({"memory": {"oom_kills": 0}, "processes": {"hits": 3}}, "too_many_processes"),
        ({"home": {"full": True}}, "home_full"),
        ({"memory": {"oom_kills": None}, "processes": {"hits": None}, "home": {"full": False}}, ""),
    ],
)
def test_the_limit_behind_an_ended_lab_is_found(used: dict[str, object], code: str) -> None:
    assert reached_limit(used) == code


def spawner(**state: int) -> ForkSpawner:
    found = ForkSpawner(runtime_dir="/nonexistent")
    found.load_state(state)
    return found


async def test_a_lab_is_known_again_by_pid_and_start_and_a_reused_pid_is_not_the_lab() -> None:
    me = os.getpid()
    mine = {"pid": me, "started": start_time(me), "port": 1, "uid": 70_001}

    again = spawner(**mine)
    assert await again.poll() is None
    assert {k: again.get_state()[k] for k in mine} == mine
    for wrong in ({**mine, "started": start_time(me) - 1}, {**mine, "pid": 2**22 + 1}, {}):
        other = spawner(**wrong)
        other._open = False
        assert await other.poll() is not None


def test_a_spawner_without_a_lab_keeps_nothing() -> None:
    found = spawner(pid=1, started=1, port=1, uid=70_001)
    found.clear_state()

    assert "pid" not in found.get_state()
