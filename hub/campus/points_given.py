"""Show the points and comments that people gave in formgrader and no result holds yet.

Law: what is shown is what would be put in, worked out by the same rule; what is put in
is what was shown, all of it or nothing. Who gave it is named.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.hub.campus import judgements, judging, results
from bioskills.hub.campus.flagged_work import FlagLine, flag_lines
from bioskills.hub.campus.pages_changes import Change, note
from bioskills.hub.campus.pages_class import Class
from bioskills.hub.campus.pages_work import Work, cell_points, notes_of, waits_for_person
from bioskills.hub.campus.wording import listed, number


@dataclass(frozen=True)
class Line:
    """What changes at one graded cell, and who decided that."""

    title: str
    before: str
    after: str
    comment: str
    who: str
    at: datetime


@dataclass(frozen=True)
class Given:
    """One hand-in with what is not in its result yet.

    Attributes:
        newest: Id of its newest judgement: what was saved later was not shown.
        later: Whether the learner has handed in again since.
        seen: Whether the learner sees the present result.
        whole: Whether nothing waits for a person any more with these points.
        unplaced: Comments that belong to no graded cell, so that no learner sees them.
    """

    newest: int
    submission_id: int
    display_name: str
    attempt: int
    later: bool
    seen: bool
    whole: bool
    lines: tuple[Line, ...]
    unplaced: tuple[str, ...]
    flags: tuple[FlagLine, ...]


@dataclass(frozen=True)
class _Open:
    """A hand-in with judgements that change its result."""

    work: Work
    submission: tables.Submission
    before: tables.Result
    after: tables.Result
    rows: judgements.Rows

    @property
    def newest(self) -> int:
        return max(row.id for row in judgements.open_ones(self.rows))


def given_on(
    session: Session, group: Class, assignment: tables.Assignment, version: tables.CourseVersion
) -> list[Given]:
    """Return every hand-in of one assignment whose result lacks something, oldest first."""
    people = {person.id: person.display_name for person in group.learners}
    found = _opened(session, group, assignment)
    judges = _names(session, (row.by for one in found for row in one.rows))
    notes = version.notes.get(assignment.name) or {}
    return [
        Given(
            newest=one.newest,
            submission_id=one.submission.id,
            display_name=people[one.submission.person_id],
            attempt=one.submission.attempt,
            later=one.submission is not one.work.latest,
            seen=one.before.state != "held",
            whole=one.after.verdict == "graded" and not waits_for_person(one.after),
            lines=tuple(_lines(one, notes, judges, version, assignment.name)),
            unplaced=tuple(row.comment for row in _unplaced(one, notes)),
            flags=flag_lines(one.before, version, assignment.name),
        )
        for one in found
    ]


def put_in(session: Session, change: Change, shown: Iterable[int]) -> int:
    """Put what a page showed into results; say of how many hand-ins. A second click changes nothing.

    Args:
        session: The transaction.
        change: The assignment, and who changes it.
        shown: The newest judgement that the page showed of each hand-in.

    Raises:
        InputError: With everything that cannot be put in; then nothing is.
    """
    chosen = _chosen(session, change, shown)
    faults = [problem for one in chosen for problem in _faults(one)]
    if faults:
        raise InputError(faults)
    _note(session, change, "put points into results", chosen)
    for one in chosen:
        results.put_in(session, one.before, one.rows, change.by, change.group.now)
    return len(chosen)


def leave_out(session: Session, change: Change, shown: Iterable[int]) -> int:
    """Note that what a page showed is not to be put into results; say of how many hand-ins.

    Raises:
        InputError: More was saved meanwhile; then nothing is left out.
    """
    chosen = _chosen(session, change, shown)
    _note(session, change, "left points out", chosen)
    for one in chosen:
        newest = session.get_one(tables.Judgement, one.newest)
        judgements.settle(session, newest, change.by, change.group.now, None)
    return len(chosen)


def _opened(session: Session, group: Class, assignment: tables.Assignment) -> list[_Open]:
    works = {row.id: (work, row) for work in group.works_on(assignment) for row in work.submissions}
    found = judgements.standing(session, works)
    opened = []
    for number_, rows in sorted(found.items()):
        work, submission = works[number_]
        if judgements.open_ones(rows) and submission.id in work.results:
            before = work.results[submission.id]
            after = judgements.revise(session, before, rows, group.now)
            opened.append(_Open(work, submission, before, after, rows))
    notes = judgements.notes_for(session, opened[0].submission) if opened else {}
    return [one for one in opened if _changes(one) or _unplaced(one, notes)]


def _changes(one: _Open) -> bool:
    now, then = (one.before.cells, one.before.verdict), (one.after.cells, one.after.verdict)
    return now != then


def _chosen(session: Session, change: Change, shown: Iterable[int]) -> list[_Open]:
    """Return the hand-ins of what was shown, without those that were settled since.

    Raises:
        InputError: Something was saved after the page was made.
    """
    opened = {one.newest: one for one in _opened(session, change.group, change.assignment)}
    wanted = sorted(set(shown))
    rows = [session.get(tables.Judgement, key) for key in wanted if key not in opened]
    if any(row is None or row.settled_at is None for row in rows):
        what = _("Meanwhile more was saved in formgrader than this page showed.")
        step = _("Look at it as it is now, below, and decide again.")
        raise InputError([Problem("", what, next=step)])
    return [opened[key] for key in wanted if key in opened]


def _faults(one: _Open) -> Iterator[Problem]:
    for fault in judging.faults(one.before.cells, judgements.open_ones(one.rows)):
        step = _("Correct it in formgrader, or leave it out.")
        yield Problem(f"given-{one.submission.id}", fault + ".", next=step)


def _note(session: Session, change: Change, action: str, chosen: list[_Open]) -> None:
    if chosen:
        judges = {row.by for one in chosen for row in judgements.open_ones(one.rows)}
        detail = {"submissions": [one.submission.id for one in chosen], "given_by": sorted(judges)}
        note(session, change, action, detail)


def _names(session: Session, pseudonyms: Iterable[str]) -> dict[str, str]:
    table = tables.Person
    wanted = select(table.pseudonym, table.display_name).where(table.pseudonym.in_(set(pseudonyms)))
    return {row.pseudonym: row.display_name for row in session.execute(wanted)}


def _lines(
    one: _Open,
    notes: dict[str, Any],
    judges: dict[str, str],
    version: tables.CourseVersion,
    assignment: str,
) -> Iterator[Line]:
    titles = notes_of(version, assignment).cells
    answers = judging.answers_of(notes, one.before.cells)
    for before, after in zip(one.before.cells, one.after.cells, strict=True):
        cell, name = after["cell"], after["cell"].rpartition("/")[2]
        rows = [r for r in judgements.open_ones(one.rows) if r.cell in (cell, answers[cell])]
        if before == after or not rows:
            continue
        said = after.get("person_comment", "") != before.get("person_comment", "")
        yield Line(
            title=titles[name].title if name in titles else name,
            before=_points(before),
            after=_points(after),
            comment=after.get("person_comment", "") if said else "",
            who=listed(sorted({judges.get(row.by, row.by) for row in rows})),
            at=max(row.at for row in rows),
        )


def _points(cell: dict[str, Any]) -> str:
    points = cell_points(cell)
    if points is None:
        return _("not read yet")
    text = _("{points} of {max}")
    return text.format(points=number(points), max=number(cell["max_points"]))


def _unplaced(one: _Open, notes: dict[str, Any]) -> judgements.Rows:
    answers = judging.answers_of(notes, one.before.cells)
    known = {*answers, *answers.values()}
    rows = judgements.open_ones(one.rows)
    return [row for row in rows if row.kind == "comment" and row.comment and row.cell not in known]
