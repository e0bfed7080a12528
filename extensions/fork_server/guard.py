"""See whether a learner's code has changed what its tests stand on.

Law: standard library only, no class, no output, no reference to what the
learner made, no learner code run but copies of methods (`guard_probe`). A
finding is a code and the name of a thing, never a learner's text; it is a reason
to ask a person, never a reason for fewer points.

It lives in the interpreter that it watches: what reaches it through `ctypes`
or frames can silence it, so what `guard_ear` hears is told at once. Work that
must withstand that is tested in isolated mode.
"""

import _thread
import gc
import importlib
import signal
import sys
import threading
import tokenize
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from bioskills.fork_server import guard_ear, guard_probe
from bioskills.fork_server.guard_kept import (
    STRICT,
    Group,
    class_groups,
    differences,
    kernel_groups,
    library_groups,
    process_groups,
    shell_groups,
    version_of,
)
from bioskills.fork_server.guard_origin import bind, called_by, code_judge, judge

Found = tuple[str, str]
Baseline = Callable[[Any], list[Found]]
SIGNALS = (signal.SIGINT, signal.SIGALRM, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2,
           signal.SIGVTALRM, signal.SIGPROF, signal.SIGCHLD)  # fmt: skip
TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
HELPERS = (("numpy", "numpy.testing"), ("pandas", "pandas.testing"), ("numpy", "unittest"))
"""What tests may import later, when nobody knows any more how it was; by the package they need."""
NUMBERS = (int, float, bool, complex, str)
FIGURES = "efgEFG"


def veil(shell: Any) -> Callable[[bool], None]:
    """Return what says whether the texts of coming cells are kept from the learner's code.

    IPython stores a cell's text under `In`, `_i` and in its history before the
    cell runs; while a test runs, an answer could read it there. Counts go on as ever,
    and a semicolon at the end still keeps a result from being shown: points hang on that.

    Args:
        shell: The shell; call this once, before `take`.
    """
    history = shell.history_manager
    store, veiled = history.store_inputs, [False]
    shows_nothing = type(shell.displayhook).semicolon_at_end_of_expression

    def store_inputs(line_num: int, source: str, source_raw: str | None = None) -> None:
        shown = (source, source_raw)
        if veiled[0]:
            shown = ("", "")
            with suppress(tokenize.TokenError, SyntaxError):
                shown = (";", ";") if shows_nothing(source) else shown
        store(line_num, *shown)

    def set_veil(on: bool) -> None:
        veiled[0] = on

    history.store_inputs = store_inputs
    return set_veil


def take(shell: Any, tell: guard_ear.Tell | None = None) -> Baseline:
    """Return what a shell and its process are now, as what finds changes later.

    Call it once in each process line, after all imports and before any of the
    learner's code; a fork inherits it.

    Args:
        shell: The IPython shell, with its kernel where it has one.
        tell: Called with code and detail at the moment something is heard,
            while the code that caused it still runs. Must not raise.
    """
    _import_helpers()
    of_code = code_judge()
    whose = judge(of_code)
    heard: dict[Found, bool] = {}

    def note(code: str, detail: str) -> None:
        heard[(code, detail)] = True
        if tell is not None:
            tell(code, detail)

    watched = [(group, dict(group.now(shell)), [version_of(group)]) for group in _groups(shell)]
    finders = (_left_behind(whose), _displays(whose), _liars(of_code, whose), _late(whose))
    guard_ear.listen(of_code, note)

    def changes(shell: Any) -> list[Found]:
        found = dict(heard)
        for group, then, seen in watched:
            version = version_of(group)
            if version is None or version != seen[0]:
                now = [(group.code, n) for n in differences(group, then, group.now(shell), whose)]
                found.update(dict.fromkeys(now, True))
                seen[0] = None if now else version
        for find in finders:
            found.update(dict.fromkeys(find(shell), True))
        return list(found)

    return changes


def _import_helpers() -> None:
    for package, name in HELPERS:
        with suppress(ImportError):
            if package in sys.modules:
                importlib.import_module(name)


def check(baseline: Baseline, shell: Any) -> list[Found]:
    """Return what differs from the baseline, each once: a code and the name of what changed."""
    try:
        return baseline(shell)
    except Exception as error:  # noqa: BLE001 - what makes the guard fail is a finding, too
        return [("guard_failed", type(error).__name__)]


def _groups(shell: Any) -> list[Group]:
    return [
        *shell_groups(shell),
        *kernel_groups(shell),
        *process_groups(),
        *library_groups(),
        *class_groups(),
    ]


def _late(whose: Callable[[Any], bool]) -> Callable[[Any], Iterator[Found]]:
    """Return what looks at test helpers that were not imported yet when all was well."""
    missing = [name for name in STRICT if name not in sys.modules]
    known = frozenset(sys.modules)

    def find(_shell: Any) -> Iterator[Found]:
        for name in missing:
            if name in sys.modules and any(map(whose, list(vars(sys.modules[name]).values()))):
                yield "test_helper_changed", name
        for name in sys.modules.keys() - known:
            # A file of the learner's under the name of a module of Python's own.
            if name in sys.stdlib_module_names and any(
                map(whose, list(vars(sys.modules[name]).values()))
            ):
                yield "module_replaced", name

    return find


def _left_behind(whose: Callable[[Any], bool]) -> Callable[[Any], Iterator[Found]]:
    """Return what finds threads, timers and handlers that act while a test runs."""
    threads = {id(thread) for thread in _active()}
    raw = _thread._count() - len(threads)  # noqa: SLF001 - counts also what hides from `threading`
    callbacks = len(gc.callbacks)

    def find(_shell: Any) -> Iterator[Found]:
        alive = _active()
        for thread in alive:
            if id(thread) not in threads and any(map(whose, (thread, *called_by(thread)))):
                yield "thread_left", "threading"
        if _thread._count() - len(alive) > raw:  # noqa: SLF001 - the same
            yield "thread_left", "_thread"
        yield from (("signal_handler", s.name) for s in SIGNALS if whose(signal.getsignal(s)))
        yield from (("signal_handler", "timer") for t in TIMERS if signal.getitimer(t)[0])
        if len(gc.callbacks) != callbacks or any(map(whose, gc.callbacks)):
            yield "memory_search", "gc.callbacks"

    return find


def _active() -> list[Any]:
    return list(threading._active.values())  # type: ignore[attr-defined]  # noqa: SLF001 - `enumerate` could be patched


def _displays(whose: Callable[[Any], bool]) -> Callable[[Any], Iterator[Found]]:
    """Return what finds printers of numbers: nbgrader reads partial credit from what is shown."""

    def find(shell: Any) -> Iterator[Found]:
        plain = shell.display_formatter.formatters["text/plain"]
        form = str(getattr(plain, "float_format", ""))
        digits = form.startswith("%.") and form[2:-1].isdigit() and form[-1:] in FIGURES
        if form not in ("", "%r") and not digits:
            yield "display_changed", "float_format"
        for kind, printer in list(plain.type_printers.items()):
            if kind in NUMBERS and whose(printer):
                yield "display_changed", getattr(kind, "__name__", "?")
        if any(map(whose, plain.singleton_printers.values())):
            yield "display_changed", "singleton"

    return find


def _liars(of_code: Any, whose: Any) -> Callable[[Any], Iterator[Found]]:
    classes, ask = guard_probe.classes_of(of_code), guard_probe.questions(of_code)
    shadows = guard_probe.shadows(whose)

    def find(shell: Any) -> Iterator[Found]:
        names = shell.user_ns
        for kind, real in classes(names):
            yield from ask(kind, real)
        yield from shadows(names)

    return find


bind(globals())
