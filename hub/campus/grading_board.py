"""Show how far the grading of every assignment of a run is, and the one thing to do next.

Law: what needs a person comes first, and of that what is flagged; learners are counted by
their newest hand-in, the queue by all. What is shown is worked out from the rows at
one moment; nothing is stored here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from bioskills.base import tables
from bioskills.base.text import _, ngettext
from bioskills.hub.campus.flagged_work import Flagged, flagged_hand_ins
from bioskills.hub.campus.grader_state import Grader, grader_words
from bioskills.hub.campus.hardest_tests import Tried, hardest
from bioskills.hub.campus.job_board import Queue, Speed, progress_in, time_words
from bioskills.hub.campus.pages_class import Class, title_of
from bioskills.hub.campus.pages_work import state_of, waits_for_person
from bioskills.hub.campus.points_given import Given
from bioskills.hub.campus.regrading import changed_in
from bioskills.hub.campus.run_board import (
    Counts,
    Needed,
    Step,
    counts_of,
    needed_in,
    share_step,
    state_sign,
)
from bioskills.hub.campus.wording import Sign, time_tag


@dataclass(frozen=True)
class Action:
    """The one thing to do with an assignment; without a place to go only words."""

    words: str
    href: str = ""
    instructors_only: bool = False
    primary: bool = False


@dataclass(frozen=True)
class Row:
    """One assignment on the board."""

    name: str
    title: str
    practice: bool
    state: Sign
    due: Markup | None
    steps: tuple[Step, ...]
    time: str
    needs: tuple[Sign, ...]
    next: Action
    changed: int
    flagged: int
    waits: int
    given: tuple[Given, ...]


@dataclass(frozen=True)
class GradingBoard:
    """Everything the board shows."""

    title: str
    learners: int
    handed_in: int
    rows: tuple[Row, ...]
    flagged: tuple[Flagged, ...]
    needed: tuple[Needed, ...]
    tests: tuple[Tried, ...]
    grader: Grader


@dataclass(frozen=True)
class Facts:
    """What the board rests on besides the class.

    Attributes:
        given: Points of people that no result holds yet, by assignment.
    """

    version: tables.CourseVersion
    queue: Queue
    speed: Speed
    environment: str
    given: Mapping[str, Sequence[Given]] = field(default_factory=dict)


def grading_board(group: Class, facts: Facts, here: str) -> GradingBoard:
    """Return the board.

    Args:
        group: The run with its learners and their work.
        facts: Read at the same moment.
        here: Address of the run's page, for links.
    """
    rows = [_row(group, assignment, facts, here) for assignment in group.assignments]
    rows.sort(key=lambda row: (row.flagged == 0, not row.needs, row.waits == 0))
    flagged = flagged_hand_ins(group, facts.version)
    ids = {item.submission_id for item in flagged}
    ids |= {item.submission_id for row in rows for item in row.given if item.whole}
    return GradingBoard(
        title=group.manifest.title,
        learners=len(group.learners),
        handed_in=sum(work.latest is not None for work in group.works.values()),
        rows=tuple(_one_primary(rows)),
        flagged=tuple(flagged),
        needed=tuple(item for item in needed_in(group) if item.submission_id not in ids),
        tests=tuple(hardest(group, facts.version)),
        grader=grader_words(group, facts.queue, facts.speed),
    )


def _row(group: Class, assignment: tables.Assignment, facts: Facts, here: str) -> Row:
    works = group.works_on(assignment)
    counts = counts_of(works, group.now)
    plan = group.manifest.assignment(assignment.name)
    jobs = [job for work in works for job in work.jobs.values()]
    waiting = [job.id for job in jobs if job.state == "queued"]
    running = [job for job in jobs if job.state == "running"]
    seconds = facts.queue.seconds_to(waiting)
    changed = len(changed_in(group, assignment, facts.environment))
    given = tuple(facts.given.get(assignment.name, ()))
    due, released = assignment.due_at, group.works[assignment.id, 0].version is not None
    return Row(
        name=assignment.name,
        title=title_of(group.manifest, assignment.name),
        practice=plan is not None and plan.kind == "practice",
        state=state_sign(assignment, released),
        due=time_tag(due, group.run.time_zone, group.now) if due else None,
        steps=_steps(counts, len(waiting), running, facts.queue),
        time=_("all graded in {time}").format(time=time_words(seconds)) if seconds else "",
        needs=(*_needs(group, assignment, counts, given), *_given_signs(len(given))),
        next=_next(
            f"{here}/assignments/{assignment.name}",
            counts,
            _Numbers(len(waiting + running), changed, len(given)),
        ),
        changed=changed,
        flagged=counts.flagged,
        waits=len(waiting + running),
        given=given,
    )


def _steps(
    counts: Counts, waiting: int, running: Sequence[tables.Job], queue: Queue
) -> tuple[Step, ...]:
    whole = max(counts.handed_in, waiting + len(running), 1)
    words = str(len(running))
    if len(running) == 1 and running[0].of:
        one = progress_in(queue, running[0])
        words = _("1, {done} of {of} cells").format(done=one.done, of=one.of)
    return (
        share_step(_("Handed in"), counts.handed_in, counts.learners),
        _number(_("In the queue"), str(waiting), waiting, whole),
        _number(_("Running"), words, len(running), whole),
        share_step(_("Graded"), counts.graded, counts.handed_in),
        share_step(_("Returned"), counts.returned, counts.handed_in),
    )


def _number(label: str, words: str, part: int, whole: int) -> Step:
    return Step(label, words, "half" if part else "none", f"{100 * part / whole:.0f}", "")


def _needs(
    group: Class, assignment: tables.Assignment, counts: Counts, given: Sequence[Given]
) -> tuple[Sign, ...]:
    """Return what of an assignment needs a person, the most pressing first."""
    read = {item.submission_id for item in given if item.whole}
    works = [work for work in group.works_on(assignment) if work.latest]
    newest = [work.results[work.latest.id] for work in works
              if work.latest and work.latest.id in work.results]  # fmt: skip
    unread = sum(bool(waits_for_person(r)) and r.submission_id not in read for r in newest)
    bare = sum(result.verdict == "needs_person" and not result.cells for result in newest)
    bare += sum(
        state_of(work, group.now) == "needs_person"
        and work.latest is not None
        and work.latest.id not in work.results
        for work in works
    )
    return tuple(
        Sign(css, icon, text.format(n=n), text.format(n=n))
        for n, css, icon, text in (
            (counts.flagged, "s-review", "flag", _("{n} flagged")),
            (bare, "s-bad", "warn", _("{n} not graded")),
            (unread, "s-wait", "st-wait", _("{n} to read")),
        )
        if n
    )


def _given_signs(given: int) -> tuple[Sign, ...]:
    words = _("{n} with points given").format(n=given)
    return (Sign("s-wait", "person", words, words),) if given else ()


@dataclass(frozen=True)
class _Numbers:
    """Hand-ins of an assignment that wait to be graded, changed, or have points to put in."""

    waits: int
    changed: int
    given: int


def _next(here: str, counts: Counts, numbers: _Numbers) -> Action:
    """Return the one thing to do; the order of the rules is the urgency."""
    if counts.flagged:
        text = ngettext(
            "Look at {n} flagged hand-in", "Look at {n} flagged hand-ins", counts.flagged
        )
        return Action(text.format(n=counts.flagged), "#flagged")
    if numbers.given:
        text = ngettext(
            "Put in points of {n} hand-in", "Put in points of {n} hand-ins", numbers.given
        )
        return Action(text.format(n=numbers.given), f"{here}/points", instructors_only=True)
    if counts.held:
        text = ngettext("Return to {n} learner", "Return to {n} learners", counts.held)
        return Action(text.format(n=counts.held), f"{here}/return", instructors_only=True)
    if counts.person:
        text = ngettext("Look at {n} hand-in", "Look at {n} hand-ins", counts.person)
        return Action(text.format(n=counts.person), here)
    if numbers.changed:
        text = ngettext("Grade {n} hand-in again", "Grade {n} hand-ins again", numbers.changed)
        return Action(text.format(n=numbers.changed), f"{here}/regrade", instructors_only=True)
    return Action(_quiet_words(counts, numbers.waits))


def _quiet_words(counts: Counts, waits: int) -> str:
    if waits:
        return _("{n} to be graded").format(n=waits)
    if not counts.handed_in:
        return _("Nothing handed in yet")
    return _("Complete") if counts.returned == counts.learners else _("Nothing to do now")


def _one_primary(rows: Sequence[Row]) -> Iterable[Row]:
    first = next((row.name for row in rows if row.next.href), "")
    for row in rows:
        yield replace(row, next=replace(row.next, primary=row.name == first))
