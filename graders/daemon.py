"""Take work, grade it, hand it over, without anyone pressing a button.

Law (order of writes): the campus holds the durable intent before work begins;
files are kept by rename; the gradebook is one transaction; the campus appends
evidence and publishes in one of its own. Ended anywhere in between, the job's
lease runs out and it is done again, with the same result.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from bioskills.base.wire import GradeResult, Job
from bioskills.graders.campus_client import Campus, CampusRefusedError
from bioskills.graders.gradebook import record
from bioskills.graders.grading import Bench, grade
from bioskills.graders.intake import pack, unpack
from bioskills.graders.sandbox import SandboxError
from bioskills.graders.workshop import PRISTINE, GenerateError, Workshop, submitted_folder

log = logging.getLogger("bioskills.grader")
AWAY_PAUSE_S = 5.0


@dataclass(frozen=True)
class Grader:
    """The service: one job after another."""

    root: Path
    campus: Campus
    bench: Bench

    def step(self) -> bool:
        """Do one job if there is one; say whether there was."""
        job = self.campus.claim()
        if job is None:
            return False
        began = time.monotonic()
        try:
            self.campus.intend(job)
            self._do(job)
        except (CampusRefusedError, GenerateError, SandboxError, OSError) as error:
            log.error("Job %s (%s of %s) failed: %s", job.id, job.kind, job.run, error)  # noqa: TRY400 - a sentence is enough
            self._say_failed(job, error)
        except Exception as error:  # one bad job must not end the service
            log.exception("Job %s (%s of %s) failed unexpectedly", job.id, job.kind, job.run)
            self._say_failed(job, error)
        else:
            log.info(
                "Did job %s (%s of %s) in %.1f s",
                job.id,
                job.kind,
                job.run,
                time.monotonic() - began,
            )
        return True

    def _do(self, job: Job) -> None:
        if job.kind == "release":
            self.release(job)
            self.campus.deliver(job, GradeResult(verdict="graded", cells=[]))
        else:
            self.campus.deliver(job, self.grade(job))

    def _say_failed(self, job: Job, error: Exception) -> None:
        try:
            self.campus.fail(job, str(error) or type(error).__name__)
        except CampusRefusedError as refused:
            log.warning("The campus did not take the failure of job %s: %s", job.id, refused)

    def workshop(self, job: Job) -> Workshop:
        """Return the run's folder, made ready from its course version on first use."""
        shop = Workshop(self.root / "runs" / job.run)
        marker = shop.root / "course.version"
        wanted = f"{job.course} {job.course_version}"
        if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
            return shop
        shop.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.root) as spool:
            package = Path(spool) / "course.zip"
            self.campus.fetch_course(job.course, job.course_version, package)
            shop.take_sources(package)
        marker.write_text(wanted, encoding="utf-8")
        return shop

    def release(self, job: Job) -> None:
        """Make and release the learner version of each assignment."""
        shop = self.workshop(job)
        for assignment in job.assignments:
            folder = shop.generate(assignment)
            with tempfile.TemporaryDirectory(dir=self.root) as spool:
                done = self.campus.release(
                    job.run, assignment, pack(folder, Path(spool) / "release.tar")
                )
            log.info("Released %s/%s version %s", job.run, assignment, done.version)
        shop.keep_pristine()

    def grade(self, job: Job) -> GradeResult:
        """Grade one submission and keep what was graded."""
        shop = self.workshop(job)
        if not (shop.root / PRISTINE).exists():
            # The folder was lost or the run is older than it: make the gradebook again.
            for assignment in sorted(path.name for path in (shop.root / "source").iterdir()):
                shop.generate(assignment)
            shop.keep_pristine()
        with shop.slot(job) as slot:
            self._fetch(job, slot)
            result = grade(job, slot, self.bench)
            shop.keep(job, slot, "submitted")
            shop.keep(job, slot, "autograded")
        record(shop.gradebook_url, job, result.cells)
        return result

    def _fetch(self, job: Job, slot: Path) -> None:
        folder = submitted_folder(slot, job)
        with tempfile.TemporaryDirectory(dir=self.root) as spool:
            tar = Path(spool) / "submission.tar"
            self.campus.fetch_submission(job.run, job.submission_id or 0, tar)
            unpack(tar, folder)

    def run(self, poll_s: float, ended: Callable[[], bool]) -> None:
        """Work until told to end; wait while nothing is there or the campus is away."""
        shutil.rmtree(self.root / "spool", ignore_errors=True)
        while not ended():
            try:
                busy = self.step()
            except (httpx.TransportError, CampusRefusedError) as error:
                log.warning("The campus cannot give work now (%s); trying again.", error)
                busy = False
                time.sleep(AWAY_PAUSE_S)
            if not busy:
                time.sleep(poll_s)
