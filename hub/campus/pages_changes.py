"""Change a run: open, close, due dates, more time, return of results.

Law: what cannot be meant is refused at its field, with everything that was
typed kept. Each change is one transaction together with its line in the audit
log. Times are typed in the run's zone and kept in UTC.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _, ngettext
from bioskills.hub.campus import jobs, results
from bioskills.hub.campus.pages_class import Class, held_results
from bioskills.hub.campus.wording import moment, utc
from bioskills.hub.years import is_meant, rule

T = TypeVar("T")

EVERYBODY = "all"
"""What the form sends instead of a pseudonym to give all learners more time."""


@dataclass(frozen=True)
class Typed:
    """What a person typed for a moment, as it came."""

    date: str
    time: str
    learner: str = ""

    @property
    def is_given(self) -> bool:
        """Whether anything was typed for the moment."""
        return bool(self.date.strip() or self.time.strip())


@dataclass(frozen=True)
class Change:
    """One assignment that somebody changes.

    Attributes:
        by: Pseudonym of the instructor.
    """

    group: Class
    assignment: tables.Assignment
    by: str

    @property
    def subject(self) -> str:
        """Run and assignment, as the audit log names them."""
        return f"{self.group.run.slug}/{self.assignment.name}"


def parse_moment(typed: Typed, zone: str) -> datetime:
    """Return the moment that was typed in this zone, in UTC.

    Raises:
        InputError: With a problem at the field `date`, `time` or both.
    """
    problems: list[Problem] = []
    day = _parsed(_day, typed.date, "date", _("a date such as 2027-03-19"), problems)
    hour = _parsed(time.fromisoformat, typed.time, "time", _("a time such as 18:00"), problems)
    if day is None or hour is None:
        raise InputError(problems)
    there = datetime.combine(day, hour.replace(tzinfo=None), ZoneInfo(zone))
    # In spring an hour is missing: such a time comes back from UTC as another one.
    if there.astimezone(UTC).astimezone(ZoneInfo(zone)).time() != there.time():
        what = _("{time} does not exist on that day: the clocks go forward.")
        problem = Problem("time", what.format(time=typed.time), next=_("Choose an hour later."))
        raise InputError([problem])
    return there.astimezone(UTC)


def open_assignment(session: Session, change: Change) -> None:
    """Let learners fetch and hand in; prepare the release where there is none."""
    change.assignment.state = "open"
    if change.group.works[change.assignment.id, 0].version is None:
        jobs.ensure_release(session, change.group.run)
    note(session, change, "opened assignment")


def close_assignment(session: Session, change: Change) -> None:
    """Take no more hand-ins; what was handed in is graded and returned as before."""
    change.assignment.state = "closed"
    note(session, change, "closed assignment")


def set_due(session: Session, change: Change, typed: Typed) -> datetime:
    """Set the due date of everybody without an extension.

    Raises:
        InputError: At the field, when the moment cannot be meant.
    """
    due = parse_due(change, typed)
    before, change.assignment.due_at = change.assignment.due_at, due
    detail = {"before": utc(before) if before else None, "after": utc(due)}
    note(session, change, "set due date", detail)
    return due


def give_more_time(session: Session, change: Change, typed: Typed) -> Sequence[tables.Person]:
    """Give one learner, or all, a later due date; return who got it.

    Raises:
        InputError: At the field, with every fault at once.
    """
    problems: list[Problem] = []
    people = _collect(problems, lambda: _chosen(change, typed.learner)) or []
    due = _collect(problems, lambda: later(change, typed))
    if problems or due is None:
        raise InputError(problems)
    for person in people:
        extend(session, change, person, due)
    detail = {"due": utc(due), "learners": [person.pseudonym for person in people]}
    note(session, change, "gave more time", detail)
    return people


def return_results(session: Session, change: Change, wanted: Iterable[int]) -> int:
    """Return these held results to their learners, with their evidence; say how many learners.

    Only results that are held now are returned, so that a second click changes nothing.
    """
    chosen, works = set(wanted), change.group.works_on(change.assignment)
    returned = [result for result in held_results(works) if result.id in chosen]
    learners = sum(any(r in returned for r in held_results([work])) for work in works)
    for result in returned:
        results.publish(session, result, change.by, change.group.now)
    if returned:
        detail = {"submissions": [result.submission_id for result in returned]}
        note(session, change, "returned results", detail)
    return learners


def said(action: str, change: Change, count: int = 0) -> str:
    """Return the sentence that the page says after a change."""
    due = change.assignment.due_at
    when = moment(due, change.group.run.time_zone, change.group.now, relative=True) if due else ""
    sentences = {
        "open": _("It is open. Learners can fetch it and hand in."),
        "close": _("It is closed. Nothing more can be handed in; what came is graded."),
        "late": _("The rule for late work is set."),
        "due": _("It is due {when}.").format(when=when),
        "extension": ngettext(
            "{n} learner has more time.", "{n} learners have more time.", count
        ).format(n=count),
        "return": ngettext("Returned to {n} learner.", "Returned to {n} learners.", count).format(
            n=count
        ),
    }
    return sentences.get(action, "")


def _parsed(
    read: Callable[[str], T], text: str, field: str, example: str, problems: list[Problem]
) -> T | None:
    try:
        return read(text.strip())
    except ValueError:
        what = _("{text!r} cannot be read.").format(text=text[:40]) if text else _("This is empty.")
        step = _("Give {example}.").format(example=example)
        problems.append(Problem(field, what, next=step))
        return None


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not is_meant(day):
        raise ValueError(rule())
    return day


def _collect(problems: list[Problem], act: Callable[[], T]) -> T | None:
    try:
        return act()
    except InputError as error:
        problems += error.problems
        return None


def _check_window(change: Change, due: datetime) -> None:
    run, now = change.group.run, change.group.now
    if due <= now:
        what, step = _("{when} is in the past."), _("To end it now, close the assignment.")
    elif due > run.closes_at:
        what = _("{when} is after the end of the course.")
        end = moment(run.closes_at, run.time_zone, now)
        step = _("The course ends {end}.").format(end=end)
    else:
        return
    shown = moment(due, run.time_zone, now)
    raise InputError([Problem("date", what.format(when=shown), next=step)])


def parse_due(change: Change, typed: Typed) -> datetime:
    """Return a due date that is still to come and within the run.

    Raises:
        InputError: At the field, when the moment cannot be meant.
    """
    due = parse_moment(typed, change.group.run.time_zone)
    _check_window(change, due)
    return due


def later(change: Change, typed: Typed) -> datetime:
    """Return a due date that is later than everybody's.

    Raises:
        InputError: At the field, when the moment cannot be meant.
    """
    due = parse_due(change, typed)
    general = change.assignment.due_at
    if general is not None and due <= general:
        zone, now = change.group.run.time_zone, change.group.now
        what = _("{when} is not later than everybody's date.").format(when=moment(due, zone, now))
        step = _("Choose a time after {when}.").format(when=moment(general, zone, now))
        raise InputError([Problem("date", what, next=step)])
    return due


def _chosen(change: Change, learner: str) -> Sequence[tables.Person]:
    if learner == EVERYBODY:
        return change.group.learners
    found = [person for person in change.group.learners if person.pseudonym == learner]
    if not found:
        what = _("Nobody is chosen.") if not learner else _("There is no learner {name} here.")
        step = _("Choose one learner, or all.")
        raise InputError([Problem("learner", what.format(name=learner[:40]), next=step)])
    return found


def extend(
    session: Session, change: Change, person: tables.Person, due: datetime, reason: str = ""
) -> None:
    """Give one learner a due date of their own; the earlier one is ended."""
    table = tables.Extension
    here = (table.assignment_id == change.assignment.id, table.person_id == person.id)
    for earlier in session.scalars(select(table).where(*here, table.ended_at.is_(None))):
        earlier.ended_by, earlier.ended_at = change.by, change.group.now
    row = table(assignment_id=change.assignment.id, person_id=person.id, due_at=due, reason=reason)
    row.granted_by, row.granted_at = change.by, change.group.now
    session.add(row)


def note(
    session: Session, change: Change, action: str, detail: Mapping[str, object] | None = None
) -> None:
    """Write a change into the audit log, in its transaction."""
    session.add(
        tables.AuditEntry(
            at=change.group.now,
            actor=change.by,
            action=action,
            subject=change.subject,
            detail=dict(detail or {}),
        )
    )
