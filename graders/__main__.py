"""Run the grader service: `python -m bioskills.graders`.

Law: refuses to start where its walls cannot be built; its token is read from
its own 0600 file and stands in no environment.
"""

import hashlib
import logging
import os
import signal
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import SAWarning

from bioskills.base.places import Places, places_of
from bioskills.base.runtime import one_account_for_all, runtime_dir
from bioskills.base.settings import Settings, load_settings
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.graders.box import open_box
from bioskills.graders.campus_client import Campus
from bioskills.graders.daemon import Grader, StoppingError
from bioskills.graders.engine import spare_imports
from bioskills.graders.grading import Bench
from bioskills.graders.own_parent import WardenDoor
from bioskills.graders.sandbox import Limits, SandboxError

MARKER = ".complete"
STARTING_S = 90.0
log = logging.getLogger("bioskills.grader")


def bench_of(settings: Settings, places: Places) -> Bench:
    """Return what grading needs of this machine."""
    lab, course, given = places.environment("lab"), places.environment("course"), settings.grading
    return Bench(
        lab=lab,
        course=course,
        cell_timeout_s=given.cell_timeout_s,
        job_timeout_s=given.job_timeout_s,
        key=f"course:{_content_key(course)}",
        limits=Limits(given.memory_mb, given.processes, given.disk_mb),
        # Where root started everything, the fork server makes boxes; otherwise we do.
        door=None
        if one_account_for_all(places.state)
        else WardenDoor(runtime_dir(settings) / "warden.sock"),
    )


def _content_key(environment: Path) -> str:
    """Return a short hash that changes with the environment's content."""
    marker = environment / MARKER
    found = marker.read_bytes() if marker.exists() else str(environment).encode()
    return hashlib.sha256(found).hexdigest()[:16]


def main() -> int:
    """Serve until SIGTERM."""
    os.umask(0o077)
    spare_imports()
    warnings.filterwarnings("ignore", category=SAWarning)  # nbgrader 0.9.6 on SQLAlchemy 2: noise
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("httpx", "traitlets", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    settings = load_settings()
    places = places_of(settings)
    bench = bench_of(settings, places)
    try:
        check_box(bench)
    except SandboxError as error:
        log.error("%s", error)  # noqa: TRY400 - a sentence is enough
        return 1
    token = (places.grader / "campus_token").read_text(encoding="ascii").strip()
    url = f"http://127.0.0.1:{settings.network.campus_port}{CAMPUS_PREFIX}"
    _serve(Grader(places.grader, Campus(url, token), bench), settings.grading.poll_s)
    return 0


def check_box(bench: Bench) -> None:
    """Make one box and end it; wait for a fork server that is only starting.

    Raises:
        SandboxError: Grading does not work on this machine.
    """
    end = time.monotonic() + STARTING_S
    while True:
        try:
            with tempfile.TemporaryDirectory() as empty:
                limits = bench.limits.of_a_box(bench.job_timeout_s)
                open_box(bench.way_in(), bench.course, limits, Path(empty)).close()
        except SandboxError:
            if bench.door is None or time.monotonic() > end:
                raise
            time.sleep(1)
        else:
            return


def _serve(grader: Grader, poll_s: float) -> None:
    """Work until SIGTERM; a job under way is put back."""

    def stop(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise StoppingError

    signal.signal(signal.SIGTERM, stop)
    with suppress(StoppingError):
        log.info("Waiting for work")
        grader.run(poll_s, lambda: False)
    log.info("Ended")


if __name__ == "__main__":
    sys.exit(main())
