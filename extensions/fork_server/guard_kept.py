"""What must stay as it was, in groups: the same names hold the same objects.

Law: compares by identity alone, since a learner's object may say that it equals
anything. What libraries change in themselves is no finding; what takes the
place of a function is.
"""

import builtins
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter, is_
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from bioskills.fork_server.guard_origin import HEAP_TYPE, bind, names_of
from bioskills.fork_server.guard_version import dict_version

Names = dict[str, Any]
Whose = Callable[[Any], bool]
EXACT, METHODS, CALLED, LEARNERS, DUNDER = "exact", "methods", "called", "learners", "dunder"
STRICT = (
    "numpy.testing", "numpy.testing._private.utils", "pandas.testing", "pandas._testing",
    "pandas._testing.asserters", "pandas._libs.testing", "unittest", "unittest.case",
    "unittest.util", "math", "cmath", "operator", "statistics", "fractions", "decimal",
    "_pytest.python_api", "_pytest.raises", "pytest",
)  # fmt: skip
"""Modules whose functions a test calls to decide."""
INWARD = ("numpy.testing._private.utils", "pandas._testing.asserters", "_pytest.python_api")
"""Of these also the inside is compared."""
WIDE = (
    "numpy", "numpy._core.numeric", "numpy._core.fromnumeric", "numpy._core.multiarray",
    "numpy.core.numeric", "pandas", "pandas.api.types", "pandas.core.dtypes.missing",
    "matplotlib", "matplotlib.pyplot", "collections", "json", "re", "csv", "os", "os.path",
    "posixpath", "io", "itertools", "functools", "random", "pathlib", "copy", "datetime", "glob",
    "shutil", "subprocess", "sys", "time", "types", "warnings", "contextlib", "inspect",
    "traceback", "ast", "gzip", "hashlib", "string", "threading", "gc", "linecache",
)  # fmt: skip
"""Modules that tests and their preparations use; and everything of Biopython."""
LAZY = (
    "matplotlib",
    "matplotlib.pyplot",
    "sys",
)
"""Modules that change themselves."""
PASSING = frozenset({"_", "__", "___", "get_ipython", "exit", "quit", "display", "input"})
"""Builtins that IPython sets and takes away."""
WELCOME = (("matplotlib_inline.backend_inline", "flush_figures"),
           ("matplotlib.pyplot", "_draw_all_if_interactive"),
           ("matplotlib.pyplot", "_auto_draw_if_interactive"))  # fmt: skip
"""What libraries hang into the events of IPython."""


class Group(NamedTuple):
    """Names that are compared together; no methods, which would lead a learner here.

    Attributes:
        code: What a change means.
        label: Stands before the names.
        now: Returns the names and what they hold, given the shell; may be the living mapping.
        how: *exact*: nothing may change; *methods*: no function may; *called*: no function
            may be replaced by another; *learners*: nothing may by something of a learner's.
        added: What a new name is judged by: *exact*, *learners*, or *dunder*: something of
            a learner's with a name that Python itself calls, or that a base class has.
        passing: Names that may change.
        living: The mapping itself, where `now` returns one that lives on.
        kind: The class whose names these are.
    """

    code: str
    label: str
    now: Callable[[Any], Mapping[str, Any]]
    how: str = EXACT
    added: str = EXACT
    passing: frozenset[str] = frozenset()
    living: Mapping[str, Any] | None = None
    kind: type | None = None


def version_of(group: Group) -> int | None:
    """Return a number that changes with any change of a living mapping; None where unknown.

    To read it touches nothing; to read what the mapping holds counts references,
    and so copies, in each fork, the memory pages where it lies.
    """
    return None if group.living is None else dict_version(group.living)


def differences(
    group: Group, then: Mapping[str, Any], now: Mapping[str, Any], whose: Whose
) -> Iterator[str]:
    """Yield the names whose objects changed against the rule of their group."""
    if len(then) == len(now) and all(map(is_, then.values(), now.values())):
        return
    for name in (then.keys() | now.keys()) - group.passing:
        if name not in then:
            changed = _new_matters(group, name, now[name], whose)
        else:
            old, new = then[name], now.get(name)
            changed = new is not old and _change_matters(group.how, old, new, whose)
        if changed:
            yield f"{group.label}{name}"


