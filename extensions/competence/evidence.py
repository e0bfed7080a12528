"""The evidence record: what the ledger keeps of one attempt for one outcome.

Law: a record is never changed; a correction is a new record that supersedes it.
It holds a pseudonym and hashes, no personal data and no learner content.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from bioskills.base.text import _

RecordKind = Literal["grade", "rpl"]
"""`grade`: a score. `rpl`: prior learning granted by an assessor (task is empty)."""

MACHINE = "grader"
"""The `actor` of evidence that no person judged."""

_STORED = re.compile(r"(0\.\d{4}|1\.0000)", re.ASCII)


class EvidenceError(ValueError):
    """A record contradicts itself, or records of several learners were mixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """One row of the ledger, in the columns of the competence study, 4.4.

    Four columns are added, because rule R3 cannot be decided without them.

    Attributes:
        at: When it was written; aware.
        actor: Who judged: a person's pseudonym, or `MACHINE`.
        learner: Pseudonym ``p-...``.
        score: Share 0 to 1 with four places; None while pending or for `rpl`.
        raw: Weighted points reached, four places.
        max: Weighted points possible, four places.
        released_by: Who released it; None keeps it from counting.
        supersedes: `seq` of the record for the same attempt that this one corrects.
        submitted_at: Added: hand-in time; cool-down and expiry run from it, not from `at`.
        pending: Added: a person still has to judge; tells this apart from a score of 0.
        previous_at: Added: hand-in time of the attempt before. None: taken from the
            other records, where they hold it.
        invalid: Added: why the attempt never counts; only grader or assessor can know.
    """

    seq: int
    at: datetime
    kind: RecordKind = "grade"
    actor: str
    learner: str
    outcome: str
    task: str
    attempt: int
    score: str | None
    raw: str | None = None
    max: str | None = None
    framework: str
    mapping: str
    rule: str
    notebook_sha256: str = ""
    notebook_src_sha256: str = ""
    cells_sha256: str = ""
    feedback_sha256: str = ""
    image: str = ""
    released_by: str | None
    supersedes: int | None = None
    submitted_at: datetime
    pending: bool = False
    previous_at: datetime | None = None
    invalid: Literal["integrity", "withdrawn"] | None = None

    def __post_init__(self) -> None:
        for time in (self.at, self.submitted_at, self.previous_at):
            if time is not None and time.tzinfo is None:
                raise EvidenceError(
                    _("Evidence {seq} has a time without a time zone.").format(seq=self.seq)
                )
        if self.score is not None and not _STORED.fullmatch(self.score):
            text = _(
                "Evidence {seq} has the score {score!r}; a score is text from 0.0000 to 1.0000."
            )
            raise EvidenceError(text.format(seq=self.seq, score=self.score))
        if self.kind == "grade" and not self.invalid and (self.score is None) != self.pending:
            text = _("Evidence {seq} must hold either a score or the mark that it is pending.")
            raise EvidenceError(text.format(seq=self.seq))

    @property
    def share(self) -> Fraction:
        """The score as an exact number; 0 where there is none."""
        return Fraction(self.score or "0")

    @property
    def course(self) -> str:
        """The course whose mapping it was made under."""
        return self.mapping.rpartition("@")[0]
