"""Tests in one process call answers in another, over two pipes."""

import json
import math
import os
import select
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from bioskills.fork_server.borrowing import (
    AnswerError,
    AnswerTooSlowError,
    answer,
    borrow,
)
from bioskills.fork_server.plain_data import NotPlainError

ANSWERS = """
import math, statistics as stats, warnings
warnings.simplefilter("always")
class OwnError(ValueError): pass
class OwnWarning(FutureWarning): pass
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
def grows_old():
    import warnings
    warnings.warn("old", OwnWarning)
    return 1
def slow():
    import time
    time.sleep(3)
def lies(): return Right()
def spies(): return spied
table = {"a": [1]}
right = Right()
"""
NAMES = (
    "gc",
    "own",
    "stops",
    "adds",
    "warns",
    "grows_old",
    "slow",
    "lies",
    "table",
    "right",
    "math",
    "no",
)


class Line:
    """Lines of JSON over two descriptors; the grader carries them otherwise."""

    def __init__(self, reads: int, writes: int) -> None:
        self.reads, self.writes = reads, writes
        self.least_s = 60.0
        """A loaded machine makes no answer too slow, but where that is what is tested."""

    def say(self, message: dict[str, Any]) -> None:
        os.write(self.writes, json.dumps(message).encode() + b"\n")

    def hear(self, limit_s: float) -> dict[str, Any] | None:
        if not select.select([self.reads], [], [], max(limit_s, self.least_s))[0]:
            raise AnswerTooSlowError
        text = os.read(self.reads, 1 << 16)
        return dict(json.loads(text)) if text else None


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
                line = Line(asks[0], answers[1])
                while (asked := line.hear(60.0)) is not None:
                    line.say(answer(names, asked))
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


def test_the_filters_of_the_tests_decide_about_warnings(clean: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert clean["grows_old"]() == 1
    assert [(one.category, str(one.message)) for one in seen] == [(FutureWarning, "old")]

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("ignore")
        clean["grows_old"]()
    assert seen == []


def test_a_function_that_a_test_gives_does_not_cross(clean: dict[str, Any]) -> None:
    with pytest.raises(NotPlainError):
        clean["gc"](len)


def test_a_module_is_the_clean_processes_own(clean: dict[str, Any]) -> None:
    assert clean["math"] is math


def test_a_slow_answer_is_an_error_of_the_answer(clean: dict[str, Any]) -> None:
    clean["line"].least_s = 0.0
    with pytest.raises(AnswerTooSlowError):
        clean["slow"]()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"value": {"x": 1}},
        {"value": {"seq": 5, "int": "1"}},
        {"function": 1},
        {"module": "__main__"},
        {"refused": ["x"]},
        None,
    ],
)
def test_a_hostile_process_can_give_nothing_but_an_error_or_no_value(said: Any) -> None:
    class Hostile:
        def say(self, message: dict[str, Any]) -> None:
            assert message["op"] == "get"

        def hear(self, limit_s: float) -> dict[str, Any] | None:
            assert limit_s
            return said  # type: ignore[no-any-return]

    names: dict[str, Any] = {}
    try:
        assert [name for name, _why in borrow(names, ["gc"], Hostile(), 1.0)] == ["gc"]
    except AnswerError:
        assert said is None

    assert names == {}
