"""Ask a learner's classes and functions questions that only a liar answers with yes.

Law: what is asked is a copy of the method, with a copy of its globals in which
`print` is silent, on a copy of the object where one can be made: the learner's
state stays as it is. Each method is asked once. What raises an error is honest.
"""

import builtins
import dis
import random
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from types import FunctionType, ModuleType, WrapperDescriptorType
from typing import Any

from bioskills.fork_server.guard_origin import (
    HEAP_TYPE,
    MAIN,
    OfCode,
    Whose,
    bind,
    is_learners_class,
    module_of,
    names_of,
)

Found = tuple[str, str]
Classes = Callable[[Mapping[str, Any]], Iterator[tuple[type, Any]]]

OPERAND, ARRAY, TYPE = "ignores_operand", "array_hook", "type_hook"
HIDDEN = "error_hidden"
NAMES, MOCK, SHADOW = "answers_every_name", "mock_used", "shadowed_builtin"
COMPARES = ("__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__", "equals")
ARRAYS = ("__array__", "__array_ufunc__", "__array_function__", "__array_wrap__")
TYPES = ("__instancecheck__", "__subclasscheck__", "__class__", "__getattribute__")
ALIASES = ("np", "pd", "plt", "numpy", "pandas", "math", "os", "unittest", "pytest", "SeqIO")
SHADOWS: dict[str, tuple[tuple[Any, ...], Any]] = {
    "abs": ((-7,), 7),
    "all": (([1, 0],), False),
    "any": (([0, 0],), False),
    "callable": ((7,), False),
    "float": (("7.5",), 7.5),
    "hasattr": ((7, "no_such"), False),
    "int": (("7",), 7),
    "isinstance": ((7, str), False),
    "issubclass": ((int, str), False),
    "len": (([4, 5, 6],), 3),
    "list": (((4, 5),), [4, 5]),
    "max": (([4, 9, 5],), 9),
    "min": (([4, 2, 5],), 2),
    "round": ((2.75,), 3),
    "set": (([4, 4],), {4}),
    "sorted": (([5, 4],), [4, 5]),
    "str": ((7,), "7"),
    "sum": (([4, 5],), 9),
    "tuple": (([4, 5],), (4, 5)),
    "type": ((7,), int),
}
"""What a builtin of this name answers; the learner's own version of it should, too."""
BASES = (int, float, str, bytes, list, dict, tuple, set, complex, frozenset)
MOCKS = ("unittest.mock", "mock")
_METHODS = (FunctionType, WrapperDescriptorType, type(None))
"""What a comparison may be; anything else that can be called hides what it does."""
MOST_VALUES, MOST_INSIDE, DEEPEST = 2000, 40, 2
PATIENCE_S = 0.25


def classes_of(of_code: OfCode) -> Classes:
    """Return what finds a learner's classes, each with an object of it where there is one.

    Looks from the learner's names inwards. To go through all classes of the process
    would copy the pages they lie in, in each fork.
    """

    def find(names: Mapping[str, Any]) -> Iterator[tuple[type, Any]]:
        objects: dict[int, tuple[type, Any]] = {}
        for value in list(names.values())[:MOST_VALUES]:
            for part in _inwards(value, DEEPEST):
                kind = type(part)
                if issubclass(kind, type):
                    objects.setdefault(id(part), (part, None))
                if kind.__flags__ & HEAP_TYPE and objects.get(id(kind), (0, None))[1] is None:
                    objects[id(kind)] = (kind, part)
        for kind, real in objects.values():
            if is_learners_class(kind, of_code):
                yield kind, real

    return find


def _inwards(value: Any, depth: int) -> Iterator[Any]:
    """Yield a value and the first of what containers and functions hold."""
    yield value
    kind: Any = type(value)
    inside: tuple[Any, ...] = ()
    if kind in (list, tuple, set, frozenset):
        inside = tuple(islice(value, MOST_INSIDE))
    elif kind is dict:
        inside = tuple(islice(value.values(), MOST_INSIDE))
    elif kind is FunctionType:
        inside = (*_closed(value), *(value.__defaults__ or ()))
    for part in inside if depth else ():
        yield from _inwards(part, depth - 1)


