"""One difference between a cohort as it is and as it is wanted.

Law: a change says what happens as a person reads it, and carries what a page needs to
sort and mark it; nothing here decides anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        sign: ``+`` adds, ``~`` changes, ``-`` ends; ``=`` says what stays although it is asked for.
        subject: Whom or what.
        detail: From what to what, as a person reads it.
        kind: ``cohort``, ``person``, ``seat``, ``run``, or ``left``: who is kept out.
        role: Of a seat.
    """

    sign: str
    subject: str
    detail: str
    kind: str = "cohort"
    role: str = ""

    @property
    def writes(self) -> bool:
        """Whether anything is written for it."""
        return self.sign != "="

    def __str__(self) -> str:
        return f"  {self.sign} {self.subject}: {self.detail}"


def count_of(changes: Iterable[Change]) -> int:
    """Return how many of these write anything."""
    return sum(change.writes for change in changes)
