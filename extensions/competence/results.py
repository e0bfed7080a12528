"""What the evaluator says: statuses, and what is still missing, as data.

Law: data only. Pages and the Lab panel turn it into sentences, so that each
language and each reader gets its own words.
"""

from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from bioskills.competence.tasks import Kind


class Status(StrEnum):
    """Where a learner stands with an outcome or a unit (rule R7).

    `under_review` and `withdrawn` come from decisions, never from the evaluator.
    """

    NOT_ASSESSED = "not_assessed"
    DEVELOPING = "developing"
    PENDING = "pending"
    ACHIEVED = "achieved"
    EXCEEDED = "exceeded"
    GRANTED_RPL = "granted_rpl"
    UNDER_REVIEW = "under_review"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"

    @property
    def reached(self) -> bool:
        """Whether the outcome counts for its unit (R6)."""
        return self in REACHED


REACHED = frozenset({Status.ACHIEVED, Status.EXCEEDED, Status.GRANTED_RPL})
"""Statuses that count for a unit."""

Reason = Literal[
    "other_framework",
    "other_rule",
    "superseded",
    "integrity",
    "withdrawn",
    "unmapped",
    "too_many_attempts",
    "too_soon",
    "unreleased",
    "needs_person",
]
"""Why a record did not count (R1, R3, R5)."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that did not count, and why; the learner may see every one."""

    seq: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class TaskRef:
    """A task of a course."""

    course: str
    task: str


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What one task shows of one outcome (R4).

    Attributes:
        best: Best score over the valid attempts; None before the first.
        counts: Whether the task can achieve an outcome (not only practise it).
        pending: Whether an attempt waits for a person.
        evidence: `seq` of the records with a score, oldest first.
        shown_at: Hand-in time of the newest attempt at or above theta.
    """

    ref: TaskRef
    kind: Kind
    counts: bool
    best: Fraction | None
    pending: bool
    evidence: tuple[int, ...]
    shown_at: datetime | None


@dataclass(frozen=True, slots=True)
class MissingTask:
    """More tasks must show the outcome.

    Attributes:
        shown: Distinct tasks that show it now.
        needed_tasks: Distinct tasks that must.
        theta: Score that each must reach, 0 to 1.
        best: Best score so far in a counting task below theta.
        open_tasks: Tasks that could still show it, attempts left.
        waiting: Tasks whose latest attempt waits for a person.
    """

    outcome: str
    shown: int
    needed_tasks: int
    theta: Fraction
    best: Fraction | None
    open_tasks: tuple[TaskRef, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class MissingCritical:
    """A critical task is below its floor, or was not done yet (best is None)."""

    outcome: str
    task: TaskRef
    best: Fraction | None
    floor: Fraction


Missing = MissingTask | MissingCritical


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """Where one learner stands with one outcome.

    Attributes:
        level: Mean of the n best counting tasks, a missing one as 0; None before the first.
        shown: Distinct counting tasks at or above theta.
        evidence: `seq` of the records that the status rests on, oldest first.
        expires_at: When it must be refreshed; None where it never expires.
    """

    outcome: str
    status: Status
    level: Fraction | None
    shown: int
    needed: int
    theta: Fraction
    tasks: tuple[TaskResult, ...]
    evidence: tuple[int, ...]
    expires_at: datetime | None
    missing: tuple[Missing, ...]
    set_aside: tuple[SetAside, ...]


@dataclass(frozen=True, slots=True)
class UnitResult:
    """Where one learner stands with one unit (R6).

    Attributes:
        points: The unit's points once every outcome is reached, else 0.
        worth: The points that the whole unit brings.
        reached: Outcomes achieved or granted.
        total: Outcomes of the unit.
        missing: What is missing, over all its outcomes.
    """

    code: str
    status: Status
    points: int
    worth: int
    reached: int
    total: int
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class PathwayResult:
    """How far one learner is on a role's pathway (R6 and study 3.4).

    Attributes:
        units: Unit code to whether the role's demand on it is met.
        points: Points of all units achieved that the role asks for.
        elective_points: Points of elective units achieved.
        capstone: Whether a capstone shows an autonomy outcome in two mandatory units.
        complete: Whether everything above is met. That two assessors agreed on the
            capstone is a decision and not visible here.
    """

    role: str
    units: AbcMapping[str, bool]
    points: int
    elective_points: int
    elective_needed: int
    capstone: bool
    complete: bool