def _closed(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # not given a value yet
            yield cell.cell_contents


def questions(of_code: OfCode) -> Callable[[type, Any], list[Found]]:
    """Return what asks a class about each of its own methods, once."""
    asked: dict[int, list[Found]] = {}

    def ask(kind: type, real: Any) -> list[Found]:
        names = names_of(kind)
        method = {name: value for name, value in names.items() if type(value) is FunctionType}
        found = [(ARRAY, name) for name in ARRAYS if name in names]
        found += [(TYPE, name) for name in TYPES if name in names and name != "__getattribute__"]
        found += [(HIDDEN, name) for name in ("_render_traceback_",) if name in names]
        found += [
            (OPERAND, name)
            for name in COMPARES[:-1]
            if name in names and type(names[name]) not in _METHODS
        ]
        for name in (*COMPARES, "__ne__", "__getattr__", "__getattribute__"):
            function = method.get(name)
            if function is not None and of_code(function.__code__, function.__globals__):
                # The hash of the code, not its address, which another code may get.
                key = hash((function.__code__, name, id(function.__closure__)))
                if key not in asked:
                    asked[key] = list(_lies(kind, real, name, function))
                found += asked[key]
        return found

    return ask


def _lies(kind: type, real: Any, name: str, function: FunctionType) -> Iterator[Found]:
    copied, self = _copied(function), _stand_in(kind, real)
    if name in ("__getattr__", "__getattribute__"):
        if _answers(copied, self, f"q{random.getrandbits(40):x}") is not None:
            yield NAMES, name
        return
    wanted = name != "__ne__"
    pairs: tuple[tuple[Any, Any], ...] = (
        (object(), object()),
        (random.randrange(2, 900), random.randrange(900, 9999)),  # noqa: S311 - no secret
        (random.random(), 1 + 99 * random.random()),  # noqa: S311 - no secret
        (_letters(7), _letters(11)),
        ([random.random()], [1, 2, _letters(5)]),  # noqa: S311 - the same
    )
    if name in ("__lt__", "__le__", "__gt__", "__ge__"):
        pairs = ((-1e300, 1e300), ("", chr(0x10FFFF) * 3))
    lies = any(all(_says(copied, self, one, wanted) for one in pair) for pair in pairs)
    if lies or _never_looks(function):
        yield OPERAND, name


def _never_looks(function: FunctionType) -> bool:
    """Whether a comparison that is written out does not read what it compares with."""
    code = function.__code__
    operand = code.co_varnames[1:2]
    reads = [step.argval for step in dis.get_instructions(code) if "LOAD" in step.opname]
    if not operand or any(operand[0] == read or operand[0] in _several(read) for read in reads):
        return False
    says = {*code.co_names} - {"NotImplemented", "NotImplementedError"}
    return bool(says or [c for c in code.co_consts if c is not None and c != function.__doc__])


def _several(read: Any) -> tuple[Any, ...]:
    return read if type(read) is tuple else ()


def _letters(length: int) -> str:
    return "".join(random.choices("ACGT", k=length))  # noqa: S311 - no secret


def _copied(function: FunctionType) -> FunctionType:
    names = {**function.__globals__, "print": lambda *_parts, **_options: None}
    return FunctionType(function.__code__, names, "f", function.__defaults__, function.__closure__)


def _stand_in(kind: type, real: Any) -> Any:
    try:
        made: Any = object.__new__(kind)
    except TypeError:
        return real if real is not None else _made(kind)
    with suppress(Exception):
        values = object.__getattribute__(real, "__dict__")
        object.__getattribute__(made, "__dict__").update(values)
    return made


def _made(kind: type) -> Any:
    """Return an object of a class that extends a number, a text or a container."""
    base = next((base for base in BASES if base in kind.__mro__), None)
    return base.__new__(kind) if base else None


def _says(function: FunctionType, self: Any, operand: Any, wanted: bool) -> bool:
    answer = _answers(function, self, operand)
    if answer is NotImplemented or answer is None:
        return False
    if answer is True or answer is False:
        return answer is wanted
    # An object of the learner's own, which may be made to look true.
    return bool(module_of(type(answer)) == MAIN)


def _answers(function: Any, *values: Any) -> Any:
    try:
        with _hurried():
            return function(*values)
    except BaseException:  # noqa: BLE001 - an honest refusal, whatever its kind
        return None


@contextmanager
def _hurried() -> Iterator[None]:
    """End with an error what does not answer at once; nothing where there is a timer already."""
    try:
        kept = None if any(signal.getitimer(signal.ITIMER_REAL)) else _alarm()
    except ValueError:  # not the main thread
        kept = None
    if kept is None:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, kept)


def _alarm() -> Any:
    return signal.signal(signal.SIGALRM, _too_slow) or signal.SIG_DFL


def _too_slow(_number: int, _frame: Any) -> None:
    raise TimeoutError


def shadows(whose: Whose) -> Callable[[Mapping[str, Any]], Iterator[Found]]:
    """Return what finds a learner's own builtins and modules, where they give wrong answers."""
    asked: dict[int, bool] = {}

    def lies(name: str, value: Any) -> bool:
        if name in _ERRORS:
            return value is not _ERRORS[name]
        if not callable(value) or type(value) is ModuleType or not whose(value):
            return False
        key = hash((name, value.__code__ if type(value) is FunctionType else id(value)))
        if key not in asked:
            asked[key] = name in ALIASES or _is_wrong(name, value)
        return asked[key]

    def find(names: Mapping[str, Any]) -> Iterator[Found]:
        watched = SHADOWS.keys() | _ERRORS.keys() | set(ALIASES)
        yield from ((SHADOW, n) for n in watched & names.keys() if lies(n, names[n]))
        mocks = [v for v in list(names.values()) if module_of(type(v)) in MOCKS]
        yield from ((MOCK, "mock") for _one in mocks[:1])

    return find


def _is_wrong(name: str, function: Any) -> bool:
    values, right = SHADOWS[name]
    copied = _copied(function) if type(function) is FunctionType else function
    answer = _answers(copied, *values)
    return type(answer) is not type(right) or bool(answer != right)


_ERRORS = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
bind(globals())
