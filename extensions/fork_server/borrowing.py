"""Lend a learner's answers to tests that run in another process.

Law: only plain data crosses (`plain_data`), in objects of JSON. The side that runs
tests believes nothing: what is too late or no value becomes an error in the
test's own cell, never anything else. An error of the
learner's function arrives as a class of the same name that is built into
Python, or as `AnswerError`.
"""

import builtins
import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from functools import lru_cache, partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Protocol

from bioskills.fork_server.plain_data import BAD, NotPlainError, pack, unpack

MOST_PRINTED = 200_000
MOST_WARNINGS, MOST_WARNED = 50, 500
FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, partial, type(lru_cache(len)))


class AnswerError(Exception):
    """The answer failed in a way that has no class of Python's own."""


class AnswerTooSlowError(AnswerError):
    """The answer took longer than a call may."""


class Way(Protocol):
    """A way to the learner's process: one question, then its answer."""

    def say(self, message: dict[str, Any]) -> None:
        """Send a question."""

    def hear(self, limit_s: float) -> dict[str, Any] | None:
        """Return the answer; None where the other process has ended.

        Raises:
            AnswerTooSlowError: It did not come in time.
        """


def answer(names: MutableMapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one question of the tests about these names; runs in the learner's process."""
    try:
        return _VERBS[str(asked.get("op"))](names, asked)
    except NotPlainError as error:
        return {"refused": error.code, "kind": error.kind}
    except BaseException:  # noqa: BLE001 - an interruption, or a learner's own hand in here
        return {"refused": BAD}


def _get(names: MutableMapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    name = asked["name"]
    if name not in names:
        return {"missing": True}
    if type(names[name]) in FUNCTIONS:
        return {"function": True}
    if type(names[name]) is ModuleType:
        return {"module": str(names[name].__name__)}
    return {"value": pack(names[name])}


def _call(names: MutableMapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    given, named = unpack(asked["args"]), unpack(asked["named"])
    printed, warned = io.StringIO(), io.StringIO()
    said: dict[str, Any] = {"warnings": []}
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(warned),
            _warnings_kept(said["warnings"]),
        ):
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


@contextlib.contextmanager
def _warnings_kept(kept: list[Any]) -> Iterator[None]:
    """Keep warnings for the tests, whose filters decide; ours, and what was warned of, stay."""

    def keep(message: Warning | str, category: type[Warning], *_place: Any, **_more: Any) -> None:
        if len(kept) < MOST_WARNINGS:
            kinds = [f"{kind.__module__}.{kind.__name__}" for kind in category.__mro__]
            kept.append([kinds, str(message)[:MOST_WARNED]])

    before, warnings.showwarning = warnings.showwarning, keep
    try:
        yield
    finally:
        warnings.showwarning = before


_VERBS: dict[str, Callable[[MutableMapping[str, Any], Mapping[str, Any]], dict[str, Any]]] = {
    "look": lambda _names, _asked: {},
    "get": _get,
    "call": _call,
}


def borrow(
    names: MutableMapping[str, Any], wanted: Iterable[str], line: Way, limit_s: float
) -> list[tuple[str, str]]:
    """Put values, and functions that ask over the line, under these names.

    Runs in the clean process, before a test.

    Args:
        names: The namespace of the tests.
        wanted: What they need of the learner's.
        line: Leads to the learner's process, which answers with `answer`.
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
        elif type(sys.modules.get(_module_of(said))) is ModuleType:
            # Only what is imported here already: nothing of theirs decides what runs.
            names[name] = sys.modules[_module_of(said)]
        elif "value" in said:
            try:
                names[name] = unpack(said["value"])
            except NotPlainError as error:
                absent.append((name, error.code))
        else:
            absent.append((name, "missing" if "missing" in said else str(said.get("refused"))))
    return absent


def _module_of(said: Mapping[str, Any]) -> str:
    """Return the module's name; never that of the namespace in which tests run."""
    name = str(said.get("module"))
    return "" if name == "__main__" else name


def _ask(line: Way, question: dict[str, Any], limit_s: float) -> dict[str, Any]:
    line.say(question)
    said = line.hear(limit_s)
    if said is None:
        raise AnswerError("ended")
    return said


def _stub(name: str, line: Way, limit_s: float) -> Callable[..., Any]:
    def ask(*given: Any, **named: Any) -> Any:
        question = {"op": "call", "name": name, "args": pack(given), "named": pack(named)}
        said = _ask(line, question, limit_s)
        for stream, key in ((sys.stdout, "printed"), (sys.stderr, "warned")):
            if said.get(key):
                stream.write(str(said[key]))
        _warn(said.get("warnings"))
        _follow(given, said.get("args"))
        if "raised" in said:
            raise _error_of(said["raised"])
        if "value" not in said:
            raise NotPlainError(str(said.get("refused", BAD)), str(said.get("kind", "")))
        return unpack(said["value"])

    ask.__name__ = ask.__qualname__ = name
    return ask


def _warn(kept: Any) -> None:
    """Warn of what the answer warned of, as the filters of the tests have it."""
    for one in (kept if type(kept) is list else ())[:MOST_WARNINGS]:
        if type(one) is list and len(one) == 2 and type(one[0]) is list:  # noqa: PLR2004 - a pair
            text = str(one[1])[:MOST_WARNED]
            warnings.warn_explicit(text, _category(one[0]), "answer", 1, module="__main__")


def _category(kinds: list[Any]) -> type[Warning]:
    """Return the nearest class of warnings that is imported here."""
    for kind in kinds:
        module, _dot, name = str(kind).rpartition(".")
        found = vars(sys.modules.get(module, sys)).get(name)
        if isinstance(found, type) and issubclass(found, Warning):
            return found
    return UserWarning


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
