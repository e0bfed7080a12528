"""Lend a learner's answers to tests that run in another process.

Law: only plain data crosses (`plain_data`), as one line of JSON each. The side
that runs tests believes nothing: a line that is too long, too late or no value
becomes an error in the test's own cell, never anything else. An error of the
learner's function arrives as a class of the same name that is built into
Python, or as `AnswerError`.
"""

import builtins
import contextlib
import io
import json
import os
import select
import sys
import time
from collections.abc import Callable, Iterable, MutableMapping
from functools import lru_cache, partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from bioskills.fork_server.plain_data import BAD, NotPlainError, pack, unpack

LONGEST_LINE = 32 << 20
MOST_PRINTED = 200_000
CHUNK = 1 << 16
FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, partial, type(lru_cache(len)))


class AnswerError(Exception):
    """The answer failed in a way that has no class of Python's own."""


class AnswerTooSlowError(AnswerError):
    """The answer took longer than a call may."""


class Line:
    """Lines of JSON over two descriptors, perhaps the same one."""

    def __init__(self, reads: int, writes: int) -> None:
        self.reads, self.writes = reads, writes
        self._rest = bytearray()
        self.is_late = False
        """Whether an answer is still on its way, which must not be taken for another one."""

    def say(self, message: dict[str, Any]) -> None:
        """Send one line."""
        data = memoryview(json.dumps(message).encode() + b"\n")
        while data:
            data = data[os.write(self.writes, data) :]

    def hear(self, limit_s: float | None = None) -> dict[str, Any] | None:
        """Return the next line; None at the end.

        Raises:
            AnswerTooSlowError: It did not come in time.
            AnswerError: It is too long, or no object of JSON.
        """
        until = None if limit_s is None else time.monotonic() + limit_s
        while b"\n" not in self._rest[-CHUNK:] and b"\n" not in self._rest:
            left = None if until is None else max(until - time.monotonic(), 0)
            if not select.select([self.reads], [], [], left)[0]:
                self.is_late = True
                raise AnswerTooSlowError
            chunk = os.read(self.reads, CHUNK)
            if not chunk:
                return None
            self._rest += chunk
            if len(self._rest) > LONGEST_LINE:
                raise AnswerError(BAD)
        text, _end, rest = self._rest.partition(b"\n")
        self._rest = rest
        return _object(bytes(text))


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if type(found) is not dict:
        raise AnswerError(BAD)
    return found


def lend(names: MutableMapping[str, Any], line: Line) -> None:
    """Answer what the tests ask about these names, until they say that it is enough.

    Runs in the learner's process, after the cells before the test.
    """
    while True:
        asked = line.hear()
        if asked is None or asked.get("op") == "end":
            return
        try:
            said = _VERBS[str(asked.get("op"))](names, asked)
        except NotPlainError as error:
            said = {"refused": error.code, "kind": error.kind}
        line.say(said)


def _get(names: MutableMapping[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    name = asked["name"]
    if name not in names:
        return {"missing": True}
    if type(names[name]) in FUNCTIONS:
        return {"function": True}
    if type(names[name]) is ModuleType:
        return {"module": str(names[name].__name__)}
    return {"value": pack(names[name])}


def _call(names: MutableMapping[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    given, named = unpack(asked["args"]), unpack(asked["named"])
    printed, warned = io.StringIO(), io.StringIO()
    said: dict[str, Any] = {}
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(warned):
            said["value"] = pack(names[asked["name"]](*given, **named))
    except NotPlainError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, the tests shall see it
        said = {"raised": [kind.__name__ for kind in type(error).__mro__]}
    said["printed"] = printed.getvalue()[:MOST_PRINTED]
    said["warned"] = warned.getvalue()[:MOST_PRINTED]
    with contextlib.suppress(NotPlainError):
        said["args"] = pack(given)
    return said


_VERBS: dict[str, Callable[[MutableMapping[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "get": _get,
    "call": _call,
}


def borrow(
    names: MutableMapping[str, Any], wanted: Iterable[str], line: Line, limit_s: float
) -> list[tuple[str, str]]:
    """Put values, and functions that ask over the line, under these names.

    Runs in the clean process, before a test.

    Args:
        names: The namespace of the tests.
        wanted: What they need of the learner's.
        line: Leads to the learner's process, which is in `lend`.
        limit_s: Wall seconds that each call may take.

    Returns: Names that could not come, each with why: a code of `plain_data`,
        or *missing*. They are absent, so that a test that needs them fails.
    """
    absent = []
    for name in wanted:
        names.pop(name, None)
        said = _ask(line, {"op": "get", "name": name}, limit_s)
        if said.get("function") is True:
            names[name] = _stub(name, line, limit_s)
        elif type(sys.modules.get(str(said.get("module")))) is ModuleType:
            # Only what is imported here already: nothing of theirs decides what runs.
            names[name] = sys.modules[said["module"]]
        elif "value" in said:
            try:
                names[name] = unpack(said["value"])
            except NotPlainError as error:
                absent.append((name, error.code))
        else:
            absent.append((name, "missing" if "missing" in said else str(said.get("refused"))))
    return absent


def give_back(line: Line) -> None:
    """Tell the learner's process that the test is over."""
    line.say({"op": "end"})


def _ask(line: Line, question: dict[str, Any], limit_s: float) -> dict[str, Any]:
    if line.is_late:
        raise AnswerError("ended")
    line.say(question)
    said = line.hear(limit_s)
    if said is None:
        raise AnswerError("ended")
    return said


def _stub(name: str, line: Line, limit_s: float) -> Callable[..., Any]:
    def ask(*given: Any, **named: Any) -> Any:
        question = {"op": "call", "name": name, "args": pack(given), "named": pack(named)}
        said = _ask(line, question, limit_s)
        for stream, key in ((sys.stdout, "printed"), (sys.stderr, "warned")):
            if said.get(key):
                stream.write(str(said[key]))
        _follow(given, said.get("args"))
        if "raised" in said:
            raise _error_of(said["raised"])
        if "value" not in said:
            raise NotPlainError(str(said.get("refused", BAD)), str(said.get("kind", "")))
        return unpack(said["value"])

    ask.__name__ = ask.__qualname__ = name
    return ask


def _error_of(kinds: Any) -> BaseException:
    """Return an error of the nearest class that Python itself has."""
    for name in kinds if type(kinds) is list else ():
        kind = getattr(builtins, str(name), None)
        if isinstance(kind, type) and issubclass(kind, Exception) and kind is not Exception:
            with contextlib.suppress(TypeError):
                return kind()
    return AnswerError(str(kinds[0]) if type(kinds) is list and kinds else "")


def _follow(given: tuple[Any, ...], after: Any) -> None:
    """Do to the lists, sets and dictionaries that a test gave what the function did to its own."""
    if after is None or after == pack(given):
        return
    changed = unpack(after)
    if type(changed) is not tuple or len(changed) != len(given):
        return
    for mine, theirs in zip(given, changed, strict=True):
        if type(mine) is type(theirs) and type(mine) in (list, dict, set, bytearray):
            mine.clear()
            (mine.extend if type(mine) in (list, bytearray) else mine.update)(theirs)
