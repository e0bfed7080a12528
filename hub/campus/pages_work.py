"""Read what one person has done on one assignment, and name its state.

Law: the state is worked out anew each time from hand-ins, jobs and results;
it is stored nowhere, so that it cannot be wrong after a crash. The order of
the rules in `state_of` is the specification. What does not count as evidence
(rule R3) does not count in a grade: `competence.validity.excess` says so for both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables, tables_teaching
from bioskills.base.wire import WorkState
from bioskills.competence.results import Reason
from bioskills.competence.validity import Limits
from bioskills.courses.grading_notes import GradingNotes
from bioskills.courses.manifest import Assignment as Plan
from bioskills.courses.manifest import Manifest
from bioskills.hub.campus.late_rules import LateRule, latest

Points = tuple[Fraction, Fraction]
"""Reached and possible."""

Scored = tuple[tables.Submission, tables.Result]
"""A hand-in and what grading it gave."""

RETURNED = ("preliminary", "published")
"""States of a result that its learner may see."""


@dataclass(frozen=True)
class Work:
    """Everything one person has done on one assignment.

    Attributes:
        submissions: Hand-ins, newest first.
        results: The newest result of each submission by its id.
        shown: The newest result of each submission that its learner may see. A regrade
            that is still held does not take away what was returned before.
        jobs: The newest grading job of each submission by its id.
        limits: How often the task of this assignment may be tried.
        tries: Hand-ins of the whole task so far: its other assignments count along.
        last_try: When the newest of them came.
        excess: Why a submission does not count, by its id; the others do.
        plan: What the course says about it; None where it says nothing any more.
        stand_ins: The work on each assignment that was given as the resit of this one, newest last.
        stands_for: What this one was given as the resit of.
    """

    assignment: tables.Assignment
    run: tables.Run
    person_id: int
    version: tables.AssignmentVersion | None
    extension: tables.Extension | None
    submissions: tuple[tables.Submission, ...]
    results: dict[int, tables.Result]
    shown: dict[int, tables.Result]
    jobs: dict[int, tables.Job]
    late: LateRule
    excuse: tables_teaching.Excuse | None
    resit: tables_teaching.Resit | None
    limits: Limits
    tries: int
    last_try: datetime | None
    excess: Mapping[int, Reason]
    plan: Plan | None
    stand_ins: "tuple[Work, ...]" = ()
    stands_for: Plan | None = None

    @property
    def latest(self) -> tables.Submission | None:
        """The newest hand-in."""
        return self.submissions[0] if self.submissions else None

    @property
    def stand_in(self) -> "Work | None":
        """The work on what was given last as the resit of this one."""
        return self.stand_ins[-1] if self.stand_ins else None

    def stand_in_of(self, scored: Scored | None) -> "Work | None":
        """Return the work on the resit by which this hand-in came; None for one of its own."""
        at = scored[0].assignment_id if scored else None
        return next((work for work in self.stand_ins if work.assignment.id == at), None)

    @property
    def due_at(self) -> datetime | None:
        """This person's due date, an extension or another attempt included."""
        return latest(self._first_due, self.resit.due_at if self.resit else None)

    @property
    def _first_due(self) -> datetime | None:
        extended = self.extension.due_at if self.extension else None
        return latest(extended, self.assignment.due_at)

    def due_of(self, submission: tables.Submission) -> datetime | None:
        """Return when this hand-in was due: another attempt does not make the first one timely."""
        again = self.resit is not None and submission.submitted_at >= self.resit.given_at
        return self.due_at if again else self._first_due

    def may_sit_again(self, now: datetime) -> bool:
        """Say whether another attempt was given and is still to be used."""
        if self.resit is None or now > self.resit.due_at:
            return False
        return self.latest is None or self.latest.submitted_at < self.resit.given_at

    @property
    def by_resit_alone(self) -> bool:
        """Whether it is open to this person by another attempt, and closed to everybody else."""
        return self.resit is not None and self.assignment.state != "open"

    @property
    def last_moment(self) -> datetime:
        """Until when this person may hand in."""
        if self.resit is not None and self.by_resit_alone:
            return self.resit.due_at
        until = self.late.last_moment(self._first_due, self.run.closes_at)
        return until if self.resit is None else max(until, self.resit.due_at)

    def points(self, submission: tables.Submission, result: tables.Result) -> Points:
        """Return reached and possible points of a hand-in, the late penalty taken off.

        Those of another assignment that stands for this one are brought to this one's size.
        """
        if by := self.stand_in_of((submission, result)):
            return self._own_size(*by.points(submission, result))
        reached, most = points_of(result)
        # Whether it was late was settled when it came, with all that counted then.
        due, at = self.due_of(submission), submission.submitted_at
        lost = self.late.share_lost(due, at) if submission.late else Fraction(0)
        return reached * (1 - lost), most

    @property
    def returned(self) -> list[tuple[tables.Submission, tables.Result]]:
        """Hand-ins whose result the learner may see, newest first."""
        return [(row, self.shown[row.id]) for row in self.submissions if row.id in self.shown]

    @property
    def counting(self) -> Scored | None:
        """The returned hand-in that counts: of those within the limits the one with most points."""
        return self._best(lambda work: work.shown)

    @property
    def best_graded(self) -> Scored | None:
        """The hand-in that counts as far as it is graded, returned or not."""
        return self._best(lambda work: work.results)

    def _best(self, of: Callable[["Work"], Mapping[int, tables.Result]]) -> Scored | None:
        """Return the hand-in with the most points among those that count; of equals the first."""
        among = [
            (work, row) for work in (self, *self.stand_ins) for row in reversed(work.submissions)
        ]
        counted = [(of(work).get(row.id), row) for work, row in among if row.id not in work.excess]
        scored = [(row, result) for result, row in counted if result and result.cells]
        return max(scored, key=lambda pair: self.points(*pair)[0], default=None)

    def _own_size(self, reached: Fraction, most: Fraction) -> Points:
        whole = Fraction(str(self.plan.points)) if self.plan else most
        return (reached * whole / most if most else Fraction(0)), whole

    @property
    def by_stand_in(self) -> bool:
        """Whether the points are those of the other assignment that was given as the resit."""
        return self.stand_in_of(self.best_graded) is not None


