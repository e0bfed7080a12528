"""The verdict of a grading, and what learner and instructor read where a person must look."""

from typing import Any, Literal

from bioskills.base.text import _
from bioskills.graders.after_death import PYTHON, why_died
from bioskills.graders.engine import Outcome
from bioskills.graders.repair import Repaired

WORDS = {
    "died": "DeadKernelError",
    "late": "CellTimeoutError",
    "crowd": "ProcessLimitError",
    "spent": "NotebookTimeoutError",
    "flood": "OutputLimitError",
}
"""What ended a run, by why a box ended."""


def verdict_of(
    outcome: Outcome, record: Any, mended: Repaired
) -> Literal["graded", "needs_person"]:
    """Return whether a person must look."""
    looks = outcome.error or record.ended or record.unscorable or mended.needs_person
    return "needs_person" if looks else "graded"


def reason_of(outcome: Outcome, record: Any, mended: Repaired) -> str:
    """Return what learner and instructor read where a person must look."""
    said = [mended.reason]
    if record.ended:
        name, why = next(iter(record.ended.items()))
        said.append(why_died(WORDS[why], record.unrun, record.languages.get(name, PYTHON)))
    elif outcome.error == "NoKernelError":
        message = _(
            "This notebook asks for a kernel that is not installed here ({name}). A person looks at it."
        )
        said.append(message.format(name=outcome.said))
    elif outcome.error and not mended.nothing_to_grade:
        said.append(
            _("The machine could not grade this notebook as it came. A person looks at it.")
        )
    if record.unscorable:
        message = _("The result of a test is no number of points: {names}. A person looks at it.")
        said.append(message.format(names=", ".join(record.unscorable)))
    return " ".join(filter(None, said))
