"""Run the grader service: `python -m bioskills.graders`.

Law: refuses to start where its walls cannot be built; its token is read from
its own 0600 file and stands in no environment.
"""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SAWarning

from bioskills.base.places import places_of
from bioskills.base.settings import load_settings
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.graders.campus_client import Campus
from bioskills.graders.daemon import Grader, StoppingError
from bioskills.graders.engine import spare_imports
from bioskills.graders.sandbox import SandboxError, check_walls
from bioskills.graders.start import bench_of, executor_of

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
    places = places_of(settings)
    bench = bench_of(settings, places)
    try:
        check_walls(bench.limits)
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
        )
    )
    return 0


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
