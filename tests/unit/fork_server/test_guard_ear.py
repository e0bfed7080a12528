"""The ear that hears what a learner's code asks of Python; each in a process of its own: it stays."""

import subprocess
import sys
import threading
from typing import Any

import pytest

from bioskills.fork_server import guard_ear, guard_origin

LISTEN = """
import sys
from bioskills.fork_server import guard_ear, guard_origin
said = []
def judge(code, names):
    {judge}
guard_ear.listen(judge, lambda *found: said.append(found))
sys._getframe()
print(said)
"""


@pytest.mark.parametrize(
    ("judge", "heard"),
    [
        ("return True", [("stack_read", "sys._getframe")]),
        ("return False", []),
        # What cannot be judged is said, and what the code does goes on.
        ("raise ValueError", [("guard_failed", "sys._getframe")]),
    ],
)
def test_what_is_asked_is_told_and_what_cannot_be_judged_too(
    judge: str, heard: list[tuple[str, str]]
) -> None:
    command = [sys.executable, "-c", LISTEN.format(judge=judge)]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.stdout.strip() == str(heard), done.stderr


class Trap(str):
    """A text that does something whenever it is asked what it is."""

    __slots__ = ()

    def _sprung(self, *_asked: object) -> Any:
        raise AssertionError("code of a learner's ran while nobody heard")

    __hash__ = __eq__ = __str__ = startswith = endswith = _sprung  # type: ignore[assignment]
    __class__ = property(_sprung)  # type: ignore[assignment]


class TrapPath:
    """A path that its own code tells."""

    __fspath__ = Trap._sprung
    __class__ = property(Trap._sprung)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("reads", "given", "code"),
    [
        (guard_ear._attribute_read, (None, Trap("tb_frame")), "stack_read"),
        (guard_ear._attribute_set, (None, Trap("__code__")), "code_changed"),
        (guard_ear._imported, (Trap("unittest.mock"),), "mock_used"),
        (guard_ear._opened, (Trap("/proc/self/mem"),), "process_files"),
        (guard_ear._opened, (b"/proc/self/mem",), "process_files"),
        (guard_ear._opened, (TrapPath(),), "guard_failed"),
        (guard_ear._opened, ("notes.txt",), ""),
        (guard_ear._opened, (7,), ""),
    ],
)
def test_names_are_read_without_asking_them(reads: Any, given: tuple[Any, ...], code: str) -> None:
    assert reads(given) == code


def test_what_a_thread_or_a_timer_will_call_is_seen() -> None:
    def own() -> None:
        """Do nothing."""

    assert own in guard_origin.called_by(threading.Thread(target=own))
    assert own in guard_origin.called_by(threading.Timer(1, own))
    assert guard_origin.called_by(own) == ()
