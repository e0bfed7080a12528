"""Run nbgrader's converters, unmodified, with a configuration of ours.

Law: nbgrader's own converters and preprocessors decide every score; here is
only what stands around them. No file of a course configures anything, and what
nbgrader says while it works is kept from the log: it quotes notebooks.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, text

COURSE = "course"
"""nbgrader's course_id inside one folder; every run has a gradebook of its own."""


@dataclass(frozen=True)
class Outcome:
    """How a converter ended.

    Attributes:
        error: Class name of what stopped it; empty when it finished.
        said: nbgrader's last word about it. May quote a notebook.
    """

    error: str = ""
    said: str = ""


class _Listener(logging.Handler):
    """Notes which error the converter was handling when it logged one."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.error = ""
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error that is being handled: nbgrader logs it and goes on."""
        kind = sys.exc_info()[0]
        self.error = kind.__name__ if kind else self.error
        self.said = (record.getMessage().strip().splitlines() or [""])[-1]


def configuration(root: str, gradebook_url: str, cell_timeout_s: int = 30) -> Any:
    """Return nbgrader's configuration for a folder of ours."""
    from traitlets.config import Config  # noqa: PLC0415

    config = Config()
    config.CourseDirectory.root = root
    config.CourseDirectory.course_id = COURSE
    config.CourseDirectory.db_url = gradebook_url
    config.ExecutePreprocessor.timeout = cell_timeout_s
    config.Execute.timeout = cell_timeout_s
    # Kernels speak TCP: a sandbox has a loopback of its own. (With ipc and no connection
    # file yet, jupyter_client names sockets relative to two different working folders.)
    return config


def convert(make: Callable[..., Any], config: Any, assignment: str, learner: str = "") -> Outcome:
    """Run one converter class over one assignment.

    Args:
        make: `Autograde` or `GenerateAssignment`.
        config: As `configuration` returns it, with additions.
        assignment: Name of the assignment.
        learner: Pseudonym; empty where no submission is meant.
    """
    from nbgrader.coursedir import CourseDirectory  # noqa: PLC0415 - 1,300 modules, only where they are used

    folder = CourseDirectory(config=config)
    folder.assignment_id = assignment
    folder.student_id = learner or "."
    converter = make(coursedir=folder, config=config)
    converter.force = True
    with _listening(converter.log) as listener:
        try:
            converter.start()
        # nbgrader ends with SystemExit in places; any other error is an outcome as well.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            return Outcome(listener.error or type(error).__name__, listener.said or str(error))
    return Outcome()


def spare_imports() -> None:
    """Keep out of this process what nbgrader imports and nothing here needs: 1.9 CPU seconds."""
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]


def ensure_gradebook(url: str) -> None:
    """Make a gradebook with nbgrader's tables where there is none.

    Left to itself, nbgrader starts the program `alembic` to learn one revision: 3 CPU seconds.
    """
    import nbgrader.api  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    engine = create_engine(url)
    try:
        if inspect(engine).get_table_names():
            return
        migrations = Path(nbgrader.api.__file__).parent / "alembic"
        head = ScriptDirectory(str(migrations)).get_current_head()
        with engine.begin() as connection:
            nbgrader.api.Base.metadata.create_all(connection)
            connection.execute(
                text("create table alembic_version (version_num varchar(32) not null)")
            )
            connection.execute(text("insert into alembic_version values (:head)"), {"head": head})
    finally:
        engine.dispose()


@contextmanager
def _listening(log: Any) -> Iterator[_Listener]:
    listener = _Listener()
    before, handlers = log.propagate, list(log.handlers)
    log.propagate, log.handlers = False, [listener]
    try:
        yield listener
    finally:
        log.propagate, log.handlers = before, handlers
