"""Hands on this machine: many at one time, each alone in its fall."""

import json
import os
import queue
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from bioskills_grader import tar_of
from bioskills_quick_grading import grade_quickly
from bioskills_waiting import eventually

from bioskills.base.wire import GradeResult
from bioskills.graders.executors import Done, Failed, Order, Progress, Said
from bioskills.graders.pool import Pool

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

Hand = Callable[..., Order]


@pytest.fixture
def said() -> "queue.SimpleQueue[Said]":
    return queue.SimpleQueue()


@pytest.fixture
def pool(class_: Any, said: Any) -> Iterator[Pool]:
    made = Pool(class_.bench, 3, said.put, grade_quickly)
    yield made
    made.close()


@pytest.fixture
def order(class_: Any) -> Hand:
    def make(seconds: int = 0, files: Mapping[str, bytes] | None = None) -> Order:
        job = class_.job("p1")
        made = Order(job=job, shop=class_.shop.root, folder=class_.shop.new_folder(job))
        pace = {"pace.txt": str(seconds).encode()}
        made.tar.write_bytes(
            tar_of({**class_.released("p1"), **(pace if files is None else files)})
        )
        return made

    return make


def last_words(said: Any, count: int) -> dict[int, Said]:
    found: dict[int, Said] = {}
    while len(found) < count:
        word = said.get(timeout=300)
        if not isinstance(word, Progress):
            found[word.job] = word
    return found


def test_every_order_gets_one_last_word(pool: Pool, said: Any, order: Hand) -> None:
    orders = [order() for _n in range(10)]
    for one in orders:
        pool.submit(one)
    words = last_words(said, 10)

    assert {type(word) for word in words.values()} == {Done}
    assert words.keys() == {one.job.id for one in orders}
    assert all((one.kept("autograded") / "p1.ipynb").is_file() for one in orders)
    assert said.empty()


def test_one_that_takes_its_time_holds_up_nobody(pool: Pool, said: Any, order: Hand) -> None:
    slow, others = order(seconds=550), [order() for _n in range(6)]
    for one in (slow, *others):
        pool.submit(one)

    assert slow.job.id not in last_words(said, 6)


def test_a_hand_that_is_killed_loses_its_own_order_alone(
    pool: Pool, said: Any, order: Hand
) -> None:
    orders = [order(seconds=550), order(), order()]
    for one in orders:
        pool.submit(one)
    victim = orders[0].job.id
    assert eventually(lambda: victim in pool.pids())
    os.kill(pool.pids()[victim], signal.SIGKILL)
    words = last_words(said, 3)

    lost = words.pop(victim)
    assert isinstance(lost, Failed)
    assert (lost.at_once, lost.counts) == (True, True)
    assert {type(word) for word in words.values()} == {Done}
    again = order()
    pool.submit(again)
    assert isinstance(last_words(said, 1)[again.job.id], Done)


def test_all_hands_may_be_killed_and_work_goes_on(pool: Pool, said: Any, order: Hand) -> None:
    for one in [order(seconds=550) for _n in range(3)]:
        pool.submit(one)
    assert eventually(lambda: len(pool.pids()) == 3)
    for pid in pool.pids().values():
        os.kill(pid, signal.SIGKILL)
    assert {type(word) for word in last_words(said, 3).values()} == {Failed}

    orders = [order() for _n in range(4)]
    for one in orders:
        pool.submit(one)
    assert {type(word) for word in last_words(said, 4).values()} == {Done}


def test_what_cannot_be_unpacked_fails_and_its_hand_goes_on(
    pool: Pool, said: Any, order: Hand
) -> None:
    broken = order()
    broken.tar.write_bytes(b"no tar at all")
    pool.submit(broken)
    (word,) = last_words(said, 1).values()
    pool.submit(whole := order())

    assert isinstance(word, Failed)
    assert isinstance(last_words(said, 1)[whole.job.id], Done)


def test_a_long_grading_says_how_far_it_is_about_once_a_second(
    pool: Pool, said: Any, order: Hand
) -> None:
    began = time.monotonic()
    pool.submit(order(seconds=3))
    words = []
    while not words or isinstance(words[-1], Progress):
        words.append(said.get(timeout=300))

    steps = [word.how for word in words[:-1]]
    assert 1 <= len(steps) <= time.monotonic() - began
    assert {(how.step, how.of) for how in steps} == {("running", 100)}
    assert [how.done for how in steps] == sorted(how.done for how in steps)


def test_nothing_of_a_pool_is_left_when_it_is_closed(class_: Any, said: Any, order: Hand) -> None:
    pool = Pool(class_.bench, 2, said.put, grade_quickly)
    pool.submit(order(seconds=550))
    assert eventually(pool.pids)
    (pid,) = pool.pids().values()
    pool.close()

    assert not Path(f"/proc/{pid}").exists()
    assert said.empty()


def test_what_comes_back_is_text(pool: Pool, said: Any, order: Hand) -> None:
    pool.submit(order())
    (word,) = last_words(said, 1).values()

    assert isinstance(word, Done)
    assert GradeResult.model_validate(json.loads(word.result)).verdict == "graded"
