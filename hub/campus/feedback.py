"""Say what came back for one hand-in, in the words of the course's authors.

Law: never the text of a hidden test, never an expected value. A hidden check
is known by its label alone, and hints are for criteria that are not yet full.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.base.wire import CheckNote, Criterion, Feedback, RubricLevel
from bioskills.competence.mapping import parse_mapping
from bioskills.courses.grading_notes import CellNotes, Check
from bioskills.hub.campus.counted import counts_words
from bioskills.hub.campus.deliveries import Delivery, due_for, late_rule_for
from bioskills.hub.campus.flags import for_learner
from bioskills.hub.campus.late_rules import loss_words
from bioskills.hub.campus.pages_shelf import read_works
from bioskills.hub.campus.pages_work import (
    RETURNED,
    cell_points,
    manifest_of,
    notes_of,
    points_of,
)
from bioskills.hub.campus.printed import printed_by, printed_elsewhere
from bioskills.hub.campus.wording import plain_number

_NO_NOTES = CellNotes(title="-", graded="automatic")


@dataclass(frozen=True)
class HandIn:
    """A hand-in with everything that says whose it is and where it belongs."""

    submission: tables.Submission
    assignment: tables.Assignment
    run: tables.Run
    version: tables.CourseVersion
    cohort: tables.Cohort
    person: tables.Person


def find_hand_in(session: Session, submission_id: int) -> HandIn | None:
    """Return a hand-in with its surroundings, or None where there is no such one."""
    submission = session.get(tables.Submission, submission_id)
    if submission is None:
        return None
    assignment = session.get_one(tables.Assignment, submission.assignment_id)
    run = session.get_one(tables.Run, assignment.run_id)
    return HandIn(
        submission=submission,
        assignment=assignment,
        run=run,
        version=session.get_one(tables.CourseVersion, run.course_version_id),
        cohort=session.get_one(tables.Cohort, run.cohort_id),
        person=session.get_one(tables.Person, submission.person_id),
    )


def result_of(
    session: Session, submission_id: int, states: Sequence[str] = RETURNED
) -> tables.Result | None:
    """Return the newest result of a submission that is in one of these states."""
    table = tables.Result
    chosen = select(table).where(table.submission_id == submission_id, table.state.in_(states))
    return session.scalars(chosen.order_by(table.id.desc())).first()


def lateness_of(session: Session, hand_in: HandIn) -> tuple[Fraction, str]:
    """Return what coming late costs this hand-in: the share of its points, and a sentence."""
    delivery = Delivery(hand_in.run, hand_in.version, hand_in.cohort.slug)
    rule = late_rule_for(session, delivery, hand_in.assignment)
    at = hand_in.submission.submitted_at
    if not hand_in.submission.late:
        return Fraction(0), ""
    due = due_for(session, hand_in.assignment, hand_in.person.id, at)
    return rule.share_lost(due, at), loss_words(rule, due, at)


def counts_of(session: Session, hand_in: HandIn) -> str:
    """Return whether this hand-in counts and why; empty where there is nothing to compare."""
    works = read_works(session, hand_in.run, [hand_in.person.id])
    return counts_words(works[hand_in.assignment.id, hand_in.person.id], hand_in.submission)


def build_feedback(
    hand_in: HandIn,
    result: tables.Result,
    late: tuple[Fraction, str] = (Fraction(0), ""),
    counts: str = "",
) -> Feedback:
    """Return the feedback on a hand-in from one result of its grading.

    Args:
        hand_in: The hand-in with its surroundings.
        result: What grading it gave.
        late: The share of the points that coming late costs, and the sentence that says so.
        counts: Whether this attempt counts, and why.
    """
    name = hand_in.assignment.name
    plan = manifest_of(hand_in.version).assignment(name)
    notes = notes_of(hand_in.version, name).cells
    criteria = criteria_of(hand_in.version, name, result)
    reached, most = points_of(result)
    return Feedback(
        submission_id=hand_in.submission.id,
        receipt=hand_in.submission.receipt,
        run=hand_in.run.slug,
        assignment=name,
        title=plan.title if plan else name,
        attempt=hand_in.submission.attempt,
        state="published" if result.state == "published" else "preliminary",
        submitted_at=hand_in.submission.submitted_at,
        graded_at=result.graded_at,
        points=plain_number(reached * (1 - late[0])),
        max_points=plain_number(most),
        late=late[1],
        counts=counts,
        reason=" ".join(part for part in (result.reason, for_learner(result)) if part),
        mended=list(result.mended or []),
        next=_next(criteria),
        criteria=criteria,
        printed=printed_elsewhere(
            ((each.cell, _written(notes, each.cell).answer) for each in criteria),
            result.shown or {},
        ),
        withheld=any(not check.visible for note in notes.values() for check in note.checks),
    )


def criteria_of(
    version: tables.CourseVersion, assignment: str, result: tables.Result
) -> list[Criterion]:
    """Return every graded cell as a criterion, in the order of the author's notes."""
    notes = notes_of(version, assignment).cells
    order = {name: place for place, name in enumerate(notes)}
    cells = sorted(result.cells, key=lambda cell: order.get(_grade_id(cell), len(order)))
    proves = _outcomes(version)
    answers = result.hashes.get("answers") or {}
    shown = result.shown or {}
    return [_criterion(cell, notes.get(_grade_id(cell)), proves, answers, shown) for cell in cells]


