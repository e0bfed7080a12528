"""Take work, have it graded, hand it over, without anyone pressing a button.

Law (order of writes): a job that was given to us is the durable intent; grading
writes into its own folder; the gradebook is one transaction; then folders are
swapped into place; the campus appends evidence and publishes in a transaction of
its own. Only the thread here writes; hands only grade. Ended anywhere in between,
the job is taken again and done again, with the same result. The log holds numbers
and names of assignments, nothing that a learner or a test says.
"""

import logging
import queue
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx

from bioskills.base.wire import GradeResult, Job
from bioskills.graders.campus_client import Campus, CampusRefusedError
from bioskills.graders.executors import KEPT, Done, Executor, Failed, Order, Progress, Said, Say
from bioskills.graders.gradebook import Gradebooks
from bioskills.graders.releasing import SPOOL, ready_workshop, release
from bioskills.graders.sandbox import SandboxError
from bioskills.graders.supply import AWAY_PAUSE_S, Away, Broken, Held, Supply, Taken
from bioskills.graders.workshop import GenerateError, Workshop

log = logging.getLogger("bioskills.grader")
RUNS = "runs"

Reached = Callable[[str], None]
"""Called with the name of each step of a grading that was just finished."""
Start = Callable[[Say], Executor]
"""Makes the executor; takes where it is to say what becomes of its orders."""

T = TypeVar("T")


class StoppingError(BaseException):
    """Raised anywhere by a polite request to end; no handler of errors takes it for one."""


Check = Callable[[Workshop, Job, str], str]
"""Tries a released assignment; returns what the instructor must know of it, or nothing."""


def _go_on(_step: str) -> None:
    """Do nothing after a step."""


