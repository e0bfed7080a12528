"""Show where every assignment of a run stands, and the one thing to do next.

Law: learners are counted by their newest hand-in; the row that needs a person
comes first, and only the first row with a button owns the primary one. What
is shown is worked out from the rows; nothing is stored here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from markupsafe import Markup

from bioskills.base import tables
from bioskills.base.text import _, ngettext
from bioskills.hub.campus.pages_class import (
    Class,
    flagged_in,
    held_results,
    title_of,
    why_a_person,
)
from bioskills.hub.campus.pages_work import Work
from bioskills.hub.campus.wording import Sign, day_tag, time_tag

Verb = Literal["open", "close", "return", "look", "none"]


@dataclass(frozen=True)
class Step:
    """One step of the pipeline: its words, and how much of it is done."""

    label: str
    words: str | Markup
    state: Literal["on", "half", "none"]
    width: str
    spoken: str


@dataclass(frozen=True)
class Next:
    """The one thing to do with an assignment; without a verb only words."""

    verb: Verb
    words: str
    primary: bool = False


@dataclass(frozen=True)
class Counts:
    """How many learners are where with one assignment.

    Attributes:
        graded: Newest hand-in has a result.
        person: A person must look: unread answers, flags, or work that could not be graded.
        flagged: At least one hand-in has flags that nobody looked at.
        held: At least one result waits for the instructor to return it.
        returned: The learner sees the newest result.
    """

    learners: int
    handed_in: int
    graded: int
    person: int
    held: int
    returned: int
    flagged: int


@dataclass(frozen=True)
class Row:
    """One assignment on the board."""

    name: str
    title: str
    practice: bool
    state: Sign
    due: Markup | None
    steps: tuple[Step, ...]
    counts: Counts
    next: Next


@dataclass(frozen=True)
class Needed:
    """Why a person must look at somebody's work."""

    pseudonym: str
    display_name: str
    title: str
    reason: str
    submission_id: int
    flagged: bool


@dataclass(frozen=True)
class Board:
    """Everything the board of a run shows."""

    title: str
    learners: int
    rows: tuple[Row, ...]
    needed: tuple[Needed, ...]


def board_of(group: Class) -> Board:
    """Return the board; assignments that need a person come first."""
    rows = [_row(group, assignment) for assignment in group.assignments]
    rows.sort(key=lambda row: (row.counts.flagged == 0, row.counts.person == 0))
    return Board(
        title=group.manifest.title,
        learners=len(group.learners),
        rows=tuple(_one_primary(rows)),
        needed=tuple(needed_in(group)),
    )


def counts_of(works: Iterable[Work], now: datetime) -> Counts:
    """Return how many learners are where with one assignment."""
    listed = list(works)
    begun = [work for work in listed if work.latest]
    return Counts(
        learners=sum(not _excused(work) for work in listed),
        handed_in=len(begun),
        graded=sum(work.latest is not None and work.latest.id in work.results for work in begun),
        person=sum(bool(why_a_person(work, now) or flagged_in([work])) for work in begun),
        held=sum(bool(held_results([work])) for work in begun),
        returned=sum(work.latest is not None and work.latest.id in work.shown for work in begun),
        flagged=sum(bool(flagged_in([work])) for work in begun),
    )


def _excused(work: Work) -> bool:
    return work.excuse is not None and work.latest is None


def needed_in(group: Class) -> list[Needed]:
    """Return everybody whose newest hand-in needs a person, with the reason; flagged work first."""
    people = {person.id: person for person in group.learners}
    found = [
        Needed(
            people[work.person_id].pseudonym,
            people[work.person_id].display_name,
            title_of(group.manifest, assignment.name),
            why,
            work.latest.id,
            any(row.id == work.latest.id for row, _result in flagged_in([work])),
        )
        for assignment in group.assignments
        for work in group.works_on(assignment)
        for why in [why_a_person(work, group.now)]
        if why and work.latest
    ]
    return sorted(found, key=lambda item: not item.flagged)


