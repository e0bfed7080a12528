"""Remember which submissions of a folder are graded.

Law: one small file for each assignment, replaced whole; an unreadable one is an
empty one, and its submissions are graded again. Two runs at once are refused. A
course of somebody else's may hold links: none is written through.
"""

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

from bioskills.base.problems import SetupError
from bioskills.base.text import _


@dataclass(frozen=True)
class Done:
    """One graded submission.

    Attributes:
        key: Hash of all that the result depends on.
        verdict: `graded` or `needs_person`.
        reason: A sentence where there is something to say.
        parts: CPU seconds by part of the work.
    """

    key: str
    verdict: str
    reason: str = ""
    parts: dict[str, float] = field(default_factory=dict)


@dataclass
class Record:
    """What is graded of one assignment, by learner."""

    path: Path
    done: dict[str, Done] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, assignment: str) -> "Record":
        """Return the record that lies in this folder."""
        path = folder / f"{assignment}.json"
        try:
            content = json.loads(path.read_text("utf-8"))
            done = {str(name): Done(**given) for name, given in content.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            done = {}
        return cls(path, done)

    def note(self, student: str, done: Done) -> None:
        """Remember one more submission."""
        self.done[student] = done
        held = {name: asdict(given) for name, given in sorted(self.done.items())}
        write_whole(self.path, json.dumps(held, indent=1, ensure_ascii=False))


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there as a whole or as it was before."""
    staged = path.with_name(f".{path.name}.new")
    staged.unlink(missing_ok=True)
    # "x": whatever somebody has put there meanwhile is not written through.
    with staged.open("x", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a second run over the same course out.

    Args:
        folder: Our folder inside the course.

    Raises:
        SetupError: One is under way, or what lies there is not ours.
    """
    for place in (folder, folder / "graded"):
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            message = _("{path} is no folder of its own. Remove it, then run the command again.")
            raise SetupError(message.format(path=place))
        place.mkdir(mode=0o700, exist_ok=True)
    with _opened(folder / "lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SetupError(
                _("This folder is being graded by another command. Wait until that is through.")
            ) from error
        yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def whole_step() -> Iterator[None]:
    """Hold Ctrl-C back until the block is through."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