def _new_matters(group: Group, name: str, new: Any, whose: Whose) -> bool:
    if group.added == EXACT:
        return True
    bases = group.kind.__mro__[1:] if group.kind else ()
    counts = group.added == LEARNERS or name.startswith("__")
    return (counts or any(name in names_of(base) for base in bases)) and whose(new)


def _change_matters(how: str, old: Any, new: Any, whose: Whose) -> bool:
    if how == EXACT or whose(new):
        return True
    if how == METHODS:
        return callable(old) or type(old) in _DESCRIPTORS
    return how == CALLED and callable(old) and callable(new)


_DESCRIPTORS = (property, staticmethod, classmethod)
SHELL_PARTS = (
    "CustomTB", "InteractiveTB", "builtin_trap", "compile", "custom_exceptions",
    "display_formatter", "display_pub", "display_trap", "displayhook", "events", "history_manager",
    "input_transformer_manager", "kernel", "magics_manager", "user_module", "user_ns",
)  # fmt: skip


def shell_groups(shell: Any) -> Iterator[Group]:
    """Yield what decides how a cell is read, run and shown."""
    yield Group("ast_transformer", "", lambda s: _numbered(s.ast_transformers))
    yield Group("input_transformer", "", _input_transformers)
    yield Group("event_hook", "", _events)
    yield Group("shell_patched", "shell.", lambda s: {n: getattr(s, n, None) for n in SHELL_PARTS})
    yield Group("shell_patched", "shell.", lambda s: {"class": type(s)})
    parts = ("compile", "displayhook", "display_pub", "display_formatter", "events",
             "input_transformer_manager", "display_trap", "builtin_trap")  # fmt: skip
    yield from _object_groups("shell_patched", shell)
    for name in parts:
        yield from _object_groups("shell_patched", getattr(shell, name))
    yield from _object_groups("display_changed", shell.display_formatter.formatters["text/plain"])


def _numbered(things: Iterable[Any]) -> Names:
    return {"list": things, **{f"{n}": thing for n, thing in enumerate(things)}}


def _input_transformers(shell: Any) -> Names:
    manager = shell.input_transformer_manager
    kinds = {name: getattr(manager, name) for name in
             ("cleanup_transforms", "line_transforms", "token_transformers")}  # fmt: skip
    kinds["post"] = shell.input_transformers_post
    return {f"{kind}.{n}": t for kind, ts in kinds.items() for n, t in _numbered(ts).items()}


def _events(shell: Any) -> Names:
    welcome = [vars(sys.modules[m]).get(name) for m, name in WELCOME if m in sys.modules]
    return {
        f"{event}.{n}": call
        for event, calls in shell.events.callbacks.items()
        for n, call in enumerate(c for c in calls if not any(c is w for w in welcome))
    }


def _object_groups(code: str, thing: Any) -> Iterator[Group]:
    """Yield the methods of an object: those of its classes, and those set on itself."""
    kinds = [kind for kind in type(thing).__mro__ if kind.__flags__ & HEAP_TYPE]
    for kind in kinds:
        yield _class_group(code, kind)
    methods = frozenset(
        name for kind in kinds for name, value in names_of(kind).items() if callable(value)
    )
    own = getattr(thing, "__dict__", {})
    yield Group(
        code,
        f"{type(thing).__name__}.",
        lambda _shell: {name: own[name] for name in own.keys() & methods},
    )


def _class_group(code: str, kind: type) -> Group:
    return _living(code, f"{kind.__name__}.", names_of(kind), METHODS)._replace(kind=kind)


def _living(
    code: str,
    label: str,
    names: Mapping[str, Any],
    how: str,
    added: str = DUNDER,
) -> Group:
    return Group(code, label, lambda _shell: names, how, added, living=names)


