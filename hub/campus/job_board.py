"""Say where gradings are in the queue, how far, and how long they will take.

Law: reads only. A time is said only where recent jobs were measured and the grader
is at work; otherwise nothing is said. The order is that in which jobs are taken:
releases, then first gradings, then repeated ones, each the oldest first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from statistics import fmean, median

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from bioskills.base.tables import Job, Result, Submission
from bioskills.base.text import _, ngettext
from bioskills.base.wire import GradingProgress

RECENT = 20
"""So many of the newest gradings say how fast the grader is."""
RECENT_AGE = timedelta(days=1)
PATIENCE = timedelta(minutes=2)
"""Work that waits longer, while nothing runs or ends, waits for a grader that does not answer."""

_GRADE, _RELEASE = "grade", "release"
_FIVE_FROM_S, _MINUTES_FROM_S = 10, 90
_NEAR, _OFTEN_MS, _SELDOM_MS = 20, 2_000, 10_000


@dataclass(frozen=True)
class Queue:
    """All gradings that are under way, and how fast the grader is, at one moment.

    Attributes:
        waiting: Ids of jobs that may be taken now, in the order in which they are.
        paused: Ids of jobs whose last try failed, waiting for their pause to end.
        running: Ids of jobs that are worked on.
        pace_s: Seconds per job, one after the other, while there is work; None where unknown.
        silent_since: Since when the oldest work waits for a grader that does not answer.
    """

    waiting: tuple[int, ...]
    paused: frozenset[int]
    running: frozenset[int]
    pace_s: float | None
    silent_since: datetime | None

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self.waiting or self.paused or self.running)

    def place_of(self, job: Job) -> int | None:
        """Return a job's place in the queue; 1 is the next one."""
        return self.waiting.index(job.id) + 1 if job.id in self.waiting else None

    def seconds_to(self, job_ids: Iterable[int]) -> int | None:
        """Return about how long until the last of these waiting jobs has ended."""
        places = [self.waiting.index(number) + 1 for number in job_ids if number in self.waiting]
        if not places or self.pace_s is None or self.silent_since is not None:
            return None
        return about(self.pace_s * (max(places) + len(self.running)))


@dataclass(frozen=True)
class Speed:
    """How long hand-ins of one run waited for their first result.

    Attributes:
        half_s: Half of them waited at most so long; None where there was none.
        longest_s: All of them did.
        last_at: When the run's newest result came, whenever that was.
    """

    half_s: float | None
    longest_s: float | None
    last_at: datetime | None


def read_speed(session: Session, run_id: int, since: datetime) -> Speed:
    """Return how long what was handed in since then waited for its first result."""
    first = (
        select(Submission.submitted_at, func.min(Job.ended_at))
        .join(Job, Job.submission_id == Submission.id)
        .where(Job.run_id == run_id, Job.kind == _GRADE, Job.state == "done")
        .where(Submission.submitted_at >= since)
        .group_by(Submission.id)
    )
    waits = [(ended - handed_in).total_seconds()
             for handed_in, ended in session.execute(first) if ended]  # fmt: skip
    last = select(Job.ended_at).where(Job.run_id == run_id, Job.kind == _GRADE)
    return Speed(
        half_s=median(waits) if waits else None,
        longest_s=max(waits, default=None),
        last_at=session.scalar(last.order_by(Job.ended_at.desc().nulls_last()).limit(1)),
    )


def read_queue(session: Session, now: datetime) -> Queue:
    """Return what waits, what runs and how fast the grader is."""
    repeated = exists().where(Result.submission_id == Job.submission_id)
    order = (case((Job.kind == _RELEASE, 0), else_=1), repeated, Job.id)
    # No whole rows: in a storm everybody asks, and each asks for all that wait.
    waits = select(Job.id, Job.lease_until, Job.created_at).where(_ready(now))
    waiting = session.execute(waits.order_by(*order)).all()
    paused = session.scalars(
        select(Job.id).where(Job.state == "queued", Job.lease_until > now)
    ).all()
    running = session.scalars(select(Job.id).where(Job.state == "running")).all()
    return Queue(
        waiting=tuple(row.id for row in waiting),
        paused=frozenset(paused),
        running=frozenset(running),
        pace_s=pace_of(session, now),
        silent_since=None
        if running
        else _silent_since(session, [row[1] or row[2] for row in waiting], now),
    )


