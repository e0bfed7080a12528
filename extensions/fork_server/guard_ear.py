"""Hear what a learner's code asks of the interpreter itself.

Law: an audit hook (PEP 578), which nothing can take away again. It notes who
asked: only what the learner's own code calls counts, not what a library does for
it. It never prints and keeps no reference to what it hears, and runs nothing of the
learner's: while it listens to one thing it is deaf to all others. It fails only where
Python has no room for one call more; what it cannot judge it says.

What Python does not announce is not heard: reading a dictionary, or writing
into memory with functions of `ctypes` that were already there.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from sys import _getframe as getframe
from types import FrameType, MethodType
from typing import Any

from bioskills.fork_server.guard_origin import OfCode, bind, called_by, judge, roots

Tell = Callable[[str, str], object]

STACK_READ, MEMORY, CODE_CHANGED = "stack_read", "memory_access", "code_changed"
DEAF = "guard_failed"
SIMPLE = {
    "sys._getframe": STACK_READ,
    "sys._current_frames": STACK_READ,
    "sys._current_exceptions": STACK_READ,
    "sys.settrace": "trace_set",
    "sys.setprofile": "trace_set",
    "sys.addaudithook": "trace_set",
    "gc.get_objects": "memory_search",
    "gc.get_referrers": "memory_search",
    "gc.get_referents": "memory_search",
    "code.__new__": CODE_CHANGED,
    "function.__new__": CODE_CHANGED,
    "marshal.loads": CODE_CHANGED,
    "os.fork": "process_forked",
    "os.forkpty": "process_forked",
    "os.exec": "process_forked",
    "os.kill": "signal_sent",
    "os.killpg": "signal_sent",
    "signal.pthread_kill": "signal_sent",
    "socket.__new__": "network_used",
    "_thread.start_new_thread": "thread_started",
}
"""What each announcement means where a learner's own code caused it."""
FRAMES = {"tb_frame", "gi_frame", "cr_frame", "ag_frame"}
CHANGED = {"__code__", "__defaults__", "__kwdefaults__", "__bases__"}
MOCKS = ("unittest.mock", "mock")
SECRETS = ("/mem", "/maps", "/fd", "/environ", "/cmdline", "/task", "/root", "/cwd", "/stack")
"""What in /proc shows or changes a process."""
HEARD = {
    *SIMPLE,
    "object.__getattr__",
    "object.__setattr__",
    "compile",
    "import",
    "open",
    "os.listdir",
    "os.scandir",
}
DEEPEST = 40


def listen(of_code: OfCode, tell: Tell) -> None:
    """Tell from now on, in this process and its forks, what learner code asks for."""
    sees = {name: _by_name(name) for name in HEARD}
    ask = _asker(of_code)
    threads = judge(of_code)
    busy = [False]

    def hear(event: str, details: tuple[Any, ...]) -> None:
        if busy[0] or not (event in sees or event.startswith("ctypes.")):
            return
        busy[0] = True
        try:
            found = sees[event](details) if event in sees else MEMORY
            if event == "_thread.start_new_thread":
                # Where a method is started, its thread calls another function in the end.
                owner = details[0].__self__ if type(details[0]) is MethodType else None
                learners = any(map(threads, (details[0], *called_by(owner))))
            else:
                learners = bool(found) and ask(getframe(1), event)
            if found and learners:
                tell(found, event)
        except (RecursionError, MemoryError):
            # At such an edge nothing is done unheard; the code was about to fail with the same.
            raise
        except Exception:  # noqa: BLE001 - an ear that fails would change what a learner's code does
            with suppress(Exception):
                tell(DEAF, event)
        finally:
            busy[0] = False

    sys.addaudithook(hear)


def _by_name(event: str) -> Callable[[tuple[Any, ...]], str]:
    """Return what says which code an announcement's details mean; empty for nothing."""
    if event in SIMPLE:
        code = SIMPLE[event]
        return lambda _details: code
    return _READERS.get(event, _opened)


def _attribute_read(details: tuple[Any, ...]) -> str:
    return STACK_READ if _text(details[1]) in FRAMES else ""


def _attribute_set(details: tuple[Any, ...]) -> str:
    return CODE_CHANGED if _text(details[1]) in CHANGED else ""


def _imported(details: tuple[Any, ...]) -> str:
    return "mock_used" if _text(details[0]) in MOCKS else ""


def _compiled(details: tuple[Any, ...]) -> str:
    """Code that carries the file name of a library was given that name to hide."""
    return CODE_CHANGED if _text(details[1]).startswith(_LIBRARIES) else ""


def _text(given: Any) -> str:
    """Return a name as plain text: a class of a learner's may answer as it likes.

    By the real type, since `isinstance` would ask the object.
    """
    if issubclass(type(given), bytes):
        return bytes.decode(given, "utf-8", "replace")
    return str.__str__(given) if issubclass(type(given), str) else ""


def _opened(details: tuple[Any, ...]) -> str:
    if not issubclass(type(details[0]), _NAMED):
        return DEAF  # its path is told by its own code, to each who asks
    path = _text(details[0])
    if not path.startswith(("/proc/", "/dev/fd")):
        return ""
    return "process_files" if path.startswith("/dev/fd") or path.endswith(SECRETS) or (
        "/fd/" in path or "/task/" in path or "/map_files" in path
    ) else ""  # fmt: skip


_NAMED = (str, bytes, int, type(None))
"""What names a file by itself: a path, an open descriptor, or the working folder."""
_READERS: dict[str, Callable[[tuple[Any, ...]], str]] = {
    "object.__getattr__": _attribute_read,
    "object.__setattr__": _attribute_set,
    "compile": _compiled,
    "import": _imported,
}
_LIBRARIES = roots()


def _asker(of_code: OfCode) -> Callable[[FrameType | None, str], bool]:
    """Return what says whether a learner's code asked: itself, or through what only passes on."""

    def ask(frame: FrameType | None, event: str) -> bool:
        passing = next((f for begin, f in _PASS_ON if event.startswith(begin)), ("/guard_ear.py",))
        for _depth in range(DEEPEST):
            if frame is None:
                return False
            if of_code(frame.f_code, frame.f_globals):
                return True
            if not frame.f_code.co_filename.endswith(passing):
                return False
            frame = frame.f_back
        return False

    return ask


_PASS_ON: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("open", ("",)),
    ("os.listdir", ("",)),
    ("os.scandir", ("",)),
    ("sys._getframe", ("/guard_ear.py", "/inspect.py", "/traceback.py")),
    ("import", ("/guard_ear.py", "_bootstrap>", "_bootstrap_external>", "/importlib/__init__.py",
                "/unittest/__init__.py")),
    ("ctypes.", ("/guard_ear.py", "/ctypes/__init__.py")),
    ("socket.", ("/guard_ear.py", "/socket.py")),
    ("function.", ("/guard_ear.py", "/types.py")),
)  # fmt: skip
"""Library files that ask for whoever calls them; the empty end fits all."""
bind(globals())
