"""Decide what a learner has shown: rule set BSH-MR-1, R3 to R7 (and R10, expiry).

Law: pure. The same framework, mappings, records and time give the same verdict,
in whatever order and however often the records arrive; added evidence never
lowers a status. Nothing is averaged away: n distinct tasks at or above theta.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from bioskills.base.text import _
from bioskills.competence.evidence import EvidenceError, EvidenceRecord
from bioskills.competence.framework import Framework, Outcome
from bioskills.competence.results import (
    Missing,
    MissingCritical,
    MissingTask,
    OutcomeResult,
    Status,
    TaskRef,
    TaskResult,
)
from bioskills.competence.tasks import Mapping, Task
from bioskills.competence.units import pathway_result, unit_results
from bioskills.competence.validity import Plan, Sifted, sift

__all__ = ["evaluate", "pathway_result", "unit_results"]

EXCEEDED = Fraction(9, 10)
"""Least level of an outcome that is more than achieved (R5)."""

_NOTHING = Sifted((), (), (), ())
_Scored = Sequence[tuple[EvidenceRecord, Task]]


def _task_result(
    outcome: Outcome, ref: TaskRef, task: Task, scored: _Scored, waits: bool
) -> TaskResult:
    shown = [record.submitted_at for record, _task in scored if record.share >= outcome.theta]
    return TaskResult(
        ref=ref,
        kind=task.kind,
        counts=task.counts,
        best=max((record.share for record, _task in scored), default=None),
        pending=waits,
        evidence=tuple(record.seq for record, _task in scored),
        shown_at=max(shown, default=None),
    )


def _task_results(outcome: Outcome, sifted: Sifted) -> tuple[TaskResult, ...]:
    """Return T(t, o) for every task with evidence (R4), best attempt each."""
    # The kind is part of the key: practice never becomes proof when a later
    # version of the mapping makes the task summative.
    grouped: dict[tuple[str, str, bool], list[tuple[EvidenceRecord, Task]]] = defaultdict(list)
    for record, task in sifted.scored + sifted.pending:
        grouped[record.course, record.task, task.counts].append((record, task))
    results = []
    for (course, name, _counts), items in sorted(grouped.items()):
        scored = [(record, task) for record, task in items if not record.pending]
        waits = len(scored) < len(items)
        results.append(_task_result(outcome, TaskRef(course, name), items[-1][1], scored, waits))
    return tuple(results)


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything R5 looks at for one outcome."""

    outcome: Outcome
    plan: Plan
    tasks: tuple[TaskResult, ...]
    sifted: Sifted

    def best(self, ref: TaskRef) -> Fraction | None:
        """Return T(t, o) over every kind of attempt, for the floor of a critical task."""
        found = [t.best for t in self.tasks if t.ref == ref and t.best is not None]
        return max(found, default=None)

    def below_floor(self) -> list[TaskRef]:
        """Return the critical tasks that are not at the floor."""
        critical = self.plan.critical_for(self.outcome.id)
        return [ref for ref in critical if (self.best(ref) or Fraction(0)) < self.outcome.floor]

    def showing(self) -> list[TaskResult]:
        """Return the counting tasks at or above theta."""
        return [task for task in self.tasks if task.counts and task.shown_at is not None]

    def proving(self) -> list[TaskResult]:
        """Return the tasks of `showing` whose course has its critical tasks at the floor.

        With one course this is exactly R5: all of them or none. With several, a
        critical task of one course does not void what another course has proved.
        """
        closed = {ref.course for ref in self.below_floor()}
        return [task for task in self.showing() if task.ref.course not in closed]

    @property
    def achieved(self) -> bool:
        """Whether n distinct tasks prove it, criticals at the floor (R5)."""
        return len(self.proving()) >= self.outcome.n


def _level(case: _Case) -> Fraction | None:
    pool = case.proving() if case.achieved else [task for task in case.tasks if task.counts]
    scores = sorted((task.best for task in pool if task.best is not None), reverse=True)
    n = case.outcome.n
    return sum(scores[:n], Fraction(0)) / n if scores else None


def _add_months(time: datetime, months: int) -> datetime:
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    day = min(time.day, monthrange(year, month + 1)[1])
    return time.replace(year=year, month=month + 1, day=day)


def _expires(case: _Case) -> datetime | None:
    """Return when the newest counting evidence is too old (R10)."""
    months = case.outcome.validity_months
    times = [task.shown_at for task in case.proving() if task.shown_at] if case.achieved else []
    times += [record.submitted_at for record in case.sifted.granted]
    return _add_months(max(times), months) if months and times else None


