"""The shape of a course's mapping from grade cells to learning outcomes.

Law: immutable once parsed, exact numbers only, unknown keys refused (rule R1).
A *task* is one competence demonstration: an assignment and its resits.
"""

from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bioskills.competence.exact import exact

Kind = Literal["formative", "summative", "capstone", "quiz", "observation"]
AssessmentType = Literal[
    "marked assignment",
    "practical assessment",
    "project work",
    "quiz",
    "portfolio",
    "peer review",
    "continuous evaluation",
]
Supervision = Literal["unsupervised", "supervised_remote", "supervised_onsite"]
Identity = Literal["none", "sso", "id_checked"]

COUNTING: frozenset[Kind] = frozenset({"summative", "capstone", "observation"})
"""Kinds of task that can achieve an outcome (R4, R5)."""

_Exact = Annotated[Fraction, BeforeValidator(exact)]
_Share = Annotated[_Exact, Field(ge=0, le=1)]
_Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_CellKey = Annotated[str, Field(max_length=200, pattern=r"^[^/\s]+/[^/\s]+$")]
_OutcomeId = Annotated[str, Field(min_length=1, max_length=32)]


def _read_only(value: AbcMapping[str, Fraction]) -> AbcMapping[str, Fraction]:
    return MappingProxyType(dict(value))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Attempts(_Part):
    """How often a task may be tried for evidence.

    Attributes:
        max: Attempts that can count; None for no limit.
        cooldown_hours: Least hours between one hand-in and the next that counts.
    """

    max: Annotated[int, Field(ge=1)] | None = None
    cooldown_hours: Annotated[int, Field(ge=0)] = 0


class Gate(_Part):
    """A cell that must be passed, or the listed outcomes score 0.

    Attributes:
        min: Least share of the cell's points, 0 to 1.
    """

    cell: _CellKey
    min: _Share
    outcomes: Annotated[tuple[_OutcomeId, ...], Field(min_length=1, strict=False)]


class Cell(_Part):
    """A grade cell and the weight it has for each outcome."""

    cell: _CellKey
    outcomes: Annotated[
        AbcMapping[_OutcomeId, _Exact], Field(min_length=1), AfterValidator(_read_only)
    ]


class Task(_Part):
    """One competence demonstration: an assignment and its resits."""

    id: _Name
    title: str = ""
    assignments: Annotated[tuple[_Name, ...], Field(min_length=1, strict=False)]
    kind: Kind
    assessment_type: AssessmentType = "marked assignment"
    supervision: Supervision = "unsupervised"
    identity: Identity = "sso"
    attempts: Attempts = Attempts()
    gates: Annotated[tuple[Gate, ...], Field(strict=False)] = ()
    cells: Annotated[tuple[Cell, ...], Field(min_length=1, strict=False)]

    @property
    def counts(self) -> bool:
        """Whether the task can achieve an outcome, not only practise it."""
        return self.kind in COUNTING

    @property
    def outcomes(self) -> frozenset[str]:
        """The outcomes that its cells give evidence for."""
        return frozenset(outcome for cell in self.cells for outcome in cell.outcomes)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A course's parsed `competence.yaml`.

    Attributes:
        framework: Framework name and version, ``BSH@1.0.0``.
        version: The mapping's own version, 1 or more.
        critical: Outcome to the tasks that must each reach its floor.
        course: The course id; evidence names the mapping as ``<course>@<version>``.
    """

    framework: str
    version: int
    tasks: tuple[Task, ...]
    critical: AbcMapping[str, tuple[str, ...]]
    course: str = ""

    @property
    def ref(self) -> str:
        """What evidence writes in its column `mapping`."""
        return f"{self.course}@{self.version}"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every mapped cell of every task."""
        return tuple(cell for task in self.tasks for cell in task.cells)

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Every gate of every task."""
        return tuple(gate for task in self.tasks for gate in task.gates)

    @property
    def outcomes(self) -> frozenset[str]:
        """Every outcome that some cell gives evidence for."""
        return frozenset[str]().union(*(task.outcomes for task in self.tasks))

    @property
    def resits(self) -> frozenset[str]:
        """The assignments that are there for a resit: each task's, but for its first."""
        return frozenset(name for task in self.tasks for name in task.assignments[1:])

    def task(self, task_id: str) -> Task:
        """Return the task with this id; KeyError where there is none."""
        return {task.id: task for task in self.tasks}[task_id]

    def task_of(self, assignment: str) -> Task | None:
        """Return the task whose attempts this assignment's submissions are."""
        return next((task for task in self.tasks if assignment in task.assignments), None)
