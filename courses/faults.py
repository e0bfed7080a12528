"""Say what is wrong with a course.

Law: a fault names the file, the key, the value and the next step, so that a
terminal, a page and an API can each say it their way.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bioskills.base.problems import InputError, Problem


@dataclass(frozen=True)
class Fault:
    """One thing an author must look at.

    Attributes:
        file: Path inside the course, with forward slashes.
        key: Key, cell or line in that file; empty when the whole file is meant.
        value: What stands there now; empty when nothing does.
        message: What happened and the rule it breaks.
        next: What to do now; empty when the rule's own advice is enough.
    """

    file: str
    key: str
    value: str
    message: str
    next: str = ""

    @property
    def where(self) -> str:
        """File and key as a person would look for them."""
        return f"{self.file}: {self.key}" if self.key else self.file

    def as_problem(self) -> Problem:
        """Return the fault in the form every command of ours prints."""
        return Problem(where=self.where, what=self.message, next=self.next)


class CourseError(InputError):
    """A course, or one file of it, was refused; nothing of it was used.

    Attributes:
        faults: Every fault found, not only the first.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__([fault.as_problem() for fault in self.faults])
