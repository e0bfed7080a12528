"""Take work, grade it, hand it over, without anyone pressing a button.

Law (order of writes): the campus holds the durable intent before work begins;
the gradebook is one transaction; then folders are renamed into place; the
campus appends evidence and publishes in a transaction of its own. Ended
anywhere in between, the job is taken again when the grader starts (or when its
lease runs out) and done again, with the same result. The log holds numbers and
names of assignments, nothing that a learner or a test says.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from bioskills.base.wire import Claim, GradeResult, Job
from bioskills.graders.campus_client import Campus, CampusRefusedError
from bioskills.graders.gradebook import record
from bioskills.graders.grading import Bench, grade
from bioskills.graders.intake import pack, unpack
from bioskills.graders.sandbox import SandboxError
from bioskills.graders.workshop import GenerateError, Workshop, stamp, submitted_folder

log = logging.getLogger("bioskills.grader")
AWAY_PAUSE_S = 5.0
RUNS, SPOOL = "runs", "spool"

Reached = Callable[[str], None]
"""Called with the name of each step of a grading that was just finished."""


class StoppingError(BaseException):
    """Raised anywhere by a polite request to end; no handler of errors takes it for one."""


def _go_on(_step: str) -> None:
    """Do nothing after a step."""


@dataclass(frozen=True)
class Grader:
    """The service: one job after another.

    Attributes:
        root: The grader's own folder.
        campus: Where work comes from and goes to.
        bench: What grading needs of this machine.
        reached: Called after each step: claimed, fetched, graded, recorded, kept, delivered.
    """

    root: Path
    campus: Campus
    bench: Bench
    reached: Reached = _go_on
    wait_s: float = 20.0

    def step(self) -> bool:
        """Do one job if there is one; say whether there was."""
        found = self.campus.claim(Claim(environment=self.bench.key, holding=[], wait_s=self.wait_s))
        if found.taken_back:
            log.info(
                "Took back %d jobs that were under way when the grader ended", found.taken_back
            )
        if not found.jobs:
            return False
        (job,) = found.jobs
        began = time.monotonic()
        try:
            self.reached("claimed")
            verdict = self._do(job)
        except StoppingError:
            log.info("%s: put back, because the grader was asked to end", _named(job))
            with suppress(httpx.TransportError, CampusRefusedError):
                self.campus.put_back(job)
            raise
        except httpx.TransportError:
            raise  # the campus went away: when it is back, the job is taken back
        except (CampusRefusedError, GenerateError, SandboxError, OSError) as error:
            log.error("%s: failed: %s", _named(job), error)  # noqa: TRY400 - a sentence is enough
            self._say_failed(job, error)
        except Exception as error:  # one bad job must not end the service
            log.exception("%s: failed unexpectedly", _named(job))
            self._say_failed(job, error)
        else:
            log.info("%s: %s in %.1f s", _named(job), verdict, time.monotonic() - began)
        return True

    def _do(self, job: Job) -> str:
        if job.kind == "release":
            self.release(job)
            result = GradeResult(verdict="graded", cells=[])
        else:
            result = self.grade(job)
        self.campus.deliver(job, result)
        self.reached("delivered")
        return "released" if job.kind == "release" else result.verdict

    def _say_failed(self, job: Job, error: Exception) -> None:
        try:
            self.campus.fail(job, str(error) or type(error).__name__)
        except CampusRefusedError as refused:
            log.warning("%s: the campus did not take the failure: %s", _named(job), refused)

    def workshop(self, job: Job) -> Workshop:
        """Return the run's folder, made ready from its course version on first use."""
        shop = Workshop(self.root / RUNS / job.run)
        marker = shop.root / "course.version"
        wanted = f"{job.course} {job.course_version}"
        if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
            return shop
        shop.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._spool() as spool:
            package = spool / "course.zip"
            self.campus.fetch_course(job.course, job.course_version, package)
            shop.take_sources(package)
        marker.write_text(wanted, encoding="utf-8")
        return shop

    def release(self, job: Job) -> None:
        """Make and release the learner version of each assignment."""
        shop = self.workshop(job)
        for assignment in job.assignments:
            folder = shop.generate(assignment)
            with self._spool() as spool:
                tree = pack(folder, spool / "release.tar")
                done = self.campus.release(job.run, assignment, tree)
            log.info("Released %s of %s as version %s", assignment, job.run, done.version)
        shop.keep_pristine()

    def grade(self, job: Job) -> GradeResult:
        """Grade one submission and keep what was graded."""
        shop = self.workshop(job)
        shop.ensure_pristine()
        with shop.slot(job) as slot:
            self._fetch(job, slot)
            self.reached("fetched")
            result = grade(job, slot, self.bench)
            self.reached("graded")
            recorded = record(shop.gradebook_url, job, result)
            self.reached("recorded")
            if recorded is None:
                return result
            shop.keep(job, slot, "submitted")
            shop.keep(job, slot, "autograded")
            self.reached("kept")
            return recorded

    def _fetch(self, job: Job, slot: Path) -> None:
        folder = submitted_folder(slot, job)
        with self._spool() as spool:
            tar = spool / "submission.tar"
            self.campus.fetch_submission(job.run, job.submission_id or 0, tar)
            unpack(tar, folder)
        stamp(folder, job)

    @contextmanager
    def _spool(self) -> Iterator[Path]:
        parent = self.root / SPOOL
        parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            yield Path(folder)

    def recover(self) -> None:
        """Clear what an earlier grader left when it was killed."""
        shutil.rmtree(self.root / SPOOL, ignore_errors=True)
        for run in (self.root / RUNS).glob("*"):
            Workshop(run).clear_slots()

    def run(self, poll_s: float, ended: Callable[[], bool]) -> None:
        """Work until told to end; wait while nothing is there or the campus is away."""
        recovered = False
        while not ended():
            try:
                if not recovered:
                    self.recover()
                    recovered = True
                if not self.step():
                    time.sleep(poll_s)
            except (httpx.TransportError, CampusRefusedError) as error:
                log.warning("The campus cannot give work now (%s); trying again.", error)
                recovered = False
                time.sleep(AWAY_PAUSE_S)


def _named(job: Job) -> str:
    work = f"{job.kind} {', '.join(job.assignments)} of {job.run}"
    submission = f", submission {job.submission_id}" if job.learner else ""
    return f"Job {job.id} ({work}{submission})"
