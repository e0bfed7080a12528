"""Plain values cross a line of JSON exactly; everything else is refused."""

import json
import math
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest

from bioskills.fork_server.plain_data import NotPlainError, pack, unpack

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")


def crossed(value: Any) -> Any:
    return unpack(json.loads(json.dumps(pack(value))))


class Lying(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


PLAIN = [
    None, True, 0, -(2**80), 1.5, -0.0, math.inf, math.nan, 3 + 2j, "", "é\ud800", b"\x00a",
    bytearray(b"a"), [1, (2.0, {3}), {"a": [None]}], frozenset({1}), {(1, 2): "x"},
    Counter("ACA"), OrderedDict(a=1), range(1, 9, 2), Path("data/a.fasta"),
]  # fmt: skip
ARRAYS = [
    numpy.float32(1.5), numpy.int64(3), numpy.bool_(True), numpy.str_("ab"),
    numpy.datetime64("2024-01-01"), numpy.array([[1, 2], [3, 4]], dtype="int16"),
    numpy.array(["a", "bb"]), numpy.array([]), numpy.array(5.0),
    numpy.array([1, "a", None], dtype=object), numpy.asfortranarray([[1.0, 2.0], [3.0, 4.0]]),
]  # fmt: skip
FRAME = pandas.DataFrame(
    {
        "n": [1, 2],
        "text": ["x", None],
        "part": [1.5, math.nan],
        "whole": pandas.array([1, None], dtype="Int64"),
        "day": pandas.to_datetime(["2024-01-01", "2024-01-02"]),
        "yes": [True, False],
        "any": [[1], "q"],
    },
    index=["r", "s"],
)
TABLES = [FRAME, FRAME.reset_index(), FRAME[["n", "n"]], FRAME.iloc[:0], pandas.DataFrame(),
          FRAME.describe(), FRAME.groupby("n")["part"].mean(), FRAME["text"], FRAME.index,
          FRAME.columns, pandas.RangeIndex(3, name="k"), pandas.Series([1, 2], name="q")]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_a_plain_value_comes_back_as_it_was(value: Any) -> None:
    back = crossed(value)

    assert type(back) is type(value)
    assert repr(back) == repr(value)


@pytest.mark.parametrize("value", ARRAYS, ids=repr)
def test_an_array_comes_back_with_its_type(value: Any) -> None:
    back = crossed(value)

    assert type(back) is type(value)
    assert back.dtype == value.dtype
    numpy.testing.assert_array_equal(back, value)


@pytest.mark.parametrize("value", TABLES, ids=lambda v: type(v).__name__)
def test_a_table_comes_back_with_index_names_and_types(value: Any) -> None:
    testing = pandas.testing
    same = {
        pandas.DataFrame: testing.assert_frame_equal,
        pandas.Series: testing.assert_series_equal,
    }

    same.get(type(value), testing.assert_index_equal)(crossed(value), value)


def test_a_generator_arrives_as_what_it_yields() -> None:
    assert list(crossed(n * n for n in range(3))) == [0, 1, 4]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(object(), "not_plain", id="object"),
        pytest.param(Lying(1), "not_plain", id="a_number_that_lies"),
        pytest.param([Lying(1)], "not_plain", id="inside"),
        pytest.param(len, "not_plain", id="function"),
        pytest.param(float, "not_plain", id="class"),
        pytest.param(pandas.Series(["a"], dtype="category"), "categorical", id="category"),
        pytest.param(pandas.MultiIndex.from_tuples([(1, 2)]), "many_levels", id="levels"),
        pytest.param(numpy.zeros(1, dtype="i4,i4"), "not_plain", id="fields"),
        pytest.param([0] * 300_000, "too_large", id="too_many"),
        pytest.param(iter([1]), "not_plain", id="other_iterator"),
    ],
)
def test_anything_else_is_refused_with_a_reason(value: Any, code: str) -> None:
    with pytest.raises(NotPlainError) as refused:
        pack(value)

    assert refused.value.code == code


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(NotPlainError):
        pack(endless)


@pytest.mark.parametrize(
    "message",
    [
        {"array": ["|O8", [1], "AAAAAAAAAAA="]}, {"array": ["<f8", [10**9], "AAAA"]},
        {"int": "9" * 10_000}, {"int": 5, "float": 3}, {"x": 1}, [], 5, {"float": "zz"},
        {"dict": ["Popen", []]}, {"frame": 1}, {"missing": "read_pickle"},
        {"index": [None, ["object", []]]},
    ],
)  # fmt: skip
def test_a_hostile_message_is_no_value(message: Any) -> None:
    with pytest.raises(NotPlainError):
        unpack(message)
