"""Decide about learners one by one: more time, an excuse, another attempt.

Law: each decision has a reason, which the learner reads, and is ended, never erased: an
excuse is neither missing nor done; another attempt has a due date of its own, also where
the assignment is closed, and leaves standing what was reached by another assignment. What goes beyond the attempts that count is practice (rule R3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.languages import name_key
from bioskills.base.problems import InputError, Problem
from bioskills.base.tables_teaching import Excuse, Resit
from bioskills.base.text import _, ngettext
from bioskills.hub.campus import resits
from bioskills.hub.campus.pages_changes import Change, Typed, extend, later, note, parse_due
from bioskills.hub.campus.wording import moment, utc

L = TypeVar("L", Excuse, Resit)
D = TypeVar("D", tables.Extension, Excuse, Resit)

KINDS = ("extension", "excuse", "resit")
MOST_REASON = 500


@dataclass(frozen=True)
class Wanted:
    """What was typed: for whom, what, until when, and why.

    Attributes:
        instead: Of a resit: the assignment by which it is taken; empty for the same one.
    """

    kind: str
    learners: Sequence[str]
    reason: str
    typed: Typed
    instead: str = ""


@dataclass(frozen=True)
class Standing:
    """A decision that holds now, as the page lists it."""

    kind: str
    id: int
    words: str
    pseudonym: str
    display_name: str
    reason: str
    by: str
    at: datetime


def decide(session: Session, change: Change, wanted: Wanted) -> Sequence[tables.Person]:
    """Make one decision for some learners; return who they are.

    Raises:
        InputError: With every fault at its field; nothing was changed.
    """
    problems: list[Problem] = []
    if wanted.kind not in KINDS:
        problems.append(
            Problem("kind", _("Nothing is chosen."), next=_("Choose one of the three."))
        )
    people = _people(change, wanted.learners, problems)
    _check_reason(_plain(wanted.reason), problems)
    due = _due(change, wanted, problems)
    instead = wanted.instead if wanted.kind == "resit" else ""
    by = resits.chosen(change, instead, people, problems)
    if problems:
        raise InputError(problems)
    for person in people:
        _make(session, change, person, wanted, (due, by))
    detail = {"learners": [p.pseudonym for p in people], "due": utc(due) if due else None}
    detail |= {"by": by.name} if by else {}
    note(session, change, f"gave {wanted.kind}", detail)
    return people


def undo(session: Session, change: Change, kind: str, key: int) -> bool:
    """End one decision; say whether there was one that held."""
    row = _find(session, change, kind, key)
    if row is None:
        return False
    row.ended_by, row.ended_at = change.by, change.group.now
    learner = session.get_one(tables.Person, row.person_id).pseudonym
    note(session, change, f"took back {kind}", {"learners": [learner]})
    return True


def standing(session: Session, change: Change) -> list[Standing]:
    """Return the decisions that hold on an assignment, by learner."""
    people = {person.id: person for person in change.group.learners}
    rows = [
        *session.scalars(_of(tables.Extension, change)),
        *session.scalars(_of(Excuse, change)),
        *session.scalars(_of(Resit, change)),
    ]
    found = [
        _standing(change, people[row.person_id], row) for row in rows if row.person_id in people
    ]
    return sorted(found, key=lambda item: (name_key(item.display_name), item.kind))


def failed_in(change: Change) -> list[str]:
    """Return the pseudonyms of those whose returned attempt that counts does not pass."""
    plan = change.group.manifest.assignment(change.assignment.name)
    if plan is None:
        return []
    found = []
    for person in change.group.learners:
        work = change.group.works[change.assignment.id, person.id]
        reached, most = work.points(*work.counting) if work.counting else (Fraction(0), Fraction(0))
        if most and reached < Fraction(plan.pass_share) * most:
            found.append(person.pseudonym)
    return found


def said(kind: str, count: int) -> str:
    """Return what the page says after a decision."""
    texts = {
        "extension": ngettext("{n} learner has more time.", "{n} learners have more time.", count),
        "excuse": ngettext("{n} learner is excused.", "{n} learners are excused.", count),
        "resit": ngettext(
            "{n} learner has another attempt.", "{n} learners have another attempt.", count
        ),
        "undo": _("It is taken back."),
        "nothing": _("Nothing was taken back: this decision did not hold any more."),
    }
    return texts.get(kind, "").format(n=count)


def _people(change: Change, wanted: Iterable[str], problems: list[Problem]) -> list[tables.Person]:
    chosen = set(wanted)
    found = [person for person in change.group.learners if person.pseudonym in chosen]
    if not found or len(found) < len(chosen):
        what = _("Somebody chosen is not in this cohort.") if chosen else _("Nobody is chosen.")
        problems.append(Problem("learners", what, next=_("Tick one or more learners.")))
    return found


def _check_reason(plain: str, problems: list[Problem]) -> None:
    if not plain:
        what = _("The reason is empty.")
        problems.append(
            Problem("reason", what, next=_("Write a sentence that the learner may read."))
        )
    elif len(plain) > MOST_REASON:
        what = _("The reason has {n} characters.").format(n=len(plain))
        step = _("Shorten it to {n}.").format(n=MOST_REASON)
        problems.append(Problem("reason", what, next=step))


def _due(change: Change, wanted: Wanted, problems: list[Problem]) -> datetime | None:
    if wanted.kind == "excuse":
        return None
    try:
        return (later if wanted.kind == "extension" else parse_due)(change, wanted.typed)
    except InputError as error:
        problems += error.problems
        return None


def _make(
    session: Session,
    change: Change,
    person: tables.Person,
    wanted: Wanted,
    what: tuple[datetime | None, tables.Assignment | None],
) -> None:
    reason, (due, by) = _plain(wanted.reason), what
    if wanted.kind == "extension" and due is not None:
        extend(session, change, person, due, reason)
    elif wanted.kind == "excuse":
        _renew(session, change, Excuse, person).reason = reason
    elif due is not None:
        row = _renew(session, change, Resit, person, by)
        row.reason, row.due_at, row.by_assignment_id = reason, due, by.id if by else None


def _renew(
    session: Session,
    change: Change,
    table: type[L],
    person: tables.Person,
    by: tables.Assignment | None = None,
) -> L:
    """Return a new decision in the place of the one that held: what was told stays on record."""
    for earlier in session.scalars(_of(table, change).where(table.person_id == person.id)):
        if not _still_stands(change, earlier, by):
            earlier.ended_by, earlier.ended_at = change.by, change.group.now
    row = table(assignment_id=change.assignment.id, person_id=person.id)
    session.add(row)
    row.given_by, row.given_at = change.by, change.group.now
    return row


def _still_stands(change: Change, earlier: Excuse | Resit, by: tables.Assignment | None) -> bool:
    """Say whether it is a resit by another assignment with hand-ins: nobody took its points back."""
    taken_at = earlier.by_assignment_id if isinstance(earlier, Resit) else None
    if taken_at is None or (by is not None and by.id == taken_at):
        return False
    return change.group.works[taken_at, earlier.person_id].latest is not None


def _plain(text: str) -> str:
    return " ".join(text.split())


def _of(table: type[D], change: Change) -> Select[D]:
    """Return the decisions of this kind that hold on the assignment."""
    return select(table).where(
        table.assignment_id == change.assignment.id, table.ended_at.is_(None)
    )


def _find(
    session: Session, change: Change, kind: str, key: int
) -> tables.Extension | Excuse | Resit | None:
    if kind == "extension":
        return session.scalar(_of(tables.Extension, change).where(tables.Extension.id == key))
    if kind == "excuse":
        return session.scalar(_of(Excuse, change).where(Excuse.id == key))
    return session.scalar(_of(Resit, change).where(Resit.id == key)) if kind == "resit" else None


def _standing(
    change: Change, person: tables.Person, row: tables.Extension | Excuse | Resit
) -> Standing:
    zone, now = change.group.run.time_zone, change.group.now
    if isinstance(row, Excuse):
        kind, words = "excuse", _("Excused")
    else:
        kind = "resit" if isinstance(row, Resit) else "extension"
        until = moment(row.due_at, zone, now)
        words = (
            _said_resit(change, row, until)
            if isinstance(row, Resit)
            else (_("More time until {time}").format(time=until))
        )
    by = row.granted_by if isinstance(row, tables.Extension) else row.given_by
    at = row.granted_at if isinstance(row, tables.Extension) else row.given_at
    return Standing(kind, row.id, words, person.pseudonym, person.display_name, row.reason, by, at)


def _said_resit(change: Change, row: Resit, until: str) -> str:
    title = resits.title_by(change, row)
    if not title:
        return _("Another attempt until {time}").format(time=until)
    return _("{title} as the resit, until {time}").format(title=title, time=until)
