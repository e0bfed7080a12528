"""Tell the campus what only root can find out: the doctor's checks, the sizes of homes.

Law: the campus gets no right for it. It changes the time of one file of its own, which says
*please look*; that time is all that is read of it. `bioskills run`, which is root, then does
one fixed thing in a process of its own, and lays the answer where the campus may read it and
nobody may write. Not sooner than `PAUSE_S` after the last answer, whoever asks; once a day
unasked.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from bioskills.base.places import Places
from bioskills.base.wire import Wire
from bioskills.hub.doctor import Level
from bioskills.hub.side_process import SideProcess

WISH = "report.wanted"
REPORT = "report.json"
PAUSE_S = 20.0
FIRST_AFTER_S, EACH_S = 600.0, 86_400.0
LONGEST_S = 300.0
READABLE = 0o640


class CheckMade(Wire):
    """What one check of the doctor found."""

    name: str
    level: Level
    sentence: str
    next: str = ""


class HomeSize(Wire):
    """What one home holds; at least that much where it could not be looked through."""

    uid: int
    used: int
    whole: bool


class Report(Wire):
    """What was found at one time.

    Attributes:
        at: When the look began.
        seconds: How long it took.
        as_root: Whether root looked; without, some checks say less.
        checks: In the doctor's order.
        homes: Of every learner that has one, as far as there was time.
        homes_left: How many homes there was no time for.
        folders: What the folders of the services hold, by name.
    """

    at: datetime
    seconds: float
    as_root: bool
    checks: list[CheckMade]
    homes: list[HomeSize]
    homes_left: int = 0
    folders: dict[str, int] = {}  # noqa: RUF012 - pydantic copies it


def read_report(places: Places) -> Report | None:
    """Return the newest report; None where there is none that can be read."""
    try:
        return Report.model_validate_json((places.reports / REPORT).read_bytes())
    except (OSError, ValidationError):
        return None


def ask_for_report(places: Places) -> None:
    """Say that a new report is wished for; asking again changes nothing."""
    (places.campus / WISH).touch(mode=0o600)


def is_asked(places: Places, report: Report | None) -> bool:
    """Say whether somebody waits for a report that has not come."""
    wished = _changed_at(places.campus / WISH)
    return wished > 0 and (report is None or wished > report.at.timestamp())


class Reports:
    """Makes the reports of one installation; asked now and then by whoever has root.

    Args:
        places: The installation.
        group: The group that may read them.
        clock: Monotonic seconds.
    """

    def __init__(
        self, places: Places, group: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._places, self._group, self._clock = places, group, clock
        self._next = clock() + FIRST_AFTER_S
        self._not_before = 0.0
        self._answered = _changed_at(places.campus / WISH)
        self._worker = SideProcess("bioskills.hub.report_worker", LONGEST_S, clock)

    def tick(self) -> None:
        """Begin a report that is due, or lay down one that is done; never waits."""
        if self._worker.is_under_way:
            self._look_after()
            return
        wished = _changed_at(self._places.campus / WISH)
        now = self._clock()
        if now >= self._next or (wished > self._answered and now >= self._not_before):
            self._answered, self._next = wished, now + EACH_S
            log = self._places.logs / "report.log"
            with self._staged.open("wb") as answer, log.open("wb") as failures:
                self._worker.begin(answer, failures)

    def end(self) -> None:
        """End what is under way."""
        self._worker.end()

    @property
    def _staged(self) -> Path:
        return self._places.reports / f"{REPORT}.new"

    def _look_after(self) -> None:
        code = self._worker.look()
        if code is not None:
            self._not_before = self._clock() + PAUSE_S
        if code == 0:
            self._lay_down()

    def _lay_down(self) -> None:
        with suppress(OSError):
            if os.geteuid() == 0:
                os.chown(self._staged, 0, self._group)
            self._staged.chmod(READABLE)
            self._staged.rename(self._places.reports / REPORT)


def as_json(report: Report) -> str:
    """Return a report as it is laid down."""
    return json.dumps(report.model_dump(mode="json"), indent=1)


def _changed_at(path: Path) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0