def check_notes(checks: Iterable[Check], failed: Sequence[str], *, full: bool) -> list[CheckNote]:
    """Return which checks passed, failed or did not come to run.

    The first failed assertion stops a cell: checks before it passed, later ones are unknown.

    Args:
        checks: The cell's checks in the order in which they run.
        failed: Ids of checks that failed.
        full: Whether the cell has all its points, so that every check passed.
    """
    listed = list(checks)
    known = bool(set(failed) & {check.id for check in listed})
    passed: bool | None = True if full or known else None
    notes = []
    for check in listed:
        verdict = False if check.id in failed else passed
        passed = None if verdict is False else passed
        notes.append(
            CheckNote(id=check.id, label=check.label, visible=check.visible, passed=verdict)
        )
    return notes


def _criterion(
    cell: Mapping[str, Any],
    notes: CellNotes | None,
    proves: Mapping[str, list[str]],
    answers: Mapping[str, str],
    shown: Mapping[str, str],
) -> Criterion:
    points, most = cell_points(dict(cell)), Fraction(cell["max_points"])
    full = points is not None and points >= most
    written = notes or _NO_NOTES
    by_person = written.graded == "person" or bool(cell.get("needs_person"))
    return Criterion(
        cell=cell["cell"],
        title=written.title if notes else _grade_id(cell).replace("_", " "),
        points=None if points is None else plain_number(points),
        max_points=plain_number(most),
        graded="person" if by_person else "automatic",
        outcomes=proves.get(cell["cell"], list(written.outcomes)),
        checks=check_notes(written.checks, cell.get("failed_checks") or [], full=full),
        hints=[] if full or by_person else list(written.hints),
        rubric=[
            RubricLevel(points=plain_number(level.points), text=level.text)
            for level in written.rubric
        ],
        **_comments(cell),
        answer=_answer(cell["cell"], written.answer, answers),
        printed=printed_by(cell["cell"], written.answer, shown),
    )


def _comments(cell: Mapping[str, Any]) -> dict[str, str]:
    """Return what a person wrote and what the machine says, apart from each other."""
    person, said = cell.get("person_comment") or "", cell.get("comment") or ""
    if cell.get("manual_points") is None:
        return {"comment": person, "why": said}
    return {"comment": person or said, "why": ""}


def _next(criteria: Iterable[Criterion]) -> str:
    """Return what to try next: the first hint of the first criterion that is not full."""
    for each in criteria:
        short = each.points is not None and Fraction(each.points) < Fraction(each.max_points)
        tip = next(iter(each.hints), each.why)
        if short and tip:
            return _("{title}: {tip}").format(title=each.title, tip=tip)
    return ""


def _written(notes: Mapping[str, CellNotes], cell: str) -> CellNotes:
    return notes.get(cell.rpartition("/")[2], _NO_NOTES)


def _answer(cell: str, solution: str | None, answers: Mapping[str, str]) -> str:
    """Return what the learner wrote: in the cell that is tested, or in the cell itself."""
    tested = f"{cell.partition('/')[0]}/{solution}"
    return answers.get(tested) or answers.get(cell, "")


def _outcomes(version: tables.CourseVersion) -> dict[str, list[str]]:
    """Return the outcomes of every mapped cell: the mapping decides, not the notes."""
    mapping = parse_mapping(version.mapping, version.course)
    return {cell.cell: list(cell.outcomes) for cell in mapping.cells}


def _grade_id(cell: Mapping[str, Any]) -> str:
    return str(cell["cell"]).rpartition("/")[2]
