"""Tests in one process call answers in another, over two pipes."""

import math
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bioskills.fork_server.borrowing import (
    AnswerError,
    AnswerTooSlowError,
    Line,
    borrow,
    give_back,
    lend,
)
from bioskills.fork_server.plain_data import NotPlainError

ANSWERS = """
import math, statistics as stats
class OwnError(ValueError): pass
class Right:
    def __eq__(self, other): return True
def gc(s): return 100.0 * len(s)
def own(): raise OwnError("secret")
def stops(): raise SystemExit
def adds(rows):
    rows.append(3)
    print("hi")
def warns():
    import sys
    print("careful", file=sys.stderr)
def slow():
    import time
    time.sleep(3)
def lies(): return Right()
def spies(): return spied
table = {"a": [1]}
right = Right()
"""
NAMES = ("gc", "own", "stops", "adds", "warns", "slow", "lies", "table", "right", "math", "no")


class Process:
    def __init__(self, source: str) -> None:
        asks, answers = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(asks[1])
            os.close(answers[0])
            try:
                names: dict[str, Any] = {}
                exec(source, names)
                lend(names, Line(asks[0], answers[1]))
            finally:
                os._exit(0)
        os.close(asks[0])
        os.close(answers[1])
        self.line = Line(answers[0], asks[1])

    def end(self) -> None:
        os.close(self.line.writes)
        os.close(self.line.reads)
        os.waitpid(self.pid, 0)


@pytest.fixture
def clean() -> Iterator[dict[str, Any]]:
    process = Process(ANSWERS)
    names: dict[str, Any] = {"line": process.line}
    names["absent"] = dict(borrow(names, NAMES, process.line, 1.0))
    yield names
    process.end()


def test_functions_and_data_come_over(clean: dict[str, Any]) -> None:
    assert clean["gc"]("GC") == 200.0
    assert clean["table"] == {"a": [1]}
    assert clean["gc"].__name__ == "gc"


def test_what_is_no_data_stays_away_and_is_named(clean: dict[str, Any]) -> None:
    assert clean["absent"] == {"right": "not_plain", "no": "missing"}
    assert "right" not in clean


def test_an_object_that_equals_anything_never_meets_the_test(clean: dict[str, Any]) -> None:
    with pytest.raises(NotPlainError):
        assert clean["lies"]() == 5


def test_an_error_arrives_as_a_class_of_pythons_without_its_text(clean: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        clean["own"]()


def test_an_end_of_the_answer_is_an_error_of_the_answer(clean: dict[str, Any]) -> None:
    with pytest.raises(AnswerError):
        clean["stops"]()


def test_what_a_function_does_to_a_list_is_done(clean: dict[str, Any], capsys: Any) -> None:
    rows = [1]
    clean["adds"](rows)

    assert rows == [1, 3]
    assert capsys.readouterr().out == "hi\n"


def test_a_warning_stays_one(clean: dict[str, Any], capsys: Any) -> None:
    clean["warns"]()

    assert capsys.readouterr().err == "careful\n"


def test_a_function_that_a_test_gives_does_not_cross(clean: dict[str, Any]) -> None:
    with pytest.raises(NotPlainError):
        clean["gc"](len)


def test_a_module_is_the_clean_processes_own(clean: dict[str, Any]) -> None:
    assert clean["math"] is math


def test_a_slow_answer_ends_in_time_and_is_not_taken_for_the_next_one(
    clean: dict[str, Any],
) -> None:
    began = time.monotonic()
    with pytest.raises(AnswerTooSlowError):
        clean["slow"]()
    assert time.monotonic() - began < 2.5

    with pytest.raises(AnswerError):
        clean["gc"]("A")


def test_the_learners_process_goes_on_when_it_is_given_back(clean: dict[str, Any]) -> None:
    give_back(clean["line"])

    with pytest.raises(AnswerError):
        clean["gc"]("A")


@pytest.mark.parametrize("said", [b"no json\n", b"[1]\n", b"{}\n", b'{"value": {"x": 1}}\n', b""])
def test_a_hostile_process_can_give_nothing_but_an_error_or_no_value(said: bytes) -> None:
    asks, answers = os.pipe(), os.pipe()
    os.write(answers[1], said)
    os.close(answers[1])
    names: dict[str, Any] = {}

    try:
        assert [name for name, _why in borrow(names, ["gc"], Line(answers[0], asks[1]), 1.0)] == [
            "gc"
        ]
    except AnswerError:
        pass
    finally:
        for end in (*asks, answers[0]):
            os.close(end)

    assert names == {}
