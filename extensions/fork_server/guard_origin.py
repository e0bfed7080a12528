"""Tell what a learner wrote from what a library holds.

Law: says so by where code comes from, never by running it. Functions only and
no class: `object.__subclasses__()` must not lead a learner here. The names of
builtins are bound in each module of the guard, so that patched ones fool nobody.
"""

import builtins
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

Whose = Callable[[Any], bool]
OfCode = Callable[[CodeType, Any], bool]
MAIN = "__main__"
HEAP_TYPE = 1 << 9
"""Flag of types made by Python code, <cpython/Include/object.h>."""


names_of: Callable[[type], Any] = type.__dict__["__dict__"].__get__
"""What a class itself holds by name, whatever its metaclass says."""
module_of: Callable[[type], Any] = type.__dict__["__module__"].__get__


def bind(names: dict[str, Any]) -> None:
    """Give a module's names the builtins of now; it finds them before those of `builtins`."""
    for name, value in vars(builtins).items():
        if not name.startswith("__"):
            names.setdefault(name, value)


def roots() -> tuple[str, ...]:
    """Return the beginnings of the file names of library code."""
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    places = {place for folder in folders for place in (folder, os.path.realpath(folder))}
    # This package may lie elsewhere, as an editable installation does.
    places.add(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - strings are compared
    return (*(f"{place}{os.sep}" for place in sorted(places)), "<frozen ")


def code_judge() -> OfCode:
    """Return the function that says whether code, run with these globals, is the learner's."""
    libraries = roots()
    modules: list[Any] = [m for name, m in list(sys.modules.items()) if name != MAIN]
    known = {id(vars(m)) for m in modules if isinstance(m, ModuleType)}
    files = {str(getattr(module, "__file__", None)) for module in modules} | set(_running())

    def of_code(code: CodeType, names: Any) -> bool:
        file = code.co_filename
        if file.startswith(libraries) or file in files:
            return False
        return not (file.startswith("<") and id(names) in known)

    return of_code


def _running() -> Iterator[str]:
    """Yield the files of the code that is running: the program itself is no learner's."""
    frame = sys._getframe()  # noqa: SLF001 - documented in `sys`
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back  # type: ignore[assignment]


def judge(of_code: OfCode) -> Whose:
    """Return the function that says whether an object is, or leads to, a learner's code."""

    def whose(thing: Any) -> bool:
        return any(_is_written(part, of_code) for part in _parts(thing))

    return whose


def _is_written(part: Any, of_code: OfCode) -> bool:
    if type(part) is FunctionType:
        return of_code(part.__code__, part.__globals__)
    # Of the real type: `isinstance` would ask the object, which may lie.
    return issubclass(type(part), type) and is_learners_class(part, of_code)


def is_learners_class(kind: type, of_code: OfCode) -> bool:
    """Whether a class was made by a learner: by its module's name, or by one of its functions."""
    if not kind.__flags__ & HEAP_TYPE:
        return False
    names = names_of(kind)
    if names.get("__module__") == MAIN:
        return True
    functions = [value for value in names.values() if type(value) is FunctionType]
    return any(of_code(f.__code__, f.__globals__) for f in functions)


def _parts(thing: Any, depth: int = 4) -> Iterator[Any]:
    """Yield an object, and the function or class behind a method, partial, property or instance."""
    yield thing
    kind = type(thing)
    if depth and kind not in (FunctionType, type):
        for name in _INSIDE.get(kind, ()):
            yield from _parts(getattr(thing, name), depth - 1)
        yield kind


def called_by(thread: Any) -> tuple[Any, ...]:
    """Return what a thread of `threading` will call; nothing for anything else."""
    if not issubclass(type(thread), threading.Thread):
        return ()
    held = object.__getattribute__(thread, "__dict__")
    return held.get("_target"), held.get("function")  # the second is a `Timer`'s


_INSIDE: dict[type, tuple[str, ...]] = {
    MethodType: ("__func__", "__self__"),
    partial: ("func",),
    property: ("fget",),
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
}
bind(globals())
