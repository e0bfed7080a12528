"""End a cohort, and copy one to the next.

Law: an end takes seats and nothing else: work, evidence and credentials stay, and an undo
gives the seats back. A copy takes runs, limits and the people who teach, with every date
moved by as many days; learners come with their own list.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import Assignment, Cohort, Membership, Person, Run
from bioskills.base.text import _
from bioskills.hub.cohort_change import Change
from bioskills.hub.cohort_plan import apply_wish
from bioskills.hub.cohort_record import Record
from bioskills.hub.cohort_view import CohortLine, RunLine, find_cohort
from bioskills.hub.cohort_wish import PLATFORM_ROLES, WantedPerson, WantedRun, Wish

MOST_SLUG = 64
_ENDS = [f"-{number}" for number in range(2, 1000)]


def remove_cohort(session: Session, slug: str, *, actor: str, now: datetime) -> list[Change]:
    """End every seat of a cohort, of whatever source, and return what changed.

    Raises:
        InputError: There is no such cohort.
    """
    find_cohort(session, slug, now)
    record = Record(session)
    chosen = (
        select(Person.name, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .where(Cohort.slug == slug)
        .where(or_(Membership.valid_to.is_(None), Membership.valid_to > now))
    )
    changes = []
    for name, row in session.execute(chosen.order_by(Person.name, Membership.role)).all():
        record.set(row, valid_to=now)
        text = _("no longer {role} in {cohort}").format(role=row.role, cohort=slug)
        changes.append(Change("-", name, text, "seat", row.role))
    if changes:
        record.keep(slug, "remove", actor, now, len(changes))
    return changes


def copy_cohort(
    session: Session,
    names: tuple[str, str],
    opens: date,
    *,
    title: str = "",
    actor: str,
    now: datetime,
) -> list[Change]:
    """Make the next cohort like an earlier one and return what changed.

    Args:
        session: A writing session.
        names: The earlier cohort and the new one.
        opens: The day on which the first run of the new one opens.
        title: Of the new one; empty: its short name.
        actor: Who copies, for the audit log.
        now: The present moment.

    Raises:
        InputError: There is no such cohort, or it has no run, or the new one is there already.
    """
    old, new = names
    line = find_cohort(session, old, now)
    _refuse(session, line, new)
    days = opens - _local(line.runs[0]).date()
    wish = Wish(
        cohort=new,
        title=title or new,
        people=tuple(_staff(line)),
        runs=tuple(_moved(line, new, days)),
        limits=line.limits,
        seats=line.seats,
        environment=line.environment,
    )
    changes = apply_wish(session, wish, actor=actor, now=now)
    for run, wanted in zip(line.runs, wish.runs, strict=True):
        _move_due(session, run, wanted.slug, days)
    return changes


def _refuse(session: Session, line: CohortLine, new: str) -> None:
    problems = []
    if session.scalar(select(Cohort).where(Cohort.slug == new)):
        what = _("there is a cohort of this name already.")
        problems.append(Problem(new, what, next=_("Choose another name.")))
    if not line.runs:
        what = _("this cohort has no run, so there is no date to move.")
        problems.append(Problem(line.slug, what, next=_("Upload a list for the new cohort.")))
    if problems:
        raise InputError(problems)


def _staff(line: CohortLine) -> Iterable[WantedPerson]:
    for person in line.people:
        roles = tuple(r for r in person.roles if r != "learner" and r not in PLATFORM_ROLES)
        if roles:
            email = person.email or None
            yield WantedPerson(person.name, person.display_name, email, roles, person.tags)


def _local(run: RunLine) -> datetime:
    return run.opens_at.astimezone(ZoneInfo(run.time_zone))


def _moved(line: CohortLine, new: str, days: timedelta) -> Iterable[WantedRun]:
    taken: set[str] = set()
    for run in line.runs:
        slug = _free(_new_slug(line, run, new), taken)
        taken.add(slug)
        opens, closes = (later(at, days, run.time_zone) for at in (run.opens_at, run.closes_at))
        yield WantedRun(slug, run.course, run.version, opens, closes, run.time_zone)


def _new_slug(line: CohortLine, run: RunLine, new: str) -> str:
    """Return the run's name with the new cohort's in front; two runs of a course stay apart."""
    if run.slug == line.slug:
        return new
    if run.slug.startswith(f"{line.slug}-"):
        return new + run.slug.removeprefix(line.slug)
    alone = sum(other.course == run.course for other in line.runs) == 1
    return f"{new}-{run.course if alone else run.slug}"


def _free(slug: str, taken: set[str]) -> str:
    """Return a name of a run that fits and is not taken: cut, and numbered where that is needed."""
    names = (f"{slug[: MOST_SLUG - len(end)].rstrip('-')}{end}" for end in chain([""], _ENDS))
    return next(name for name in names if name not in taken)


def later(at: datetime, days: timedelta, zone: str) -> datetime:
    """Return the moment so many days later at the same time of the zone's clocks."""
    return (at.astimezone(ZoneInfo(zone)) + days).astimezone(UTC)


def _move_due(session: Session, run: RunLine, slug: str, days: timedelta) -> None:
    """Take over dates that an instructor moved; the course's own are made with the run."""
    query = select(Assignment).join(Run, Run.id == Assignment.run_id)
    before = {row.name: row for row in session.scalars(query.where(Run.slug == run.slug))}
    for row in session.scalars(query.where(Run.slug == slug)):
        old = before.get(row.name)
        if old is not None:
            row.due_at = later(old.due_at, days, run.time_zone) if old.due_at else None
            row.release_policy = old.release_policy
