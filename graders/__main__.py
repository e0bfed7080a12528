"""Run the grader service: `python -m bioskills.graders`.

Law: refuses to start where its walls cannot be built; its token is read from
its own 0600 file and stands in no environment.
"""

import logging
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SAWarning

from bioskills.base.places import places_of
from bioskills.base.settings import load_settings
from bioskills.base.text import use_language
from bioskills.base.wire import CAMPUS_PREFIX, Job
from bioskills.graders.box import open_box
from bioskills.graders.campus_client import Campus
from bioskills.graders.daemon import Grader, StoppingError
from bioskills.graders.engine import spare_imports
from bioskills.graders.grading import Bench
from bioskills.graders.sandbox import SandboxError
from bioskills.graders.start import bench_of, executor_of
from bioskills.graders.workshop import Workshop

STARTING_S = 90.0
log = logging.getLogger("bioskills.grader")


def main() -> int:
    """Serve until SIGTERM."""
    os.umask(0o077)
    spare_imports()
    warnings.filterwarnings("ignore", category=SAWarning)  # nbgrader 0.9.6 on SQLAlchemy 2: noise
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("httpx", "traitlets", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    settings = load_settings()
    use_language(settings.site.language)
    places = places_of(settings)
    bench = bench_of(settings, places)
    try:
        bench = with_box(bench)
    except SandboxError as error:
        log.error("%s", error)  # noqa: TRY400 - a sentence is enough
        return 1
    token = (places.grader / "campus_token").read_text(encoding="ascii").strip()
    url = f"http://127.0.0.1:{settings.network.campus_port}{CAMPUS_PREFIX}"
    given = settings.grading
    serve(
        Grader(
            places.grader,
            Campus(url, token),
            bench.key,
            executor_of(settings, bench),
            gradebooks=given.gradebook_url,
            wait_s=given.wait_s,
            check=partial(try_release, bench),
        )
    )
    return 0


def try_release(bench: Bench, shop: Workshop, job: Job, assignment: str) -> str:
    """Return why an assignment is graded in new kernels; empty where forked ones do as well."""
    from bioskills.graders.warm_check import check  # noqa: PLC0415 - needed at releases alone

    return check(shop, job, assignment, bench)


def with_box(bench: Bench) -> Bench:
    """Return the bench with a way to boxes, after one was made; wait for a fork server that starts.

    Raises:
        SandboxError: Grading does not work on this machine.
    """
    end = time.monotonic() + STARTING_S
    while True:
        try:
            with tempfile.TemporaryDirectory() as empty:
                limits, door = bench.limits.of_a_box(bench.job_timeout_s), bench.way_in()
                open_box(door, bench.course, limits, Path(empty)).close()
        except SandboxError:
            if bench.door is None or time.monotonic() > end:
                raise
            time.sleep(1)
        else:
            return replace(bench, door=door)


def serve(grader: Grader, ended: Callable[[], bool] = lambda: False) -> None:
    """Work until SIGTERM; what is under way then is put back."""

    def stop(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise StoppingError

    signal.signal(signal.SIGTERM, stop)
    with suppress(StoppingError):
        log.info("Waiting for work")
        grader.run(ended)
    log.info("Ended")


if __name__ == "__main__":
    sys.exit(main())
