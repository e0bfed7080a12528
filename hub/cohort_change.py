"""One difference between a cohort as it is and as it is wanted.

Law: a change says what happens as a person reads it, and carries what a page needs to
sort and mark it; nothing here decides anything.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        sign: ``+`` adds, ``~`` changes, ``-`` ends.
        subject: Whom or what.
        detail: From what to what, as a person reads it.
        kind: ``cohort``, ``person``, ``seat`` or ``run``.
        role: Of a seat.
    """

    sign: str
    subject: str
    detail: str
    kind: str = "cohort"
    role: str = ""

    def __str__(self) -> str:
        return f"  {self.sign} {self.subject}: {self.detail}"
