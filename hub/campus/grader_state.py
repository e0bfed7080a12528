"""Say in words whether the grader works, waits or does not answer, and how fast it was.

Law: every time was measured; where nothing was, nothing is said.
"""

from dataclasses import dataclass

from markupsafe import Markup

from bioskills.base.text import _, ngettext
from bioskills.hub.campus.job_board import Queue, Speed, time_words
from bioskills.hub.campus.pages_class import Class
from bioskills.hub.campus.wording import tenths, time_tag


@dataclass(frozen=True)
class Grader:
    """How the grader is, in words.

    Attributes:
        last: When the run's newest result came.
        times: How long hand-ins waited today; empty where there were none.
        silent: What is wrong, where the grader does not answer ...
        since: ... and since when.
    """

    busy: bool
    words: str
    last: Markup | None
    times: str
    silent: str
    since: Markup | None


def grader_words(group: Class, queue: Queue, speed: Speed) -> Grader:
    """Return what the grader does now, and how long hand-ins waited today."""
    times = ""
    if speed.half_s is not None and speed.longest_s is not None:
        times = _("hand-in to result today: half within {half}, longest {longest}").format(
            half=_span(speed.half_s), longest=_span(speed.longest_s)
        )
    zone, now = group.run.time_zone, group.now
    return Grader(
        busy=queue.busy,
        words=queue_words(queue),
        last=time_tag(speed.last_at, zone, now) if speed.last_at else None,
        times=times,
        silent=_silent(queue),
        since=time_tag(queue.silent_since, zone, now) if queue.silent_since else None,
    )


def queue_words(queue: Queue) -> str:
    """Return what the grader does now, for all courses together."""
    if not queue.busy:
        return _("Grader: idle")
    text = _("Grader: {waiting} in the queue, {running} running, all courses together")
    words = text.format(waiting=len(queue.waiting) + len(queue.paused), running=len(queue.running))
    seconds = queue.seconds_to(queue.waiting)
    return f"{words}, {time_words(seconds)}" if seconds else words


def _silent(queue: Queue) -> str:
    if queue.silent_since is None:
        return ""
    text = ngettext(
        "{n} hand-in waits, and nothing is graded. Tell the people who run this site.",
        "{n} hand-ins wait, and nothing is graded. Tell the people who run this site.",
        len(queue.waiting),
    )
    return text.format(n=len(queue.waiting))


def _span(seconds: float) -> str:
    """Return a measured time: tenths below ten seconds, then whole ones, then minutes."""
    if seconds < 10:  # noqa: PLR2004 - below ten, tenths say something
        return _("{n} s").format(n=tenths(seconds))
    if seconds < 120:  # noqa: PLR2004 - up to two minutes, seconds are read easily
        return _("{n} s").format(n=f"{seconds:.0f}")
    return _("{n} min").format(n=f"{seconds / 60:.0f}")
