"""Turn plain values into JSON and back, exactly, and refuse everything else.

Law: the exact type decides: an `int` comes back as `int`, a `float64` as
`float64`, NaN as NaN, and an object that only behaves like a number is
refused, since what it does cannot travel. No pickle, and nothing of a sender
is imported, called or looked up. Standard library alone; numpy, pandas and
Biopython are used where they are imported already.
"""

import base64
import sys
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import PosixPath
from types import GeneratorType
from typing import Any

from bioskills.fork_server import plain_records

MOST_PARTS = 200_000
DEEPEST = 40
MOST_DRAWN = 10_000
ARRAY_KINDS = "biufcUSmM"
"""Kinds of numpy's types whose bytes are values; no objects, no fields."""
COLUMN_TYPES = ("str", "string", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32",
                "UInt64", "Float32", "Float64", "boolean")  # fmt: skip
"""Types of pandas with missing values of their own; they travel as lists."""
DRAWN = (GeneratorType, map, filter, zip, enumerate, reversed)

NOT_PLAIN, TOO_LARGE, CATEGORY, MANY_LEVELS, BAD = (
    "not_plain", "too_large", "categorical", "many_levels", "bad_message")  # fmt: skip


class NotPlainError(TypeError):
    """A value cannot travel, or what came cannot be a value.

    Attributes:
        code: Why; the grader has the sentence.
        kind: The type's name.
    """

    def __init__(self, code: str, kind: str = "") -> None:
        super().__init__(f"{code}: {kind}")
        self.code, self.kind = code, kind


class _Packer:
    """Packs one value; counts its parts."""

    def __init__(self) -> None:
        self.parts = 0

    def pack(self, value: Any, depth: int = 0) -> Any:
        self.parts += 1
        kind = type(value)
        if self.parts > MOST_PARTS or depth > DEEPEST:
            raise NotPlainError(TOO_LARGE, _name_of(kind))
        if value is None or kind is bool or kind is str:
            return value
        for kinds, packs in _PACKS:
            if kind in kinds:
                return packs(self, value, depth + 1)
        for name, pack in _LIBRARIES.items():
            if name in sys.modules:
                packed = pack(self, value, depth + 1)
                if packed is not None:
                    return packed
        raise NotPlainError(NOT_PLAIN, _name_of(kind))

    def each(self, values: Any, depth: int) -> list[Any]:
        return [self.pack(value, depth) for value in values]


def _name_of(kind: type) -> str:
    return str(type.__dict__["__name__"].__get__(kind))


def _number(_packer: _Packer, value: Any, _depth: int) -> Any:
    if type(value) is int:
        return {"int": str(value)} if value.bit_length() < 10_000 else _refuse(TOO_LARGE, "int")  # noqa: PLR2004
    if type(value) is complex:
        return {"complex": [value.real.hex(), value.imag.hex()]}
    return {"float": value.hex()}


def _refuse(code: str, kind: str) -> Any:
    raise NotPlainError(code, kind)


def _several(packer: _Packer, value: Any, depth: int) -> Any:
    return {type(value).__name__: packer.each(value, depth)}


def _bytes(_packer: _Packer, value: Any, _depth: int) -> Any:
    return {type(value).__name__: base64.b64encode(value).decode()}


def _pairs(packer: _Packer, value: Any, depth: int) -> Any:
    pairs = [packer.each(pair, depth) for pair in dict.items(value)]
    return {"dict": [type(value).__name__, pairs]}


def _range(packer: _Packer, value: Any, depth: int) -> Any:
    return {"range": packer.each((value.start, value.stop, value.step), depth)}


def _drawn(packer: _Packer, value: Any, depth: int) -> Any:
    drawn: list[Any] = []
    for one in value:
        if len(drawn) >= MOST_DRAWN:
            raise NotPlainError(TOO_LARGE, "iterator")
        drawn.append(packer.pack(one, depth))
    return {"iter": drawn}


_PACKS: tuple[tuple[tuple[type, ...], Callable[[_Packer, Any, int], Any]], ...] = (
    ((int, float, complex), _number),
    ((list, tuple, set, frozenset), _several),
    ((dict, Counter, OrderedDict), _pairs),
    ((bytes, bytearray), _bytes),
    ((range,), _range),
    ((PosixPath,), lambda _packer, value, _depth: {"path": str(value)}),
    (DRAWN, _drawn),
)


def _pack_numpy(packer: _Packer, value: Any, depth: int) -> Any:
    numpy = sys.modules["numpy"]
    kind = type(value)
    scalar = kind.__module__ == "numpy" and issubclass(kind, numpy.generic)
    if not scalar and kind is not numpy.ndarray:
        return None
    dtype = value.dtype
    if dtype.names is not None or dtype.kind not in ARRAY_KINDS + "O":
        raise NotPlainError(NOT_PLAIN, str(dtype))
    if dtype.kind == "O":
        return {"objects": [list(value.shape), packer.each(value.ravel().tolist(), depth)]}
    packer.parts += value.size // 16
    body = base64.b64encode(value.tobytes()).decode()
    return {"scalar" if scalar else "array": [dtype.str, list(value.shape), body]}


