"""Shapes of what is counted about cohorts and runs: numbers, and nobody's name."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Period:
    """From when to when something is counted; the end is left out."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Work:
    """What was handed in: of one run, or of a cohort in all its runs.

    Attributes:
        people: Learners who ever handed in.
        hand_ins: Every attempt.
        tasks: Pairs of a learner and an assignment with at least one attempt.
        answered: Learners with at least one result returned.
        waiting: Hand-ins whose learner sees no result yet.
        oldest: Since when the oldest of these waits.
    """

    people: int = 0
    active_week: int = 0
    active_month: int = 0
    hand_ins: int = 0
    tasks: int = 0
    answered: int = 0
    waiting: int = 0
    oldest: datetime | None = None
    period_people: int = 0
    period_hand_ins: int = 0


@dataclass(frozen=True)
class RunFigures:
    """One run with its work."""

    slug: str
    title: str
    opens_at: datetime
    closes_at: datetime
    zone: str
    work: Work


@dataclass(frozen=True)
class RoleFigures:
    """How many people hold a role in a cohort, by status of the seat."""

    role: str
    now: int
    ahead: int
    ended: int


@dataclass(frozen=True)
class UnitFigures:
    """How many learners of a cohort have reached a unit."""

    code: str
    title: str
    people: int


@dataclass(frozen=True)
class CohortFigures:
    """Everything counted about one cohort.

    Attributes:
        learners: Everybody who learns or learnt here.
        started: Of these: was shown the paper at a first sign-in, or handed in.
        with_unit: Of these: has reached at least one unit that is taught here.
        left: Withdrawals that were not taken back.
    """

    slug: str
    title: str
    learners: int
    learning: int
    started: int
    work: Work
    runs: tuple[RunFigures, ...]
    roles: tuple[RoleFigures, ...]
    units: tuple[UnitFigures, ...]
    with_unit: int
    left: int
    period_left: int

    @property
    def units_reached(self) -> int:
        """Pairs of a learner and a unit."""
        return sum(unit.people for unit in self.units)
