"""Read the work of many people on a run, and hand it out by assignment and person.

Law: a fixed number of queries, whatever the number of people. Which attempts count is
said here once, for panel, pages and grades, by the rule that judges evidence (R3).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables, tables_teaching
from bioskills.courses.manifest import Assignment as Plan
from bioskills.hub.campus.counted import TaskRules, excess_of
from bioskills.hub.campus.late_rules import rule_of
from bioskills.hub.campus.pages_work import RETURNED, Work, assignments_of, manifest_of

D = TypeVar("D", tables_teaching.Excuse, tables_teaching.Resit)

Key = tuple[int, int]
"""Assignment id and person id."""


def read_works(session: Session, run: tables.Run, people: Iterable[int]) -> dict[Key, Work]:
    """Return the work of these people on every assignment of a run, in a fixed number of queries."""
    assignments = assignments_of(session, run)
    wanted = list(people)
    shelf = _Shelf(session, run, assignments, wanted)
    return {
        (assignment.id, person): shelf.work(assignment, person)
        for assignment in assignments
        for person in wanted
    }


class _Shelf:
    """Rows of one run, read once and handed out by assignment and person."""

    def __init__(
        self,
        session: Session,
        run: tables.Run,
        shown: Sequence[tables.Assignment],
        people: list[int],
    ) -> None:
        self._session, self._run = session, run
        assignments = [assignment.id for assignment in shown]
        version = session.get_one(tables.CourseVersion, run.course_version_id)
        self._manifest, self._rules = manifest_of(version), TaskRules(version)
        self._ids = {row.name: row.id for row in shown}
        excused = self._decisions(tables_teaching.Excuse, assignments)
        self.excuses = {(row.assignment_id, row.person_id): row for row in excused}
        given = self._decisions(tables_teaching.Resit, assignments)
        self.resits = {
            (row.by_assignment_id or row.assignment_id, row.person_id): row for row in given
        }
        self.stand_ins: dict[Key, list[int]] = defaultdict(list)
        self.firsts: dict[Key, int] = {}
        for resit in given:
            if by := resit.by_assignment_id:
                self.stand_ins[resit.assignment_id, resit.person_id].append(by)
                self.firsts[by, resit.person_id] = resit.assignment_id
        self._by_id = {row.id: row for row in shown}
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
        """Return one person's work on one assignment, with what was given as its resit."""
        work, given = self._work(assignment, person), self.stand_ins.get((assignment.id, person))
        by = [self._by_id[key] for key in given or () if key in self._by_id]
        return replace(work, stand_ins=tuple(self._work(row, person) for row in by))

    def _work(self, assignment: tables.Assignment, person: int) -> Work:
        rows = self.submissions.get((assignment.id, person), [])
        rule = self._rules.of(assignment.name)
        tries = self._of_task(rule.assignments, person)
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
            limits=rule.limits,
            tries=len(tries),
            last_try=max((row.submitted_at for row in tries), default=None),
            excess=excess_of(rule.limits, tries),
            plan=self._manifest.assignment(assignment.name),
            stands_for=self._stands_for(assignment, person),
        )

    def _stands_for(self, assignment: tables.Assignment, person: int) -> Plan | None:
        first = self._by_id.get(self.firsts.get((assignment.id, person), 0))
        return self._manifest.assignment(first.name) if first else None

    def _of_task(self, names: Sequence[str], person: int) -> list[tables.Submission]:
        found = [self._ids[name] for name in names if name in self._ids]
        return [row for key in found for row in self.submissions.get((key, person), [])]

    def _decisions(self, table: type[D], assignments: Sequence[int]) -> list[D]:
        chosen = select(table).where(table.assignment_id.in_(assignments), table.ended_at.is_(None))
        return list(self._session.scalars(chosen.order_by(table.id)))

    def _late(self, assignments: Sequence[int]) -> Iterable[tables_teaching.LateRule]:
        table = tables_teaching.LateRule
        return self._session.scalars(select(table).where(table.assignment_id.in_(assignments)))

    def _versions(self, assignments: Sequence[int]) -> Iterable[tables.AssignmentVersion]:
        table = tables.AssignmentVersion
        chosen = select(table).where(table.assignment_id.in_(assignments))
        return self._session.scalars(chosen.order_by(table.number))

    def _extensions(self, assignments: Sequence[int]) -> Iterable[tables.Extension]:
        table = tables.Extension
        chosen = select(table).where(table.assignment_id.in_(assignments), table.ended_at.is_(None))
        return self._session.scalars(chosen.order_by(table.id))

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