def _pack_pandas(packer: _Packer, value: Any, depth: int) -> Any:  # noqa: PLR0911 - one for each type
    pandas = sys.modules["pandas"]
    kind = type(value)
    if value is getattr(pandas, "NA", packer) or value is getattr(pandas, "NaT", packer):
        return {"missing": "NA" if value is pandas.NA else "NaT"}
    if kind is pandas.DataFrame:
        columns = [_column(packer, value.iloc[:, n], depth) for n in range(value.shape[1])]
        ends = [packer.pack(index, depth) for index in (value.index, value.columns)]
        return {"frame": [*ends, columns]}
    if kind is pandas.Series:
        name = packer.pack(value.name, depth)
        return {"series": [packer.pack(value.index, depth), name, _column(packer, value, depth)]}
    if kind is pandas.RangeIndex:
        numbers = packer.each((value.start, value.stop, value.step), depth)
        return {"rangeindex": [numbers, packer.pack(value.name, depth)]}
    if kind in (pandas.MultiIndex, pandas.CategoricalIndex, pandas.Categorical):
        many = kind is pandas.MultiIndex
        raise NotPlainError(MANY_LEVELS if many else CATEGORY, kind.__name__)
    if kind in (pandas.Index, pandas.DatetimeIndex, pandas.TimedeltaIndex):
        return {"index": [packer.pack(value.name, depth), _column(packer, value, depth)]}
    if kind in (pandas.Timestamp, pandas.Timedelta):
        return {kind.__name__.lower(): str(value)}
    return None


def _column(packer: _Packer, values: Any, depth: int) -> Any:
    kind = str(values.dtype)
    if kind == "category":
        raise NotPlainError(CATEGORY, kind)
    if kind in COLUMN_TYPES:
        missing = values.isna()
        plain = [None if no else one for one, no in zip(values.tolist(), missing, strict=True)]
        return [kind, packer.each(plain, depth)]
    if type(values.dtype).__module__.startswith("pandas"):
        raise NotPlainError(NOT_PLAIN, kind)
    return ["numpy", packer.pack(values.to_numpy(), depth)]


_LIBRARIES = {"numpy": _pack_numpy, "pandas": _pack_pandas, **plain_records.PACKS}


def pack(value: Any) -> Any:
    """Return what `json.dumps` can write and `unpack` turns into an equal value of the same type.

    Raises:
        NotPlainError: It is, or holds, something else.
    """
    return _Packer().pack(value)


def unpack(packed: Any) -> Any:
    """Return the value.

    Raises:
        NotPlainError: This is no packed value, whatever is wrong with it.
    """
    try:
        return _unpacked(packed)
    except NotPlainError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a hostile message breaks
        raise NotPlainError(BAD, type(error).__name__) from None


def _unpacked(packed: Any) -> Any:
    if packed is None or type(packed) in (bool, str):
        return packed
    ((kind, body),) = packed.items()
    return _UNPACKS[kind](body)


def _each(body: Any) -> list[Any]:
    return [_unpacked(one) for one in body]


def _dict(body: Any) -> Any:
    kind = {"dict": dict, "Counter": Counter, "OrderedDict": OrderedDict}[body[0]]
    made = kind()
    for key, value in map(_each, body[1]):
        made[key] = value
    return made


def _array(body: Any) -> Any:
    kind, shape, data = body
    numpy = sys.modules["numpy"]
    dtype = numpy.dtype(str(kind))
    if dtype.kind not in ARRAY_KINDS or dtype.names is not None:
        raise NotPlainError(BAD, "dtype")
    # A copy, since what stands on bytes cannot be written to.
    return numpy.frombuffer(base64.b64decode(data), dtype).reshape(shape).copy()


def _objects(body: Any) -> Any:
    numpy = sys.modules["numpy"]
    values = _each(body[1])
    made = numpy.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        made[place] = value
    return made.reshape(body[0])


def _column_of(body: Any) -> Any:
    kind, values = body
    if kind == "numpy":
        return _unpacked(values)
    if kind not in COLUMN_TYPES:
        raise NotPlainError(BAD, "column")
    return sys.modules["pandas"].array(_each(values), dtype=kind)


def _frame(body: Any) -> Any:
    pandas = sys.modules["pandas"]
    index, names = _unpacked(body[0]), _unpacked(body[1])
    columns = {n: pandas.Series(_column_of(one), index=index) for n, one in enumerate(body[2])}
    made = pandas.DataFrame(columns, index=index)
    made.columns = names
    return made


def _series(body: Any) -> Any:
    values = _column_of(body[2])
    return sys.modules["pandas"].Series(values, index=_unpacked(body[0]), name=_unpacked(body[1]))


_UNPACKS: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float.fromhex,
    "complex": lambda body: complex(*map(float.fromhex, body)),
    "list": _each,
    "tuple": lambda body: tuple(_each(body)),
    "set": lambda body: set(_each(body)),
    "frozenset": lambda body: frozenset(_each(body)),
    "dict": _dict,
    "bytes": base64.b64decode,
    "bytearray": lambda body: bytearray(base64.b64decode(body)),
    "range": lambda body: range(*_each(body)),
    "iter": lambda body: iter(_each(body)),
    "path": lambda body: PosixPath(str(body)),
    "array": _array,
    "scalar": lambda body: _array(body)[()],
    "objects": _objects,
    "missing": lambda body: getattr(sys.modules["pandas"], {"NA": "NA", "NaT": "NaT"}[body]),
    "frame": _frame,
    "series": _series,
    "rangeindex": lambda body: sys.modules["pandas"].RangeIndex(
        *_each(body[0]), name=_unpacked(body[1])
    ),
    "index": lambda body: sys.modules["pandas"].Index(_column_of(body[1]), name=_unpacked(body[0])),
    "timestamp": lambda body: sys.modules["pandas"].Timestamp(str(body)),
    "timedelta": lambda body: sys.modules["pandas"].Timedelta(str(body)),
    "record": lambda body: plain_records.made_of(str(body[0]), _unpacked(body[1])),
    "seq": plain_records.sequence_of,
}
