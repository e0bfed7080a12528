"""Make a run's folder ready, and release its assignments.

Law: sources come from the installed course version alone; the same sources give the
same release, so that doing it again changes nothing.
"""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bioskills.base.wire import Job
from bioskills.graders.campus_client import Campus
from bioskills.graders.intake import pack
from bioskills.graders.workshop import Workshop

log = logging.getLogger("bioskills.grader")
SPOOL = "spool"


def ready_workshop(shop: Workshop, job: Job, campus: Campus) -> Workshop:
    """Return the run's folder, made ready from its course version on first use."""
    marker = shop.root / "course.version"
    wanted = f"{job.course} {job.course_version}"
    if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
        return shop
    shop.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with spool(shop.root) as folder:
        package = folder / "course.zip"
        campus.fetch_course(job.course, job.course_version, package)
        shop.take_sources(package)
    marker.write_text(wanted, encoding="utf-8")
    return shop


def release(shop: Workshop, job: Job, campus: Campus) -> None:
    """Make and release the learner version of each assignment."""
    versions = {}
    for assignment in job.assignments:
        folder = shop.generate(assignment)
        with spool(shop.root) as place:
            done = campus.release(job.run, assignment, pack(folder, place / "release.tar"))
        versions[assignment] = done.version
        log.info("Released %s of %s as version %s", assignment, job.run, done.version)
    shop.keep_pristine()
    for assignment, version in versions.items():
        shop.keep_version(assignment, version)


@contextmanager
def spool(root: Path) -> Iterator[Path]:
    """Yield a folder for what is on its way, beside all runs; removed afterwards."""
    parent = root.parent.parent / SPOOL
    parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)
