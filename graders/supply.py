"""Ask the campus for work, as much as there are free hands for.

Law: the campus's job table is the record of all work; here is only which of it this
grader holds now. Every question says what is held, so that what was lost on the way
comes back. One question at a time; it waits at the campus until there is work.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from bioskills.base.wire import Claim, Job
from bioskills.graders.campus_client import Campus, CampusRefusedError
from bioskills.graders.executors import Executor

AWAY_PAUSE_S = 2.0
SPARE = 1
"""Orders that wait beside those in work, so that no hand waits for its next."""


@dataclass(frozen=True)
class Taken:
    """What one question gave.

    Attributes:
        asked: When it was asked, on the clock of `time.monotonic`.
    """

    jobs: list[Job]
    taken_back: int
    asked: float


@dataclass(frozen=True)
class Away:
    """The campus gave no answer; it is asked again."""

    error: Exception


@dataclass(frozen=True)
class Broken:
    """A part that must not end has ended; the service cannot go on."""

    error: Exception


@dataclass
class Held:
    """The jobs that this grader holds, by number."""

    jobs: dict[int, Job] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, jobs: list[Job]) -> None:
        """Hold these as well."""
        with self.changed:
            self.jobs.update({job.id: job for job in jobs})

    def drop(self, job: Job) -> None:
        """Hold this no longer; the same job that was given to us again meanwhile stays."""
        with self.changed:
            if self.jobs.get(job.id) is job:
                del self.jobs[job.id]
            self.changed.notify_all()

    def all(self) -> list[Job]:
        """Return what is held now."""
        with self.changed:
            return list(self.jobs.values())


class Supply(threading.Thread):
    """Asks for work until it is told to stop."""

    def __init__(
        self,
        campus: Campus,
        key: str,
        held: Held,
        executor: Executor,
        *,
        say: Callable[[Taken | Away | Broken], None],
        wait_s: float,
    ) -> None:
        super().__init__(name="supply", daemon=True)
        self._campus, self._key, self._held = campus, key, held
        self._executor, self._say, self._wait_s = executor, say, wait_s
        self._ended = threading.Event()

    def stop(self) -> None:
        """Ask nothing more; a question under way is left alone."""
        self._ended.set()
        with self._held.changed:
            self._held.changed.notify_all()

    def run(self) -> None:
        """Ask, hand over, wait for room, and ask again."""
        try:
            while not self._ended.is_set():
                room = self._room()
                if room:
                    self._ask(room)
        except Exception as error:  # noqa: BLE001 - a thread that ends unseen would stop all work
            self._say(Broken(error))

    def _room(self) -> int:
        """Return for how many jobs there is room; wait a moment where there is none."""
        with self._held.changed:
            at_once = self._executor.at_once
            room = at_once + SPARE - len(self._held.jobs) if at_once else 0
            if room < 1 and not self._ended.is_set():
                self._held.changed.wait(1.0)  # the executor may come back without a word
            return max(room, 0)

    def _ask(self, room: int) -> None:
        asked = time.monotonic()
        holding = [job.id for job in self._held.all()]
        ask = Claim(
            at_most=min(room, 64), environment=self._key, holding=holding, wait_s=self._wait_s
        )
        try:
            found = self._campus.claim(ask)
        except (httpx.TransportError, CampusRefusedError) as error:
            self._say(Away(error))
            self._ended.wait(AWAY_PAUSE_S)
            return
        if not self._ended.is_set():
            self._held.add(found.jobs)
            self._say(Taken(found.jobs, found.taken_back, asked))
