"""Grade many slots at once, each in a process that may die without harm to another.

Law: a worker that ends takes only its own submission with it; that one is tried
once more, then it is an error with a name. Workers hear no Ctrl-C of their own:
they end with whoever started them, and what they walled in ends with them.
"""

import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from types import FrameType
from typing import TypeVar

from bioskills.base.text import _
from bioskills.base.wire import GradeResult, Job
from bioskills.graders.grading import Bench, grade
from bioskills.graders.hand import end_with_parent
from bioskills.graders.sandbox import SandboxError

TRIES = 2
WARM = "bioskills.graders.warm"
Task = TypeVar("Task")
Prepare = Callable[[Task], tuple[Job, Path]]
"""Makes the slot of a task; called in this process, in any thread."""


def graded(
    tasks: Sequence[Task], prepare: "Prepare[Task]", bench: Bench, at_once: int
) -> Generator[tuple[Task, GradeResult | Exception], None, None]:
    """Yield every task with its result, or with why this machine could not grade it.

    Closing the iterator ends every worker.

    Args:
        tasks: What to grade, in any order.
        prepare: Makes a task's job and slot.
        bench: What grading needs of this machine.
        at_once: How many workers there are.
    """
    local = _Workers(bench)
    threads = ThreadPoolExecutor(at_once, thread_name_prefix="grade")
    try:
        waiting: dict[Future[GradeResult], Task] = {
            threads.submit(local.grade, prepare, task): task for task in tasks
        }
        for done in as_completed(waiting):
            error = done.exception()
            if error is not None and not isinstance(error, Exception):
                raise error
            yield waiting[done], error if error is not None else done.result()
    finally:
        local.end()
        threads.shutdown(wait=True, cancel_futures=True)


class _Workers:
    """One worker process for each thread that asks."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.own = threading.local()
        self.all: list[ProcessPoolExecutor] = []
        self.ended = False

    def grade(self, prepare: "Prepare[Task]", task: Task) -> GradeResult:
        """Grade one task in this thread's worker."""
        job, slot = prepare(task)
        for _try in range(TRIES):
            try:
                return self._pool().submit(grade, job, slot, self.bench).result()
            except BrokenProcessPool:
                self.own.pool = None
                if self.ended:
                    break
        raise SandboxError(_("The process that graded it ended twice; the machine's log says why."))

    def _pool(self) -> ProcessPoolExecutor:
        if getattr(self.own, "pool", None) is None:
            if self.ended:
                raise BrokenProcessPool
            # This process has threads, which no fork may copy; nbgrader is imported once for all.
            context = get_context("forkserver")
            context.set_forkserver_preload([WARM])
            made = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
            self.own.pool = made
            self.all.append(made)
        return self.own.pool  # type: ignore[no-any-return]

    def end(self) -> None:
        """End every worker now."""
        self.ended = True
        for pool in self.all:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 - shutdown() would wait for a loop
                with suppress(OSError, ValueError):
                    process.kill()
            pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Make ready in a new worker, which ends when what started it ends, however that was."""
    end_with_parent()
    # A handler, not SIG_IGN: that would pass to every program that is started from here.
    signal.signal(signal.SIGINT, _hear_nothing)


def _hear_nothing(_number: int, _frame: FrameType | None) -> None:
    """Leave Ctrl-C to whoever started this worker."""