def pace_of(session: Session, now: datetime) -> float | None:
    """Return how many seconds a grading takes, judged by the newest ones; None without any.

    Of jobs that waited for one another only the time between two ends counts, so that a
    grader which works on several at once is as fast as it is.
    """
    chosen = select(Job.created_at, Job.started_at, Job.ended_at).where(
        Job.kind == _GRADE, Job.state == "done", Job.tries <= 1, Job.ended_at > now - RECENT_AGE
    )
    rows = session.execute(chosen.order_by(Job.id.desc()).limit(RECENT)).all()
    steps: list[float] = []
    before: datetime | None = None
    for ended, begun in sorted((row[2] or now, row[1] or row[0]) for row in rows):
        steps.append((ended - max(begun, before or begun)).total_seconds())
        before = ended
    return max(0.0, fmean(steps)) if steps else None


def progress_of(session: Session, submission_id: int, now: datetime) -> GradingProgress:
    """Return where the newest grading of a hand-in is."""
    chosen = select(Job).where(Job.kind == _GRADE, Job.submission_id == submission_id)
    job = session.scalars(chosen.order_by(Job.id.desc()).limit(1)).first()
    if job is None or job.state not in {"queued", "running"}:
        return GradingProgress(submission_id=submission_id, state="ended")
    return progress_in(read_queue(session, now), job)


def progress_in(queue: Queue, job: Job) -> GradingProgress:
    """Return where one grading that is under way is."""
    number = job.submission_id or 0
    if job.state == "running":
        return GradingProgress(
            submission_id=number, state="running", done=job.done or 0, of=job.of or 0
        )
    return GradingProgress(
        submission_id=number,
        state="again" if job.id in queue.paused else "queued",
        place=queue.place_of(job),
        seconds=queue.seconds_to([job.id]),
    )


def about(seconds: float) -> int:
    """Return seconds as exactly as one may say them: whole, by fives, or by minutes."""
    if seconds < _FIVE_FROM_S:
        return max(1, ceil(seconds))
    step = 5 if seconds <= _MINUTES_FROM_S else 60
    return ceil(seconds / step) * step


def pause_ms(progress: GradingProgress) -> int:
    """Return when a page should ask again: soon near the answer, seldom far back in the queue."""
    far = progress.state != "running" and (progress.place or 0) > _NEAR
    return _SELDOM_MS if far else _OFTEN_MS


def time_words(seconds: int) -> str:
    """Return a time as a person says it: ``about 20 seconds``."""
    if seconds <= _MINUTES_FROM_S:
        return ngettext("about {n} second", "about {n} seconds", seconds).format(n=seconds)
    minutes = ceil(seconds / 60)
    return ngettext("about {n} minute", "about {n} minutes", minutes).format(n=minutes)


def progress_words(progress: GradingProgress) -> str:
    """Return where a grading is, as its learner reads it; empty where it has ended."""
    match progress.state:
        case "queued":
            return _place_words(progress.place, progress.seconds)
        case "running" if progress.of:
            text = _("Running: {done} of {of} cells.")
            return text.format(done=progress.done, of=progress.of)
        case "running":
            return _("It is being graded now.")
        case "again":
            return _("A first try failed; it is tried again by itself. Your work is safe.")
        case "ended":
            return ""


def _place_words(place: int | None, seconds: int | None) -> str:
    if place is None:
        return _("It waits to be graded.")
    if seconds is None:
        return _("Place {n} in the queue.").format(n=place)
    return _("Place {n} in the queue, {time}.").format(n=place, time=time_words(seconds))


def _ready(now: datetime) -> ColumnElement[bool]:
    return and_(Job.state == "queued", or_(Job.lease_until.is_(None), Job.lease_until <= now))


def _silent_since(session: Session, since: Iterable[datetime], now: datetime) -> datetime | None:
    oldest = min(since, default=now)
    if now - oldest < PATIENCE:
        return None
    last = session.scalar(select(Job.ended_at).order_by(Job.ended_at.desc().nulls_last()).limit(1))
    return oldest if last is None or now - last >= PATIENCE else None
