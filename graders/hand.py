"""Work as one hand: grade one order after another.

Law: runs in a process of its own, forked from one that has imported nbgrader once.
It takes orders from a pipe and answers with JSON. Nothing that a hand-in does ends
it; it ends when whoever started it ends. Files come from the order's folder alone.
"""

import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SAWarning

from bioskills.base.wire import GradeResult, JobProgress
from bioskills.graders.executors import KEPT, Done, Failed, Order, Progress, Said
from bioskills.graders.grading import Bench, grade
from bioskills.graders.intake import copy_regular, unpack
from bioskills.graders.sandbox import SandboxError
from bioskills.graders.warm_check import bench_for
from bioskills.graders.workshop import Workshop, stamp, submitted_folder

log = logging.getLogger("bioskills.grader")
TELL_S = 1.0
"""Least seconds between two words about one order: most are done before the first."""
ORDERS_PER_HAND = 500
"""A hand is replaced after so many: what libraries never give back stays bounded."""

Tell = Callable[[str, int, int], None]
"""Takes the step, the cells that were run, and of how many."""
Run = Callable[[Order, Bench, Tell], GradeResult]
"""Grades one order; `run_one`, or in a test another whose walls and kernels are not in question."""


def run_one(order: Order, bench: Bench, tell: Tell) -> GradeResult:
    """Grade one hand-in in its slot, and lay out what is to be kept.

    Args:
        order: The folder holds the hand-in; slot and kept folders are added.
        bench: What grading needs of this machine.
        tell: Called as often as there is something to say.
    """
    job, assignment = order.job, order.job.assignments[0]
    Workshop(order.shop).lay_out(assignment, order.slot, job.version)
    folder = submitted_folder(order.slot, job)
    unpack(order.tar, folder)
    stamp(folder, job)
    tell("fetched", 0, 0)
    own = bench_for(Path(order.shop), job, bench)
    result = grade(job, order.slot, own, tell)
    for kind in KEPT:
        _keep(order.slot / kind / job.learner / assignment, order.kept(kind))
    return result


def _keep(found: Path, place: Path) -> None:
    if found.is_dir() and not found.is_symlink():
        copy_regular(found, place)


def answer(order: Order, bench: Bench, say: Callable[[Said], None], run: Run = run_one) -> None:
    """Grade an order, and say what became of it; whatever happens, one last word comes."""
    try:
        result = run(order, bench, _Rarely(order, say).tell)
    except (SandboxError, OSError) as error:
        say(Failed(job=order.job.id, message=str(error) or type(error).__name__))
    except Exception as error:  # one bad hand-in must not end a hand
        log.exception("Job %d failed unexpectedly", order.job.id)
        say(Failed(job=order.job.id, message=str(error) or type(error).__name__))
    else:
        say(Done(job=order.job.id, result=result.model_dump_json()))


class _Rarely:
    """Passes on what grading tells, now and then."""

    def __init__(self, order: Order, say: Callable[[Said], None]) -> None:
        self._job, self._say, self._again = order.job.id, say, time.monotonic() + TELL_S

    def tell(self, step: Any, done: int, of: int) -> None:
        """Say it where the last word was long enough ago."""
        if time.monotonic() < self._again:
            return
        self._again = time.monotonic() + TELL_S
        self._say(Progress(job=self._job, how=JobProgress(step=step, done=done, of=of)))


def work(line: Any, bench: Bench, run: Run = run_one) -> None:
    """Be a hand until the line is closed, or a new hand is due."""
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.filterwarnings("ignore", category=SAWarning)  # nbgrader 0.9.6 on SQLAlchemy 2: noise

    def say(said: Said) -> None:
        line.send_bytes(said.model_dump_json().encode())

    for _count in range(ORDERS_PER_HAND):
        try:
            order = Order.model_validate_json(line.recv_bytes())
        except (EOFError, OSError):
            return
        answer(order, bench, say, run)


def end_with_parent() -> None:
    """End this process in the middle of its work when the one that started it ends.

    multiprocessing itself does not: its fork server ends after all its children, and a child
    that waits for orders holds the other end of its own line.
    """
    parent = parent_process()
    assert parent is not None  # noqa: S101 - this is a child

    def watch() -> None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