def _status(case: _Case, level: Fraction | None, expired: bool) -> Status:
    """Return the highest status that the evidence carries (R7)."""
    if expired:
        return Status.EXPIRED
    if case.achieved:
        return Status.EXCEEDED if level is not None and level >= EXCEEDED else Status.ACHIEVED
    if case.sifted.granted:
        return Status.GRANTED_RPL
    if any(task.pending for task in case.tasks):
        return Status.PENDING
    return Status.DEVELOPING if case.tasks else Status.NOT_ASSESSED


def _open_tasks(case: _Case) -> tuple[TaskRef, ...]:
    """Return the tasks that could still show the outcome: not shown, attempts left."""
    shown = {task.ref for task in case.showing()}
    used: dict[TaskRef, int] = defaultdict(int)
    for record, _task in case.sifted.scored + case.sifted.pending:
        ref = TaskRef(record.course, record.task)
        used[ref] = max(used[ref], record.attempt)
    return tuple(
        ref
        for ref, task in case.plan.tasks_for(case.outcome.id)
        if task.counts
        and ref not in shown
        and (task.attempts.max is None or used[ref] < task.attempts.max)
    )


def _missing_task(case: _Case, shown: int) -> MissingTask:
    counting = [task for task in case.tasks if task.counts and task.shown_at is None]
    return MissingTask(
        outcome=case.outcome.id,
        shown=shown,
        needed_tasks=case.outcome.n,
        theta=case.outcome.theta,
        best=max((task.best for task in counting if task.best is not None), default=None),
        open_tasks=_open_tasks(case),
        waiting=sum(task.pending for task in counting),
    )


def _missing(case: _Case, status: Status) -> tuple[Missing, ...]:
    if status.reached:
        return ()
    if status is Status.EXPIRED:
        # One task refreshes it (R10), however many were needed at first.
        return (_missing_task(case, case.outcome.n - 1),)
    outcome, found = case.outcome, list[Missing]()
    if len(case.showing()) < outcome.n:
        found.append(_missing_task(case, len(case.showing())))
    for ref in case.below_floor():
        found.append(MissingCritical(outcome.id, ref, case.best(ref), outcome.floor))
    return tuple(found)


def _evidence(case: _Case) -> tuple[int, ...]:
    proving = {seq for task in case.proving() for seq in task.evidence} if case.achieved else set()
    used = [r.seq for r, _task in case.sifted.scored if r.seq in proving]
    return tuple(sorted(used + [record.seq for record in case.sifted.granted]))


def _result(outcome: Outcome, plan: Plan, sifted: Sifted, now: datetime) -> OutcomeResult:
    case = _Case(outcome, plan, _task_results(outcome, sifted), sifted)
    level, expires_at = _level(case), _expires(case)
    status = _status(case, level, expires_at is not None and now > expires_at)
    return OutcomeResult(
        outcome=outcome.id,
        status=status,
        level=level,
        shown=len(case.showing()),
        needed=outcome.n,
        theta=outcome.theta,
        tasks=case.tasks,
        evidence=_evidence(case),
        expires_at=expires_at,
        missing=_missing(case, status),
        set_aside=sifted.set_aside,
    )


def _of_one_learner(records: Iterable[EvidenceRecord], now: datetime) -> tuple[EvidenceRecord, ...]:
    found = tuple(records)
    learners = {record.learner for record in found}
    if len(learners) > 1:
        text = _("Evidence of {n} learners was given; a verdict is made for one at a time.")
        raise EvidenceError(text.format(n=len(learners)))
    if now.tzinfo is None:
        raise EvidenceError(_("The time of the verdict has no time zone."))
    return found


def evaluate(
    framework: Framework,
    mapping: Mapping | Sequence[Mapping],
    records: Iterable[EvidenceRecord],
    now: datetime,
) -> dict[str, OutcomeResult]:
    """Return where one learner stands with every outcome of the framework.

    Args:
        framework: The published framework; records of another one are set aside.
        mapping: The mapping of each course, and older versions where evidence names them.
        records: All evidence of one learner, in any order.
        now: Aware time of the verdict; it decides about expiry alone.

    Raises:
        EvidenceError: Records of several learners, or a time without a zone.
    """
    mappings = [mapping] if isinstance(mapping, Mapping) else mapping
    plan = Plan.of(mappings)
    piles = sift(framework, plan, _of_one_learner(records, now))
    return {
        name: _result(outcome, plan, piles.get(name, _NOTHING), now)
        for name, outcome in framework.outcomes.items()
    }