def state_sign(assignment: tables.Assignment, released: bool) -> Sign:
    """Return how the state of an assignment is shown to its instructor."""
    if assignment.state == "draft":
        return Sign("s-none", "st-none", _("In preparation"), _("In preparation"))
    if assignment.state == "closed":
        return Sign("s-past", "st-past", _("Closed"), _("Closed"))
    if not released:
        return Sign("s-wait", "st-wait", _("Being prepared"), _("Being prepared"))
    return Sign("s-done", "st-done", _("Open"), _("Open"))


def _row(group: Class, assignment: tables.Assignment) -> Row:
    plan = group.manifest.assignment(assignment.name)
    version = group.works[assignment.id, 0].version
    counts = counts_of(group.works_on(assignment), group.now)
    due = assignment.due_at
    return Row(
        name=assignment.name,
        title=title_of(group.manifest, assignment.name),
        practice=plan is not None and plan.kind == "practice",
        state=state_sign(assignment, version is not None),
        due=time_tag(due, group.run.time_zone, group.now) if due else None,
        steps=_steps(group, version, counts),
        counts=counts,
        next=next_for(group, assignment, counts),
    )


def next_for(group: Class, assignment: tables.Assignment, counts: Counts) -> Next:
    """Return the one thing to do with an assignment; the order of the rules is the urgency."""
    if assignment.state == "draft":
        return Next("open", _("Open for learners"))
    if group.works[assignment.id, 0].version is None:
        return _release_step(group.release)
    if counts.held:
        text = ngettext("Return to {n} learner", "Return to {n} learners", counts.held)
        return Next("return", text.format(n=counts.held))
    if counts.person:
        text = ngettext("Look at {n} hand-in", "Look at {n} hand-ins", counts.person)
        return Next("look", text.format(n=counts.person))
    return _quiet_step(group, assignment, counts)


def _release_step(job: tables.Job | None) -> Next:
    if job is None or job.state == "failed":
        return Next("open", _("Prepare again") if job else _("Prepare it"))
    return Next("none", _("The grader prepares it; that takes about a minute."))


def _quiet_step(group: Class, assignment: tables.Assignment, counts: Counts) -> Next:
    if assignment.state == "closed":
        return Next(
            "none", _("Complete") if counts.returned == counts.handed_in else _("Being graded")
        )
    due = assignment.due_at
    if due is not None and due < group.now:
        return Next("close", _("Close for hand-ins"))
    waits = counts.handed_in - counts.graded
    return Next(
        "none", _("{n} being graded").format(n=waits) if waits else _("Learners are working")
    )


def _steps(
    group: Class, version: tables.AssignmentVersion | None, counts: Counts
) -> tuple[Step, ...]:
    released = day_tag(version.released_at, group.run.time_zone) if version else Markup("")
    first = Step(
        _("Released"),
        released or _("not yet"),
        "on" if version else "none",
        "100" if version else "0",
        "" if version else _("not begun"),
    )
    return (
        first,
        share_step(_("Handed in"), counts.handed_in, counts.learners),
        share_step(_("Graded"), counts.graded, counts.handed_in),
        share_step(_("Returned"), counts.returned, counts.handed_in),
    )


def share_step(label: str, part: int, whole: int) -> Step:
    """Return a step that some of all have reached."""
    words = _("{part} of {whole}").format(part=part, whole=whole)
    if not part:
        return Step(label, words, "none", "0", _("not begun"))
    if part == whole:
        return Step(label, words, "on", "100", _("done"))
    return Step(label, words, "half", f"{100 * part / whole:.0f}", _("in progress"))


def _one_primary(rows: Sequence[Row]) -> Iterable[Row]:
    found = False
    for row in rows:
        first = row.next.verb != "none" and not found
        found = found or first
        yield replace(row, next=replace(row.next, primary=first))
