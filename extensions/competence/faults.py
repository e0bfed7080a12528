"""Say what is wrong with a course's mapping.

Law: all faults at once, each with its place, the value, the rule and the next step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bioskills.base.problems import InputError, Problem


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a mapping.

    Attributes:
        path: Where in the file: ``tasks[0].cells[2].cell``.
        value: What stands there, as text; empty where something is missing.
        message: What is wrong, with the rule.
        next: What to do now.
        kind: A *warning* does not stop a run from opening.
        code: A stable word for programs, such as ``unknown_cell``.
    """

    path: str
    value: str
    message: str
    next: str
    kind: Literal["error", "warning"] = "error"
    code: str = "shape"

    def as_problem(self) -> Problem:
        """Return the fault in the form that commands and pages print."""
        return Problem(where=self.path, what=self.message, next=self.next)


class MappingError(InputError):
    """A mapping cannot be read; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__([fault.as_problem() for fault in faults])
