"""Say what happens with late work, and reckon it.

Law (rule R2): a late penalty lowers the points of the grade and never the evidence of a
competence. The rule stands before the due date and is said to the learner then; an
extension moves the due date that it starts from. Each begun day counts. Pure.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from bioskills.base import tables_teaching
from bioskills.base.text import _, ngettext
from bioskills.courses.manifest import Assignment as Plan
from bioskills.hub.campus.wording import moment

Accepted = Literal["until_close", "days", "never"]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class LateRule:
    """Whether and how long late work is taken, and what a begun day costs."""

    accepted: Accepted = "until_close"
    days: int = 0
    percent_per_day: int = 0

    def last_moment(self, due: datetime | None, closes: datetime) -> datetime:
        """Return until when a hand-in is taken."""
        if due is None or self.accepted == "until_close":
            return closes
        return min(closes, due + _DAY * (self.days if self.accepted == "days" else 0))

    def share_lost(self, due: datetime | None, at: datetime) -> Fraction:
        """Return the share of the points that a hand-in of this moment loses."""
        if self.accepted != "days":
            return Fraction(0)
        return min(Fraction(1), Fraction(self.percent_per_day * days_late(due, at), 100))

    def is_stricter_than(self, other: "LateRule") -> bool:
        """Say whether somebody could lose by this rule who would not by the other."""
        if self.accepted != "days" or other.accepted != "days":
            order = ("until_close", "days", "never")
            return order.index(self.accepted) > order.index(other.accepted)
        return self.days < other.days or self.percent_per_day > other.percent_per_day


def rule_of(row: tables_teaching.LateRule | None, plan: Plan | None) -> LateRule:
    """Return the rule of an assignment: the run's own before the course's."""
    if row is not None:
        accepted: Accepted = row.accepted  # type: ignore[assignment]  # written by our form alone
        return LateRule(accepted, row.days, row.percent_per_day)
    late = plan.late if plan else None
    return LateRule(late.accepted, late.days, late.percent_per_day) if late else LateRule()


def days_late(due: datetime | None, at: datetime) -> int:
    """Return how many days have begun since the due date."""
    if due is None or at <= due:
        return 0
    return -((due - at) // _DAY)


def rule_words(rule: LateRule, due: datetime | None, closes: datetime, zone: str, now: datetime) -> str:  # fmt: skip
    """Return the sentence that a learner reads before the due date; empty without one."""
    if due is None:
        return ""
    until = moment(rule.last_moment(due, closes), zone, now)
    if rule.accepted == "never":
        return _("Nothing is taken after the due date.")
    if rule.accepted == "until_close":
        return _("Late work is taken until {time} and marked late.").format(time=until)
    if not rule.percent_per_day:
        return _("Late work is taken until {time}.").format(time=until)
    text = _("Late work is taken until {time}; each day begun costs {n} % of the points.")
    return text.format(time=until, n=rule.percent_per_day)


def loss_words(rule: LateRule, due: datetime | None, at: datetime) -> str:
    """Return what handing in at this moment means; empty where it is not late."""
    days = days_late(due, at)
    if not days:
        return ""
    lost = rule.share_lost(due, at)
    late = ngettext("Handed in {n} day late", "Handed in {n} days late", days).format(n=days)
    if not lost:
        return _("{late}; it costs no points.").format(late=late)
    text = _("{late}: {percent} % of the points are taken off. What it proves is not lowered.")
    return text.format(late=late, percent=int(lost * 100))


def latest(*moments: datetime | None) -> datetime | None:
    """Return the latest of these moments; None where there is none."""
    return max((moment for moment in moments if moment is not None), default=None)
