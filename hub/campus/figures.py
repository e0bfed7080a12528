"""Count what goes on in cohorts and their runs: people, work, feedback, units; nobody by name.

Law: a number and no person. Everybody who learns or learnt in a cohort counts, once for
each cohort. Units come from the passport's evaluator. A fixed number of queries for all
cohorts together, however large they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Subquery, case, distinct, func, or_, select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.tables_papers import PaperSeen
from bioskills.base.tables_teaching import Withdrawal
from bioskills.hub.campus.figures_shapes import (
    CohortFigures,
    Period,
    RoleFigures,
    RunFigures,
    UnitFigures,
    Work,
)
from bioskills.hub.campus.pages_work import RETURNED, manifest_of
from bioskills.hub.campus.standings import Reading, Verdicts
from bioskills.hub.membership import active

WEEK, MONTH = timedelta(days=7), timedelta(days=30)


def figures_of(
    session: Session, cohorts: Sequence[tables.Cohort], period: Period, reading: Reading,
    verdicts: Verdicts,
) -> list[CohortFigures]:  # fmt: skip
    """Return the figures of these cohorts at the moment of the reading."""
    ids, now = [cohort.id for cohort in cohorts], reading.at
    learners = _learners(ids, now)
    counted = _Counted(
        learners=_everybody(session, learners),
        started=_started(session, learners),
        runs=_runs(session, ids),
        of_runs=_works(session, learners, period, now, tables.Run.id),
        of_cohorts=_works(session, learners, period, now, tables.Run.cohort_id),
        roles=_roles(session, ids, now),
        left=_left(session, ids, period),
    )
    units = _Units(session, reading, verdicts, learners)
    return [_figures(cohort, counted, units) for cohort in cohorts]


@dataclass(frozen=True)
class _Counted:
    """What was counted, by id of the cohort or of the run."""

    learners: dict[int, int]
    started: dict[int, int]
    runs: dict[int, list[tuple[tables.Run, tables.CourseVersion]]]
    of_runs: dict[int, Work]
    of_cohorts: dict[int, Work]
    roles: dict[int, list[RoleFigures]]
    left: dict[int, tuple[int, int]]


def _figures(cohort: tables.Cohort, counted: _Counted, units: "_Units") -> CohortFigures:
    runs, roles = counted.runs.get(cohort.id, []), counted.roles.get(cohort.id, [])
    reached, with_unit = units.of(cohort.id, [version for _row, version in runs])
    left, period_left = counted.left.get(cohort.id, (0, 0))
    return CohortFigures(
        slug=cohort.slug,
        title=cohort.title,
        learners=counted.learners.get(cohort.id, 0),
        learning=sum(one.now for one in roles if one.role == "learner"),
        started=counted.started.get(cohort.id, 0),
        work=counted.of_cohorts.get(cohort.id, Work()),
        runs=tuple(_run(run, version, counted.of_runs) for run, version in runs),
        roles=tuple(roles),
        units=reached,
        with_unit=with_unit,
        left=left,
        period_left=period_left,
    )


def _everybody(session: Session, learners: Subquery) -> dict[int, int]:
    chosen = select(learners.c.cohort_id, func.count()).group_by(learners.c.cohort_id)
    return {row[0]: row[1] for row in session.execute(chosen)}


def _learners(cohorts: Sequence[int], now: datetime) -> Subquery:
    """Return everybody who learns or learnt in these cohorts, once for each."""
    table = tables.Membership
    begun = or_(table.valid_from.is_(None), table.valid_from <= now)
    chosen = select(table.person_id, table.cohort_id).where(
        table.role == "learner", table.cohort_id.in_(cohorts), begun
    )
    return chosen.distinct().subquery()


def _works(
    session: Session, learners: Subquery, period: Period, now: datetime, by: Any
) -> dict[int, Work]:
    """Return what was handed in, by run or by cohort."""
    row, assignment = tables.Submission, tables.Assignment
    returned = (
        select(tables.Result.id)
        .where(tables.Result.submission_id == row.id, tables.Result.state.in_(RETURNED))
        .exists()
    )

    def people(condition: Any) -> Any:
        return func.count(distinct(case((condition, row.person_id))))

    within = (row.submitted_at >= period.since) & (row.submitted_at < period.until)
    found = session.execute(
        select(
            by,
            func.count(distinct(row.person_id)),
            people(row.submitted_at >= now - WEEK),
            people(row.submitted_at >= now - MONTH),
            func.count(row.id),
            func.sum(case((row.attempt == 1, 1), else_=0)),
            people(returned),
            func.sum(case((returned, 0), else_=1)),
            func.min(case((~returned, row.submitted_at))),
            people(within),
            func.sum(case((within, 1), else_=0)),
        )
        .join(assignment, assignment.id == row.assignment_id)
        .join(tables.Run, tables.Run.id == assignment.run_id)
        .join(
            learners,
            (learners.c.person_id == row.person_id)
            & (learners.c.cohort_id == tables.Run.cohort_id),
        )
        .group_by(by)
    )
    return {key: Work(*numbers) for key, *numbers in found}


def _started(session: Session, learners: Subquery) -> dict[int, int]:
    person = learners.c.person_id
    seen = select(PaperSeen.id).where(PaperSeen.person_id == person).exists()
    worked = (
        select(tables.Submission.id)
        .join(tables.Assignment, tables.Assignment.id == tables.Submission.assignment_id)
        .join(tables.Run, tables.Run.id == tables.Assignment.run_id)
        .where(tables.Submission.person_id == person, tables.Run.cohort_id == learners.c.cohort_id)
        .exists()
    )
    chosen = select(learners.c.cohort_id, func.count()).where(or_(seen, worked))
    grouped = chosen.group_by(learners.c.cohort_id)
    return {row[0]: row[1] for row in session.execute(grouped)}


def _left(session: Session, cohorts: Sequence[int], period: Period) -> dict[int, tuple[int, int]]:
    at = Withdrawal.given_at
    within = (at >= period.since) & (at < period.until)
    who = Withdrawal.person_id
    found = session.execute(
        select(
            Withdrawal.cohort_id,
            func.count(distinct(who)),
            func.count(distinct(case((within, who)))),
        )
        .where(Withdrawal.cohort_id.in_(cohorts), Withdrawal.ended_at.is_(None))
        .group_by(Withdrawal.cohort_id)
    )
    return {cohort: (count, recent) for cohort, count, recent in found}


def _roles(session: Session, cohorts: Sequence[int], now: datetime) -> dict[int, list[RoleFigures]]:
    table = tables.Membership
    ahead = table.valid_from > now
    # Who holds a seat from two sources counts once: now before ahead before ended.
    rank = case((active(now), 0), (ahead, 1), else_=2)
    seats = (
        select(table.cohort_id, table.role, table.person_id, func.min(rank).label("rank"))
        .where(table.cohort_id.in_(cohorts))
        .group_by(table.cohort_id, table.role, table.person_id)
        .subquery()
    )
    counts: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for cohort, role, place, count in session.execute(
        select(seats.c.cohort_id, seats.c.role, seats.c.rank, func.count()).group_by(
            seats.c.cohort_id, seats.c.role, seats.c.rank
        )
    ):
        counts[cohort][role][place] = count
    return {
        cohort: [RoleFigures(role, *roles[role]) for role in tables.ROLES if role in roles]
        for cohort, roles in counts.items()
    }


def _runs(
    session: Session, cohorts: Sequence[int]
) -> dict[int, list[tuple[tables.Run, tables.CourseVersion]]]:
    rows = session.execute(
        select(tables.Run, tables.CourseVersion)
        .join(tables.CourseVersion, tables.CourseVersion.id == tables.Run.course_version_id)
        .where(tables.Run.cohort_id.in_(cohorts))
        .order_by(tables.Run.opens_at, tables.Run.id)
    )
    found: dict[int, list[tuple[tables.Run, tables.CourseVersion]]] = defaultdict(list)
    for run, version in rows:
        found[run.cohort_id].append((run, version))
    return found


def _run(run: tables.Run, version: tables.CourseVersion, works: dict[int, Work]) -> RunFigures:
    return RunFigures(
        slug=run.slug,
        title=manifest_of(version).title,
        opens_at=run.opens_at,
        closes_at=run.closes_at,
        zone=run.time_zone,
        work=works.get(run.id, Work()),
    )


@dataclass
class _Units:
    """Who has reached which unit, cohort by cohort."""

    session: Session
    reading: Reading
    verdicts: Verdicts
    learners: Subquery

    def of(
        self, cohort: int, versions: Iterable[tables.CourseVersion]
    ) -> tuple[tuple[UnitFigures, ...], int]:
        """Return the units that a cohort is taught, and how many people have at least one."""
        taught = {part.code for version in versions for part in manifest_of(version).units}
        learners = self.learners.c
        chosen = select(learners.person_id).where(learners.cohort_id == cohort)
        people = self.session.scalars(select(tables.Person).where(tables.Person.id.in_(chosen)))
        reached = self.reading.reached(list(people), self.verdicts) if taught else {}
        units = tuple(
            UnitFigures(unit.code, unit.title_in(), sum(unit.code in of for of in reached.values()))
            for unit in self.reading.framework.units
            if unit.code in taught
        )
        return units, sum(bool(of & taught) for of in reached.values())
