"""What a rule of the course checks is.

Law: a rule is data: an id that never changes meaning, a title, how to repair a
breach, and a pure function from a course to its faults.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from bioskills.courses.faults import Fault
from bioskills.courses.reading import Course

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Rule:
    """One thing that must hold for every course.

    Attributes:
        id: Stable name, as in documents and exemptions, for example ``L15``.
        title: What must hold.
        fix: What to do when it does not.
        severity: An error stops the installation of a course; a warning does not.
        check: Yields the breaches. None where only a run of the course can tell.
    """

    id: str
    title: str
    fix: str
    severity: Severity = "error"
    check: Callable[[Course], Iterable[Fault]] | None = None


@dataclass(frozen=True)
class Finding:
    """A breach of a rule in a course."""

    rule: Rule
    fault: Fault

    @property
    def next(self) -> str:
        """What to do now: the fault's own advice, or the rule's."""
        return self.fault.next or self.rule.fix
