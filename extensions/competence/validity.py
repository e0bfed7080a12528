"""Decide which records count (rule R3).

Law: each record is judged on its own, so that a late or doubled delivery
cannot change what another record proves. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bioskills.competence.evidence import MACHINE, EvidenceRecord
from bioskills.competence.framework import RULE, Framework
from bioskills.competence.results import Reason, SetAside, TaskRef
from bioskills.competence.tasks import Mapping, Task

_Attempt = tuple[str, str, int]


class Limits(Protocol):
    """How often a task may be tried, as a mapping or a manifest says it."""

    @property
    def max(self) -> int | None:
        """Attempts that can count; None for no limit."""

    @property
    def cooldown_hours(self) -> int:
        """Least hours between one hand-in and the next that counts."""


def excess(limits: Limits, number: int, at: datetime, before: datetime | None) -> Reason | None:
    """Return why an attempt counts neither as evidence nor in a grade; None where it does.

    Args:
        limits: Of the task.
        number: Of the attempt among all hand-ins of the task, from 1.
        at: When it was handed in.
        before: When the attempt before it was handed in; None where there was none.
    """
    if limits.max is not None and number > limits.max:
        return "too_many_attempts"
    wait = timedelta(hours=limits.cooldown_hours)
    return "too_soon" if before is not None and at - before < wait else None


@dataclass(frozen=True, slots=True)
class Plan:
    """The mappings by course and version: what each record was made under, and what is left.

    Of several versions of a course the newest says which tasks are open and critical;
    a record is judged under the version it names, or the newest where that is not given.
    """

    versions: dict[str, Mapping]
    newest: dict[str, Mapping]

    @classmethod
    def of(cls, mappings: Iterable[Mapping]) -> "Plan":
        """Return the plan of these mappings, in any order."""
        ordered = sorted(mappings, key=lambda mapping: (mapping.course, mapping.version))
        return cls({m.ref: m for m in ordered}, {m.course: m for m in ordered})

    def task_of(self, record: EvidenceRecord) -> Task | None:
        """Return the task of a record, where it is mapped to the record's outcome."""
        mapping = self.versions.get(record.mapping) or self.newest.get(record.course)
        tasks = mapping.tasks if mapping else ()
        found = next((task for task in tasks if task.id == record.task), None)
        return found if found and record.outcome in found.outcomes else None

    def tasks_for(self, outcome: str) -> list[tuple[TaskRef, Task]]:
        """Return the tasks that the newest mappings offer for an outcome, in file order."""
        return [
            (TaskRef(mapping.course, task.id), task)
            for mapping in self.newest.values()
            for task in mapping.tasks
            if outcome in task.outcomes
        ]

    def critical_for(self, outcome: str) -> list[TaskRef]:
        """Return the critical tasks of an outcome over all courses."""
        return [
            TaskRef(mapping.course, name)
            for mapping in self.newest.values()
            for name in mapping.critical.get(outcome, ())
        ]


@dataclass(frozen=True, slots=True)
class Sifted:
    """The records of one outcome after R3, each with its task (none for prior learning)."""

    scored: tuple[tuple[EvidenceRecord, Task], ...]
    pending: tuple[tuple[EvidenceRecord, Task], ...]
    granted: tuple[EvidenceRecord, ...]
    set_aside: tuple[SetAside, ...]


def _superseded(records: Sequence[EvidenceRecord]) -> set[tuple[int | None, str, str, int]]:
    # A correction counts once it is released: a draft must not hide what was shown.
    return {
        (record.supersedes, record.outcome, record.task, record.attempt)
        for record in records
        if record.supersedes is not None and record.released_by is not None
    }


def _hand_ins(records: Sequence[EvidenceRecord]) -> dict[_Attempt, datetime]:
    found: dict[_Attempt, datetime] = {}
    for record in records:
        key = (record.course, record.task, record.attempt)
        found[key] = min(record.submitted_at, found.get(key, record.submitted_at))
    return found


def _attempt_reason(
    record: EvidenceRecord, task: Task, hand_ins: dict[_Attempt, datetime]
) -> Reason | None:
    before = (record.course, record.task, record.attempt - 1)
    previous = record.previous_at or hand_ins.get(before)
    return excess(task.attempts, record.attempt, record.submitted_at, previous)


def _origin_reason(
    record: EvidenceRecord, framework: Framework, superseded: set[tuple[int | None, str, str, int]]
) -> Reason | None:
    if record.framework != framework.ref:
        return "other_framework"
    if record.rule != RULE:
        return "other_rule"
    if (record.seq, record.outcome, record.task, record.attempt) in superseded:
        return "superseded"
    return record.invalid


def _release_reason(record: EvidenceRecord, framework: Framework) -> Reason | None:
    """Say why a record with a verdict in it may not be used yet."""
    if record.pending:
        # That something waits for a person is no verdict, so it needs no release.
        return None
    if record.released_by is None:
        return "unreleased"
    by_machine = record.actor == MACHINE
    return (
        "needs_person" if framework.outcomes[record.outcome].needs_person and by_machine else None
    )


def sift(framework: Framework, plan: Plan, records: Iterable[EvidenceRecord]) -> dict[str, Sifted]:
    """Return the records of one learner by outcome, the valid ones apart from the rest.

    A record given twice is one record, and their order does not matter.
    """
    unique = sorted(set(records), key=lambda record: record.seq)
    superseded, hand_ins = _superseded(unique), _hand_ins(unique)
    piles: dict[str, _Pile] = defaultdict(_Pile)
    for record in unique:
        if record.outcome not in framework.outcomes:
            continue
        task = plan.task_of(record)
        reason = _origin_reason(record, framework, superseded)
        if reason is None and record.kind == "grade":
            reason = _attempt_reason(record, task, hand_ins) if task else "unmapped"
        piles[record.outcome].add(record, task, reason or _release_reason(record, framework))
    return {outcome: pile.sifted() for outcome, pile in piles.items()}


class _Pile:
    """The records of one outcome while they are being sorted."""

    def __init__(self) -> None:
        self._scored: list[tuple[EvidenceRecord, Task]] = []
        self._pending: list[tuple[EvidenceRecord, Task]] = []
        self._granted: list[EvidenceRecord] = []
        self._set_aside: list[SetAside] = []

    def add(self, record: EvidenceRecord, task: Task | None, reason: Reason | None) -> None:
        """Put the record where it belongs."""
        if reason is not None:
            self._set_aside.append(SetAside(record.seq, reason))
        elif record.kind == "rpl":
            self._granted.append(record)
        elif task is not None:
            (self._pending if record.pending else self._scored).append((record, task))

    def sifted(self) -> Sifted:
        """Return the piles; an attempt that has its score no longer waits."""
        done = {(r.course, r.task, r.attempt) for r, _task in self._scored}
        waiting = (
            (r, task) for r, task in self._pending if (r.course, r.task, r.attempt) not in done
        )
        return Sifted(
            tuple(self._scored), tuple(waiting), tuple(self._granted), tuple(self._set_aside)
        )
