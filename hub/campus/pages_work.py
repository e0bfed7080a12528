"""Read what one person has done on one assignment, and name its state.

Law: the state is worked out anew each time from hand-ins, jobs and results;
it is stored nowhere, so that it cannot be wrong after a crash. The order of
the rules in `state_of` is the specification.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables, tables_teaching
from bioskills.base.wire import WorkState
from bioskills.courses.grading_notes import GradingNotes
from bioskills.courses.manifest import Assignment as Plan
from bioskills.courses.manifest import Manifest
from bioskills.hub.campus.late_rules import LateRule, latest, rule_of

D = TypeVar("D", tables_teaching.Excuse, tables_teaching.Resit)

Key = tuple[int, int]
"""Assignment id and person id."""

Points = tuple[Fraction, Fraction]
"""Reached and possible."""

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

    @property
    def latest(self) -> tables.Submission | None:
        """The newest hand-in."""
        return self.submissions[0] if self.submissions else None

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
    def last_moment(self) -> datetime:
        """Until when this person may hand in."""
        until = self.late.last_moment(self._first_due, self.run.closes_at)
        return until if self.resit is None else max(until, self.resit.due_at)

    def points(self, submission: tables.Submission, result: tables.Result) -> Points:
        """Return reached and possible points of a hand-in, the late penalty taken off."""
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
    def counting(self) -> tuple[tables.Submission, tables.Result] | None:
        """The returned hand-in with the most points; of equals the first one."""
        scored = [pair for pair in reversed(self.returned) if pair[1].cells]
        return max(scored, key=lambda pair: self.points(*pair)[0], default=None)


def state_of(work: Work, now: datetime) -> WorkState:
    """Return the state of the newest hand-in, or of the assignment where there is none."""
    if work.latest is not None:
        return _state_of_submission(work, work.latest)
    if work.excuse is not None:
        return "excused"
    again = work.may_sit_again(now)
    if not again and (work.assignment.state == "closed" or now >= work.last_moment):
        return "closed"
    if work.assignment.state == "draft" or work.version is None or now < work.run.opens_at:
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


def next_attempt_at(work: Work, plan: Plan) -> datetime | None:
    """Return when the cool-down after the newest hand-in ends; None where there is none."""
    if work.latest is None or not plan.attempts.cooldown_hours:
        return None
    return work.latest.submitted_at + timedelta(hours=plan.attempts.cooldown_hours)


def attempts_left(work: Work, plan: Plan) -> int | None:
    """Return how many attempts can still count; None for no limit."""
    most = plan.attempts.max
    return None if most is None else max(0, most - len(work.submissions))


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


def read_works(session: Session, run: tables.Run, people: Iterable[int]) -> dict[Key, Work]:
    """Return the work of these people on every assignment of a run, in a fixed number of queries."""
    assignments = assignments_of(session, run)
    wanted = list(people)
    shelf = _Shelf(session, run, [assignment.id for assignment in assignments], wanted)
    return {
        (assignment.id, person): shelf.work(assignment, person)
        for assignment in assignments
        for person in wanted
    }


def assignments_of(session: Session, run: tables.Run) -> list[tables.Assignment]:
    """Return the assignments of a run in the course's order."""
    return list(
        session.scalars(
            select(tables.Assignment)
            .where(tables.Assignment.run_id == run.id)
            .order_by(tables.Assignment.position, tables.Assignment.id)
        )
    )


class _Shelf:
    """Rows of one run, read once and handed out by assignment and person."""

    def __init__(
        self, session: Session, run: tables.Run, assignments: list[int], people: list[int]
    ) -> None:
        self._session, self._run = session, run
        self._manifest = manifest_of(session.get_one(tables.CourseVersion, run.course_version_id))
        self.excuses = self._decisions(tables_teaching.Excuse, assignments)
        self.resits = self._decisions(tables_teaching.Resit, assignments)
        self.late = {rule.assignment_id: rule for rule in self._late(assignments)}
        self.versions = {v.assignment_id: v for v in self._versions(assignments)}
        self.extensions = {(e.assignment_id, e.person_id): e for e in self._extensions(assignments)}
        self.submissions: dict[Key, list[tables.Submission]] = defaultdict(list)
        for row in self._submissions(assignments, people):
            self.submissions[row.assignment_id, row.person_id].append(row)
        ids = [row.id for found in self.submissions.values() for row in found]
        # Ordered by id, so that of several the newest stays in the dictionary.
        rows = list(self._results(ids))
        self.results = {row.submission_id: row for row in rows}
        self.shown = {row.submission_id: row for row in rows if row.state in RETURNED}
        self.jobs = {row.submission_id: row for row in self._jobs(ids)}

    def work(self, assignment: tables.Assignment, person: int) -> Work:
        """Return one person's work on one assignment."""
        rows = self.submissions.get((assignment.id, person), [])
        return Work(
            assignment=assignment,
            run=self._run,
            person_id=person,
            version=self.versions.get(assignment.id),
            extension=self.extensions.get((assignment.id, person)),
            submissions=tuple(rows),
            results={row.id: self.results[row.id] for row in rows if row.id in self.results},
            shown={row.id: self.shown[row.id] for row in rows if row.id in self.shown},
            jobs={row.id: self.jobs[row.id] for row in rows if row.id in self.jobs},
            excuse=self.excuses.get((assignment.id, person)),
            resit=self.resits.get((assignment.id, person)),
            late=rule_of(self.late.get(assignment.id), self._manifest.assignment(assignment.name)),
        )

    def _decisions(self, table: type[D], assignments: Sequence[int]) -> dict[Key, D]:
        chosen = select(table).where(table.assignment_id.in_(assignments), table.ended_at.is_(None))
        rows = self._session.scalars(chosen.order_by(table.id))
        return {(row.assignment_id, row.person_id): row for row in rows}

    def _late(self, assignments: Sequence[int]) -> Iterable[tables_teaching.LateRule]:
        table = tables_teaching.LateRule
        return self._session.scalars(select(table).where(table.assignment_id.in_(assignments)))

    def _versions(self, assignments: Sequence[int]) -> Iterable[tables.AssignmentVersion]:
        table = tables.AssignmentVersion
        chosen = select(table).where(table.assignment_id.in_(assignments))
        return self._session.scalars(chosen.order_by(table.number))

    def _extensions(self, assignments: Sequence[int]) -> Iterable[tables.Extension]:
        table = tables.Extension
        return self._session.scalars(select(table).where(table.assignment_id.in_(assignments)))

    def _submissions(
        self, assignments: Sequence[int], people: Sequence[int]
    ) -> Iterable[tables.Submission]:
        table = tables.Submission
        chosen = select(table).where(
            table.assignment_id.in_(assignments), table.person_id.in_(people)
        )
        return self._session.scalars(chosen.order_by(table.attempt.desc()))

    def _results(self, submissions: Sequence[int]) -> Iterable[tables.Result]:
        table = tables.Result
        chosen = select(table).where(table.submission_id.in_(submissions))
        return self._session.scalars(chosen.order_by(table.id))

    def _jobs(self, submissions: Sequence[int]) -> Iterable[tables.Job]:
        table = tables.Job
        chosen = select(table).where(table.kind == "grade", table.submission_id.in_(submissions))
        return self._session.scalars(chosen.order_by(table.id))