class Grader:
    """The service: many jobs at one time, one writer.

    Args:
        root: The grader's own folder.
        campus: Where work comes from and goes to.
        key: Names what is graded with, environment and limits.
        start: Makes the executor.
        gradebooks: URL of gradebooks with `{run}`; empty: a file in each run's folder.
        wait_s: How long one question for work waits at the campus.
        check: Tries each released assignment.
        reached: Called after each step: claimed, fetched, graded, recorded, kept, delivered.
    """

    def __init__(
        self,
        root: Path,
        campus: Campus,
        key: str,
        start: Start,
        *,
        gradebooks: str = "",
        wait_s: float = 20.0,
        reached: Reached = _go_on,
        check: Check = lambda _shop, _job, _assignment: "",
    ) -> None:
        self.root, self.campus, self.reached = root, campus, reached
        self._check = check
        self._key, self._start, self._template, self._wait_s = key, start, gradebooks, wait_s
        self._events: queue.SimpleQueue[Said | Taken | Away | Broken] = queue.SimpleQueue()
        self._held, self._books = Held(), Gradebooks()
        self._orders: dict[int, Order] = {}
        self._began: dict[int, float] = {}
        self._ended_last = 0.0
        self.is_idle = False
        """Whether nothing is held, and nothing waited when that was asked last."""

    def run(self, ended: Callable[[], bool]) -> None:
        """Work until told to end; a polite request to end puts back what is under way."""
        self.recover()
        self._executor = self._start(self._events.put)
        supply = Supply(
            self.campus,
            self._key,
            self._held,
            self._executor,
            say=self._events.put,
            wait_s=self._wait_s,
        )
        supply.start()
        try:
            while not ended():
                self._hear(self._events.get())
        finally:
            supply.stop()
            self._executor.close()
            self._let_go()
            self._books.close()

    def recover(self) -> None:
        """Clear and mend what an earlier grader left when it was killed."""
        shutil.rmtree(self.root / SPOOL, ignore_errors=True)
        for run in (self.root / RUNS).glob("*"):
            Workshop(run).recover()

    def _hear(self, event: Said | Taken | Away | Broken) -> None:
        match event:
            case Taken():
                self._take(event)
            case Away():
                log.warning("The campus cannot give work now (%s); asking again.", event.error)
            case Broken():
                raise event.error
            case Progress():
                self._pass_on(event)
            case Done():
                self._finish(event)
            case Failed():
                self._give_back(event)

    def _take(self, taken: Taken) -> None:
        if taken.taken_back:
            log.info("Took back %d jobs that nobody worked on any more", taken.taken_back)
        self.is_idle = not self._held.all() and taken.asked > self._ended_last
        for job in taken.jobs:
            self._began[job.id] = time.monotonic()
            with self._blaming(job):
                self.reached("claimed")
                if job.kind == "release":
                    self._release(job)
                else:
                    self._submit(job)

    def _release(self, job: Job) -> None:
        shop = self._workshop(job)
        release(shop, job, self.campus)
        said = [self._check(shop, job, assignment) for assignment in job.assignments]
        reason = " ".join(filter(None, said))
        if reason:
            log.warning("Released %s with a reservation: %s", job.run, reason)
        self._deliver(job, GradeResult(verdict="graded", reason=reason, cells=[]), "released")

    def _submit(self, job: Job) -> None:
        shop = self._workshop(job)
        shop.ensure_pristine()
        order = Order(job=job, shop=shop.root, folder=shop.new_folder(job))
        self._orders[job.id] = order
        self._patiently(
            lambda: self.campus.fetch_submission(job.run, job.submission_id or 0, order.tar)
        )
        self.reached("fetched")
        self._executor.submit(order)

    def _finish(self, done: Done) -> None:
        job, order = self._held.jobs.get(done.job), self._orders.get(done.job)
        if job is None or order is None:
            return
        with self._blaming(job):
            result = GradeResult.model_validate_json(done.result)
            self.reached("graded")
            shop = self._shop(job)
            recorded = self._books.record(shop.gradebook_url, job, result)
            self.reached("recorded")
            if recorded is not None:
                for kind in KEPT:
                    shop.keep(job, order.kept(kind), kind)
                self.reached("kept")
            self._deliver(job, recorded or result, result.verdict)

    def _deliver(self, job: Job, result: GradeResult, verdict: str) -> None:
        self._patiently(lambda: self.campus.deliver(job, result))
        self.reached("delivered")
        log.info("%s: %s in %.1f s", _named(job), verdict, time.monotonic() - self._began[job.id])
        self._forget(job)

    def _pass_on(self, progress: Progress) -> None:
        """Tell the campus how far a job is, where there is nothing better to do."""
        if self._events.empty() and progress.job in self._held.jobs:
            with suppress(httpx.TransportError, CampusRefusedError):
                self.campus.tell(progress.job, progress.how)

    def _give_back(self, failed: Failed) -> None:
        job = self._held.jobs.get(failed.job)
        if job is None:
            return
        log.error("%s: failed: %s", _named(job), failed.message)
        with suppress(CampusRefusedError):
            if failed.counts:
                self._patiently(
                    lambda: self.campus.fail(job, failed.message, at_once=failed.at_once)
                )
            else:
                self._patiently(lambda: self.campus.put_back(job))
        self._forget(job)

    @contextmanager
    def _blaming(self, job: Job) -> Iterator[None]:
        """Turn an error into a failed try of this job."""
        try:
            yield
        except (CampusRefusedError, GenerateError, SandboxError, OSError) as error:
            self._give_back(Failed(job=job.id, message=str(error) or type(error).__name__))
        except httpx.TransportError as error:
            # The campus went away in the middle: nothing of this is the job's fault.
            self._give_back(Failed(job=job.id, message=str(error), counts=False))
        except Exception as error:  # one bad job must not end the service
            log.exception("%s: failed unexpectedly", _named(job))
            self._give_back(Failed(job=job.id, message=str(error) or type(error).__name__))

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask the campus until it answers; hands go on with their work meanwhile."""
        while True:
            try:
                return ask()
            except httpx.TransportError as error:
                log.warning("The campus does not answer (%s); trying again.", error)
                time.sleep(AWAY_PAUSE_S)

    def _forget(self, job: Job) -> None:
        order = self._orders.pop(job.id, None)
        self._began.pop(job.id, None)
        if order is not None:
            shutil.rmtree(order.folder, ignore_errors=True)
        self._held.drop(job)
        self._ended_last = time.monotonic()

    def _let_go(self) -> None:
        for job in self._held.all():
            log.info("%s: put back, because the grader was asked to end", _named(job))
            self._forget(job)
        with suppress(httpx.TransportError, CampusRefusedError):
            self.campus.let_go()

    def _shop(self, job: Job) -> Workshop:
        return Workshop(self.root / RUNS / job.run, self._template)

    def _workshop(self, job: Job) -> Workshop:
        return self._patiently(lambda: ready_workshop(self._shop(job), job, self.campus))


def _named(job: Job) -> str:
    work = f"{job.kind} {', '.join(job.assignments)} of {job.run}"
    submission = f", submission {job.submission_id}" if job.learner else ""
    return f"Job {job.id} ({work}{submission})"
