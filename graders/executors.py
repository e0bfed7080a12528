"""Grade several hand-ins at one time, wherever that is.

Law: an executor is given orders and says what becomes of each: any number of times
how far it is, then one last word. It writes into the order's own folder and nowhere
else; gradebook, kept folders and campus belong to the one who ordered. What comes
back is text that is read as data. It may lose an order, never invent one.

Vocabulary: an *order* is a job with its files; a *hand* is a process that works on
one order at a time.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from bioskills.base.wire import Job, JobProgress, Wire

KEPT = ("submitted", "autograded")
"""Folders of nbgrader that stay after a grading."""


class Order(Wire):
    """One hand-in to grade.

    Attributes:
        job: What it is.
        shop: The run's folder, with the gradebook before the first hand-in and the data files.
        folder: The order's own. Holds the hand-in as `handed_in.tar`; receives `kept/<kind>/`.
    """

    job: Job
    shop: Path
    folder: Path

    @property
    def tar(self) -> Path:
        """The hand-in as the campus gave it."""
        return self.folder / "handed_in.tar"

    @property
    def slot(self) -> Path:
        """What grading may see."""
        return self.folder / "slot"

    def kept(self, kind: str) -> Path:
        """Return where a folder lies that is to be kept; perhaps there is none."""
        return self.folder / "kept" / kind


class Progress(Wire):
    """How far an order is."""

    kind: Literal["progress"] = "progress"
    job: int
    how: JobProgress


class Done(Wire):
    """An order is graded.

    Attributes:
        result: A `GradeResult` as JSON.
    """

    kind: Literal["done"] = "done"
    job: int
    result: str


class Failed(Wire):
    """An order could not be graded.

    Attributes:
        message: A sentence for the people who run this.
        at_once: Whether the next try need not wait, because its hand was ended from outside.
        counts: Whether this was a try: not where the way to all hands was lost.
    """

    kind: Literal["failed"] = "failed"
    job: int
    message: str
    at_once: bool = False
    counts: bool = True


Said = Progress | Done | Failed
Say = Callable[[Said], None]
"""Takes an executor's words, from any thread."""


class Executor(Protocol):
    """Somewhere to grade."""

    @property
    def at_once(self) -> int:
        """How many orders it works on at one time; 0 while it cannot be reached."""

    def submit(self, order: Order) -> None:
        """Begin an order, or let it wait for a free hand."""

    def close(self) -> None:
        """End everything that was begun; no word comes afterwards."""
