"""Find signs that a learner may need help.

Law: a sign is a fact with its figures, never a status, a rank or a score.
Pure: what was read of the class decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bioskills.base import tables
from bioskills.base.text import _, ngettext
from bioskills.hub.campus.pages_class import Class, title_of
from bioskills.hub.campus.pages_work import Work, points_of, state_of
from bioskills.hub.campus.wording import day, percent

QUIET_DAYS = 7
"""Days without a hand-in after which somebody is asked what is in the way."""

TRIES = 3
"""Hand-ins without passing after which somebody may be stuck."""


@dataclass(frozen=True)
class Hint:
    """One sign that a person may need help: icon, bold words, and the rest."""

    icon: str
    strong: str
    more: str
    weight: int


def hints_for(classes: Sequence[Class], person: tables.Person) -> list[Hint]:
    """Return the signs of one learner, the heaviest first."""
    found: list[Hint] = []
    for group in classes:
        mine = {a.name: group.works[a.id, person.id] for a in group.assignments}
        found += [hint for name, work in mine.items() for hint in _stuck(group, name, work)]
        found += _overdue(group, mine)
        found += _quiet(group, mine)
    return sorted(found, key=lambda hint: -hint.weight)


def _stuck(group: Class, name: str, work: Work) -> list[Hint]:
    plan, counting = group.manifest.assignment(name), work.counting
    if plan is None or counting is None or len(work.submissions) < TRIES:
        return []
    reached, most = points_of(counting[1])
    needed = Fraction(plan.pass_share)
    if reached >= needed * most:
        return []
    text = _("{title}, best {share}")
    more = text.format(title=plan.title, share=percent(reached / most, needed))
    strong = _("{n} tries without passing").format(n=len(work.submissions))
    return [Hint("flag", strong, more, 3)]


def _overdue(group: Class, mine: Mapping[str, Work]) -> list[Hint]:
    text, zone, found = _("{title}, was due {day}"), group.run.time_zone, []
    for name, work in mine.items():
        due = work.due_at
        if due is not None and due < group.now and state_of(work, group.now) == "new":
            more = text.format(title=title_of(group.manifest, name), day=day(due, zone))
            found.append(Hint("clock", _("Not handed in"), more, 2))
    return found


def _quiet(group: Class, mine: Mapping[str, Work]) -> list[Hint]:
    """Say how long nothing came, while there is something to hand in."""
    todo = any(state_of(work, group.now) == "new" for work in mine.values())
    times = [row.submitted_at for work in mine.values() for row in work.submissions]
    since = max(times, default=group.run.opens_at)
    days = (group.now - since).days
    if not todo or days < QUIET_DAYS:
        return []
    strong = ngettext("No hand-in for {n} day", "No hand-in for {n} days", days).format(n=days)
    last = _("last one {day}") if times else _("nothing since the start on {day}")
    return [Hint("clock", strong, last.format(day=day(since, group.run.time_zone)), 1)]