def state_of(work: Work, now: datetime) -> WorkState:
    """Return the state of the newest hand-in, or of the assignment where there is none."""
    if work.latest is not None:
        return _state_of_submission(work, work.latest)
    if work.excuse is not None:
        return "excused"
    again = work.may_sit_again(now)
    if not again and (work.assignment.state == "closed" or now >= work.last_moment):
        return "closed"
    draft = work.assignment.state == "draft" and not again
    if draft or work.version is None or now < work.run.opens_at:
        return "not_open"
    return "new"


def _state_of_submission(work: Work, submission: tables.Submission) -> WorkState:
    shown, job = work.shown.get(submission.id), work.jobs.get(submission.id)
    if shown is not None and shown.state == "published":
        return "published"
    if submission.id in work.results:
        # Without a single graded cell there is nothing preliminary to show.
        return "preliminary" if shown is not None and shown.cells else "needs_person"
    if job is not None and job.state == "failed":
        return "needs_person"
    return "grading" if job is not None and job.state == "running" else "handed_in"


def next_attempt_at(work: Work) -> datetime | None:
    """Return when the cool-down after the task's newest hand-in ends; None where there is none."""
    if work.last_try is None or not work.limits.cooldown_hours:
        return None
    return work.last_try + timedelta(hours=work.limits.cooldown_hours)


def attempts_left(work: Work) -> int | None:
    """Return how many attempts can still count; None for no limit."""
    most = work.limits.max
    return None if most is None else max(0, most - work.tries)


def points_of(result: tables.Result) -> tuple[Fraction, Fraction]:
    """Return reached and possible points; a cell without a score yet gives none."""
    reached = sum((cell_points(cell) or Fraction(0) for cell in result.cells), Fraction(0))
    most = sum((Fraction(cell["max_points"]) for cell in result.cells), Fraction(0))
    return reached, most


def cell_points(cell: dict[str, str | None]) -> Fraction | None:
    """Return a cell's points: a person's before the machine's; None while a person must look."""
    given = cell.get("manual_points")
    if given is None and cell.get("needs_person"):
        return None
    given = given if given is not None else cell.get("auto_points")
    extra = Fraction(cell.get("extra_credit") or 0)
    return None if given is None else Fraction(given) + extra


def waits_for_person(result: tables.Result) -> list[str]:
    """Return the cells that a person still has to grade."""
    return [cell["cell"] for cell in result.cells if cell_points(cell) is None]


def manifest_of(version: tables.CourseVersion) -> Manifest:
    """Return what the course says about itself."""
    return Manifest.model_validate(version.manifest)


def notes_of(version: tables.CourseVersion, assignment: str) -> GradingNotes:
    """Return labels, hints and rubric of an assignment; empty where it has none."""
    return GradingNotes.model_validate(version.notes.get(assignment) or {"cells": {}})


def assignments_of(session: Session, run: tables.Run) -> list[tables.Assignment]:
    """Return the assignments of a run in the course's order."""
    return list(
        session.scalars(
            select(tables.Assignment)
            .where(tables.Assignment.run_id == run.id)
            .order_by(tables.Assignment.position, tables.Assignment.id)
        )
    )
