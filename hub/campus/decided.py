"""Say to a learner what was decided for them: an excuse, another attempt. Pure."""

from collections.abc import Collection
from datetime import datetime

from bioskills.base.text import _, ngettext
from bioskills.courses.manifest import Assignment as Plan
from bioskills.hub.campus.pages_work import Work, attempts_left, next_attempt_at
from bioskills.hub.campus.wording import moment


def most_attempts(done: Work, plan: Plan, *, again: bool) -> int | None:
    """Return how many attempts may be handed in; another one that was given comes on top."""
    most = plan.attempts.max
    return most if most is None or not again else max(most, len(done.submissions) + 1)


def decided(done: Work, now: datetime) -> str:
    """Return what was decided for this learner, with the reason; empty for nothing."""
    if done.excuse is not None and done.latest is None:
        return _("You are excused: {reason}").format(reason=done.excuse.reason)
    if done.stand_in is not None and not done.may_sit_again(now):
        return _instead(done, done.stand_in, now)
    if done.resit is None or not done.may_sit_again(now):
        return _stands_for(done)
    until = moment(done.resit.due_at, done.run.time_zone, now)
    text = _("You have another attempt until {time}: {reason}")
    said = text.format(time=until, reason=done.resit.reason)
    parts = [said, _stands_for(done), _practice(done, now)]
    return " ".join(part for part in parts if part)


def _instead(done: Work, by: Work, now: datetime) -> str:
    """Say that another assignment is this one's resit, and what its points do here."""
    title, row = _title(by), by.resit
    if row is not None and by.may_sit_again(now):
        text = _("Your resit is {title}, until {time}: {reason}")
        until = moment(row.due_at, done.run.time_zone, now)
        return text.format(title=title, time=until, reason=row.reason)
    if best := done.stand_in_of(done.counting):
        text = _("{title} stands for it: its points are the better ones.")
        return text.format(title=_title(best))
    return _("Its resit was {title}; the better of the two counts.").format(title=title)


def _title(work: Work) -> str:
    return work.plan.title if work.plan else work.assignment.name


def _stands_for(done: Work) -> str:
    if done.stands_for is None:
        return ""
    text = _("It is your resit of {title}: its points stand there, where they are better.")
    return text.format(title=done.stands_for.title)


def _practice(done: Work, now: datetime) -> str:
    """Say that another attempt would not count (rule R3), or not yet."""
    most, free = done.limits.max, next_attempt_at(done)
    if most is not None and done.tries >= most:
        text = ngettext(
            "It is practice: the first attempt counts.",
            "It is practice: the first {n} attempts count.",
            most,
        )
        return text.format(n=most)
    if free is None or free <= now:
        return ""
    return _("It counts from {time}; before, it is practice.").format(
        time=moment(free, done.run.time_zone, now)
    )


def cool_down(done: Work, now: datetime) -> datetime | None:
    """Return when the next attempt counts, where that is still to come."""
    free = next_attempt_at(done)
    blocked = attempts_left(done) == 0
    return free if free and free > now and not blocked else None


def is_kept_back(done: Work, resits: Collection[str]) -> bool:
    """Say whether it is there for a resit alone, and was not given to this person."""
    reserve = done.assignment.state == "draft" and done.assignment.name in resits
    return reserve and done.stands_for is None and done.latest is None
