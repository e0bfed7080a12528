"""Work out where a learner stands, from the evidence in our database.

Law: a verdict is never stored; it is made from the evidence each time a page
asks. What a page shows of a person's competence comes from here alone, so
that passport, panel and cohort table cannot disagree.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.wire import OutcomeView, UnitView
from bioskills.competence.evaluate import evaluate, unit_results
from bioskills.competence.evidence import EvidenceRecord
from bioskills.competence.exact import to_stored
from bioskills.competence.framework import Framework, Unit
from bioskills.competence.mapping import parse_mapping
from bioskills.competence.results import OutcomeResult, TaskRef, UnitResult
from bioskills.competence.tasks import Mapping as TaskMap
from bioskills.competence.tasks import Task
from bioskills.hub.campus.pages_work import manifest_of
from bioskills.hub.membership import seats


@dataclass(frozen=True)
class Plans:
    """The courses whose tasks can give evidence, in the words of their manifests.

    Attributes:
        mappings: One per installed mapping version.
        units: Units that the courses teach, in the framework's order.
    """

    mappings: tuple[TaskMap, ...]
    units: tuple[str, ...]

    def task(self, ref: TaskRef) -> Task | None:
        """Return a task of the newest mapping of its course that has it."""
        found = [task for plan in self.mappings if plan.course == ref.course for task in plan.tasks]
        return next((task for task in reversed(found) if task.id == ref.task), None)

    def title(self, ref: TaskRef) -> str:
        """Return a task's title, or its id where the course is gone."""
        task = self.task(ref)
        return (task.title if task else "") or ref.task


@dataclass(frozen=True)
class Standing:
    """Where one learner stands.

    Attributes:
        results: Every outcome of the framework by its id.
        units: Every unit of the framework by its code.
        rows: The evidence by `seq`, as stored.
        shown: Codes of the units that concern this learner.
    """

    framework: Framework
    plans: Plans
    results: Mapping[str, OutcomeResult]
    units: Mapping[str, UnitResult]
    rows: Mapping[int, tables.Evidence]
    shown: tuple[str, ...]

    def rows_of(self, outcome: str) -> list[tables.Evidence]:
        """Return the evidence for one outcome, newest first."""
        found = [row for row in self.rows.values() if row.outcome == outcome]
        return sorted(found, key=lambda row: row.seq, reverse=True)


def read_plans(session: Session, framework: Framework, courses: Iterable[str]) -> Plans:
    """Return the plans of these courses: every version that a run delivers or delivered.

    One that was only installed is nobody's plan yet: it must not move what others have reached.
    """
    delivered = select(tables.Run.course_version_id)
    chosen = select(tables.CourseVersion).where(
        tables.CourseVersion.course.in_(set(courses)), tables.CourseVersion.id.in_(delivered)
    )
    versions = list(session.scalars(chosen.order_by(tables.CourseVersion.id)))
    taught = {part.code for version in versions for part in manifest_of(version).units}
    return Plans(
        mappings=tuple(parse_mapping(version.mapping, version.course) for version in versions),
        units=tuple(unit.code for unit in framework.units if unit.code in taught),
    )


def runs_of(
    session: Session, person: tables.Person, roles: Iterable[str], at: datetime
) -> list[tables.Run]:
    """Return the runs of the cohorts in which the person has one of these roles, oldest first."""
    wanted = set(roles)
    cohorts = {seat.cohort for seat in seats(session, person.name, at) if seat.role in wanted}
    chosen = (
        select(tables.Run)
        .join(tables.Cohort, tables.Cohort.id == tables.Run.cohort_id)
        .where(tables.Cohort.slug.in_(cohorts))
        .order_by(tables.Run.opens_at, tables.Run.id)
    )
    return list(session.scalars(chosen))


def version_of(session: Session, run: tables.Run) -> tables.CourseVersion:
    """Return the course version that a run delivers."""
    return session.get_one(tables.CourseVersion, run.course_version_id)


def standing_of(
    session: Session, framework: Framework, person: tables.Person, at: datetime
) -> Standing:
    """Return where a learner stands at this moment, over all courses."""
    runs = runs_of(session, person, ["learner"], at)
    own = {version_of(session, run).course for run in runs}
    rows = evidence_of(session, [person.pseudonym]).get(person.pseudonym, [])
    plans = read_plans(session, framework, own | {_course_of(row) for row in rows})
    return judge(framework, plans, rows, at)


def evidence_of(session: Session, learners: Sequence[str]) -> dict[str, list[tables.Evidence]]:
    """Return the evidence of these pseudonyms, oldest first."""
    table = tables.Evidence
    found: dict[str, list[tables.Evidence]] = {learner: [] for learner in learners}
    for row in session.scalars(
        select(table).where(table.learner.in_(learners)).order_by(table.seq)
    ):
        found[row.learner].append(row)
    return found


def judge(
    framework: Framework, plans: Plans, rows: Sequence[tables.Evidence], at: datetime
) -> Standing:
    """Return where the learner of this evidence stands."""
    results = evaluate(framework, plans.mappings, [record_of(row) for row in rows], at)
    touched = {framework.outcomes[r.outcome].unit for r in rows if r.outcome in framework.outcomes}
    concerned = touched | set(plans.units)
    return Standing(
        framework=framework,
        plans=plans,
        results=results,
        units=unit_results(framework, results),
        rows={row.seq: row for row in rows},
        shown=tuple(unit.code for unit in framework.units if unit.code in concerned),
    )


def record_of(row: tables.Evidence) -> EvidenceRecord:
    """Return a stored row as the evaluator reads it."""
    return EvidenceRecord(
        seq=row.seq,
        at=row.at,
        kind="rpl" if row.kind == "rpl" else "grade",
        actor=row.actor,
        learner=row.learner,
        outcome=row.outcome,
        task=row.task,
        attempt=row.attempt,
        score=row.score,
        raw=row.raw,
        max=row.max,
        framework=row.framework,
        mapping=row.mapping,
        rule=row.rule,
        released_by=row.released_by or None,
        supersedes=row.supersedes,
        submitted_at=row.submitted_at,
        pending=row.pending,
    )


def unit_view(standing: Standing, code: str) -> UnitView:
    """Return a unit with its outcomes, as it travels to the Lab."""
    unit, result = standing.framework.unit(code), standing.units[code]
    return UnitView(
        code=unit.code,
        title=unit.title_in(),
        eqf=unit.eqf,
        points=unit.points,
        reached=result.reached,
        total=result.total,
        status=result.status.value,
        outcomes=_outcome_views(standing, unit),
    )


def _outcome_views(standing: Standing, unit: Unit) -> list[OutcomeView]:
    return [
        OutcomeView(
            id=outcome.id,
            kind=outcome.type,
            statement=outcome.statement_in(),
            status=found.status.value,
            level=None if found.level is None else to_stored(found.level),
        )
        for outcome in unit.outcomes
        for found in [standing.results[outcome.id]]
    ]


def _course_of(row: tables.Evidence) -> str:
    return row.mapping.rpartition("@")[0]
