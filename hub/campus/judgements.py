"""Keep what people judge in formgrader, and put it into results.

Law: only a person judges. Who, which hand-in and which cell are written down before
formgrader's gradebook changes, so that nothing given is forgotten; it counts for nothing
until an instructor puts it into the result: cells, flags, evidence and what waited for
a person in one transaction. A judgement belongs to one hand-in. Graded again, it keeps
it; the next hand-in begins without.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bioskills.base import wire
from bioskills.base.tables import Assignment, CourseVersion, Judgement, Person, Result, Run
from bioskills.base.tables import Submission as HandIn
from bioskills.base.text import _
from bioskills.competence.hashes import scores_sha256
from bioskills.hub.campus import judging
from bioskills.hub.campus.judging import Cells
from bioskills.hub.campus.site import Refused

Rows = list[Judgement]


def save(session: Session, assignment: Assignment, given: wire.Judgement, by: Person) -> Judgement:
    """Write down what an instructor saves in formgrader.

    Raises:
        Refused: The hand-in that the page showed is not the one that formgrader holds now,
            or the points are none that the cell can have; with every fault.
    """
    hand_in = _hand_in(session, assignment, given)
    row = Judgement(
        submission_id=hand_in.id,
        kind=given.kind,
        cell=given.cell,
        points=given.points,
        extra_credit=given.extra_credit,
        comment=given.comment,
        by=by.pseudonym,
    )
    found = list(judging.faults(newest_result(session, hand_in.id, assignment).cells, [row]))
    if found:
        message = _("This was not saved: {faults}.").format(faults="; ".join(found))
        raise Refused(422, "impossible_points", message, _("Load the page again and correct it."))
    session.add(row)
    return row


def newest_result(session: Session, submission_id: int, assignment: Assignment) -> Result:
    """Return the newest result of a hand-in, whoever sees it.

    Raises:
        Refused: There is none.
    """
    chosen = select(Result).where(Result.submission_id == submission_id)
    found = session.scalar(chosen.order_by(Result.id.desc()).limit(1))
    if found is None:
        message = _("This hand-in of {name} is not graded yet.").format(name=assignment.name)
        raise Refused(409, "not_graded", message, _("Wait until it is graded, then try again."))
    return found


def standing(session: Session, submissions: Iterable[int]) -> dict[int, Rows]:
    """Return by hand-in the newest judgement of every cell that counts or is to be put in."""
    counts = Judgement.settled_at.is_(None) | Judgement.result_id.is_not(None)
    return _newest(session, submissions, counts)


def _newest(
    session: Session, submissions: Iterable[int], which: ColumnElement[bool]
) -> dict[int, Rows]:
    """Return by hand-in the newest judgement of every cell among those that are asked for."""
    chosen = select(Judgement).where(Judgement.submission_id.in_(list(submissions)), which)
    found: dict[int, dict[tuple[str, str], Judgement]] = defaultdict(dict)
    for row in session.scalars(chosen.order_by(Judgement.id)):
        found[row.submission_id][row.kind, row.cell] = row
    return {number: list(rows.values()) for number, rows in found.items()}


def open_ones(rows: Iterable[Judgement]) -> Rows:
    """Return the judgements that nobody has put into a result or left out."""
    return [row for row in rows if row.settled_at is None]


def keep(session: Session, result: Result, hand_in: HandIn) -> None:
    """Let a new grading of a hand-in keep what people decided about it, and nothing else.

    What is saved and not put in covers nothing that counted before. The reason to look at it
    was looked at too, where it is the same as before.
    """
    put_in = Judgement.result_id.is_not(None)
    rows = _newest(session, [hand_in.id], put_in).get(hand_in.id, [])
    if not rows:
        return
    before = result_of_judge(session, hand_in.id)
    _write(session, result, rows, looked=before is not None and before.reason == result.reason)


def revise(session: Session, before: Result, rows: Sequence[Judgement], at: datetime) -> Result:
    """Return a new result with these judgements in it, not yet stored; the old one stays as it is."""
    after = Result(
        submission_id=before.submission_id,
        verdict=before.verdict,
        reason=before.reason,
        cells=before.cells,
        hashes=before.hashes,
        flags=before.flags,
        mended=before.mended,
        shown=before.shown,
        graded_at=at,
        state="held",
    )
    _write(session, after, rows, looked=True)
    return after


def settle(session: Session, newest: Judgement, by: str, at: datetime, result: int | None) -> None:
    """Note that a hand-in's judgements up to this one are in a result, or are left out."""
    chosen = select(Judgement).where(
        Judgement.submission_id == newest.submission_id,
        Judgement.id <= newest.id,
        Judgement.settled_at.is_(None),
    )
    for row in session.scalars(chosen).all():
        row.settled_at, row.settled_by, row.result_id = at, by, result


def result_of_judge(session: Session, submission_id: int) -> Result | None:
    """Return the newest result of a hand-in that a person's judgement made."""
    chosen = select(Result).where(Result.submission_id == submission_id, Result.job_id.is_(None))
    return session.scalar(chosen.order_by(Result.id.desc()).limit(1))


def notes_for(session: Session, hand_in: HandIn) -> dict[str, Any]:
    """Return the course's notes on the assignment of a hand-in."""
    assignment = session.get_one(Assignment, hand_in.assignment_id)
    run = session.get_one(Run, assignment.run_id)
    course = session.get_one(CourseVersion, run.course_version_id)
    return dict(course.notes.get(assignment.name) or {})


def _write(session: Session, result: Result, rows: Sequence[Judgement], *, looked: bool) -> None:
    """Put judgements into the cells, with who judged; what waited for a person is looked at."""
    hand_in = session.get_one(HandIn, result.submission_id)
    answers = judging.answers_of(notes_for(session, hand_in), result.cells)
    cells: Cells = judging.judged(result.cells, rows, answers)
    if looked and cells and not any(cell["needs_person"] for cell in cells):
        result.verdict = "graded"
    result.cells = cells
    result.hashes = {
        **result.hashes,
        "cells_sha256": scores_sha256(map(wire.CellScore.model_validate, cells)),
    }
    result.judged = {
        row.cell: {"by": row.by, "at": row.at.isoformat()} for row in rows if row.kind == "points"
    }


def _hand_in(session: Session, assignment: Assignment, given: wire.Judgement) -> HandIn:
    """Return the hand-in that formgrader's page showed: the newest one that is graded."""
    chosen = (
        select(HandIn)
        .join(Person, Person.id == HandIn.person_id)
        .join(Result, Result.submission_id == HandIn.id)
        .where(HandIn.assignment_id == assignment.id, Person.pseudonym == given.learner)
    )
    newest = session.scalar(chosen.order_by(HandIn.id.desc()).limit(1))
    if newest is None or newest.submitted_at != given.submitted_at:
        message = _(
            "This was not saved: the page shows another hand-in of {name} than the newest that is graded."
        )
        message = message.format(name=given.learner)
        raise Refused(409, "moved_on", message, _("Load the page again, and read that one."))
    return newest