def kernel_groups(shell: Any) -> Iterator[Group]:
    """Yield what carries a cell's outcome to whoever asked."""
    kernel = getattr(shell, "kernel", None)
    parts = ("session", "iopub_socket", "iopub_thread", "shell_stream", "control_stream")
    if kernel is not None:
        yield Group(
            "kernel_patched", "kernel.", lambda _s: {n: getattr(kernel, n, None) for n in parts}
        )
        yield from _object_groups("kernel_patched", kernel)
        yield from _object_groups("kernel_patched", getattr(kernel, "session", None))
    for stream in (sys.stdout, sys.stderr):
        yield from _object_groups("stream_replaced", stream)


def process_groups() -> Iterator[Group]:
    """Yield what the interpreter itself calls."""
    yield Group("trace_set", "", _tracers)
    yield Group("import_hook", "", lambda _s: _keyed(sys.meta_path), LEARNERS, LEARNERS)
    yield Group("import_hook", "", lambda _s: _keyed(sys.path_hooks), LEARNERS, LEARNERS)
    held = [name for name in (*STRICT, *WIDE, "builtins") if name in sys.modules]
    yield Group("module_replaced", "", lambda _s: {n: sys.modules.get(n) for n in held})
    yield _living("builtin_changed", "", vars(builtins), EXACT, LEARNERS)._replace(passing=PASSING)
    streams = ("stdout", "stderr", "__stdout__", "__stderr__", "displayhook", "excepthook")
    yield Group("stream_replaced", "sys.", lambda _s: {n: getattr(sys, n, None) for n in streams})


def _keyed(things: Iterable[Any]) -> Names:
    return {f"{type(thing).__name__}.{id(thing)}": thing for thing in things}


def _tracers(_shell: Any) -> Names:
    monitoring = getattr(sys, "monitoring", None)
    tools = {f"tool {n}": monitoring.get_tool(n) for n in range(6)} if monitoring else {}
    hooks = {n: getattr(threading, n, None) for n in ("_trace_hook", "_profile_hook")}
    return {"trace": sys.gettrace(), "profile": sys.getprofile(), **hooks, **tools}


def library_groups() -> Iterator[Group]:
    """Yield the functions of the modules that tests use."""
    biopython = [n for n in list(sys.modules) if n == "Bio" or n.startswith("Bio.")]
    for name in (*STRICT, *WIDE, *biopython):
        if isinstance(sys.modules.get(name), ModuleType):
            strict = name in STRICT
            how = METHODS if strict else LEARNERS if name in LAZY else CALLED
            code = "test_helper_changed" if strict else "library_changed"
            yield _living(code, f"{name}.", vars(sys.modules[name]), how)
    yield _code_group()


def _code_group() -> Group:
    """Return the inside of the functions that tests decide with: code and defaults.

    Of all other functions a change is heard (`guard_ear`); to read them all takes too long.
    """
    held = {f"{m}.{name}": value for m in INWARD if m in sys.modules
            for name, value in vars(sys.modules[m]).items()}  # fmt: skip
    if "unittest.case" in sys.modules:
        held.update(names_of(sys.modules["unittest.case"].TestCase))
    functions = {label: f for label, f in held.items() if type(f) is FunctionType}
    labels = [f"{label}.{part}" for part in _INSIDE for label in functions]
    reads = [attrgetter(part) for part in _INSIDE]
    values = list(functions.values())
    return Group(
        "test_helper_changed",
        "",
        lambda _s: dict(zip(labels, [v for read in reads for v in map(read, values)], strict=True)),
    )


_INSIDE = ("__code__", "__defaults__", "__kwdefaults__")


def class_groups() -> Iterator[Group]:
    """Yield the classes of values that tests compare, with everything they come from."""
    modules: list[Any] = [
        m for n, m in list(sys.modules.items()) if n in (*WIDE, *STRICT) or n[:4] == "Bio."
    ]
    named = [v for m in modules if isinstance(m, ModuleType) for v in list(vars(m).values())]
    found = {
        id(kind): kind
        for value in named
        if isinstance(value, type)
        for kind in type.mro(value) if value is not type
        if kind.__flags__ & HEAP_TYPE and str(names_of(kind).get("__module__")).startswith(COMPARED)
    }  # fmt: skip
    for kind in found.values():
        yield _class_group("library_changed", kind)


COMPARED = ("pandas", "numpy", "Bio", "unittest", "collections", "fractions", "decimal")
bind(globals())
