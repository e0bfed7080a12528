"""Say which hand-ins count, and tell the learner why.

Law: the rule is that of evidence (R3, `competence.validity.excess`), asked in the same
way: hand-ins are numbered over all assignments of their task, in the order in which they
came. A practice hand-in is never hidden; it is said why it does not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bioskills.base.tables import CourseVersion, Submission
from bioskills.base.text import _, ngettext
from bioskills.competence.mapping import MappingError, parse_mapping
from bioskills.competence.results import Reason
from bioskills.competence.tasks import Attempts, Mapping
from bioskills.competence.validity import Limits, excess
from bioskills.hub.campus.pages_work import Work, manifest_of


@dataclass(frozen=True)
class TaskRule:
    """How often a task may be tried, and the assignments whose hand-ins are its attempts."""

    limits: Limits
    assignments: tuple[str, ...]


class TaskRules:
    """The tasks of a course version, by assignment."""

    def __init__(self, version: CourseVersion) -> None:
        self._manifest, self._mapping = manifest_of(version), _mapping(version)

    def of(self, assignment: str) -> TaskRule:
        """Return the rule of an assignment: its task's, or its own where none is mapped."""
        task = self._mapping.task_of(assignment) if self._mapping else None
        if task is not None:
            return TaskRule(task.attempts, task.assignments)
        plan = self._manifest.assignment(assignment)
        return TaskRule(plan.attempts if plan else Attempts(), (assignment,))


def excess_of(limits: Limits, hand_ins: Iterable[Submission]) -> dict[int, Reason]:
    """Return why some hand-ins of one person on one task do not count, by their id."""
    ordered = sorted(hand_ins, key=lambda row: row.id)
    before = [None, *(row.submitted_at for row in ordered)]
    reasons = {
        row.id: excess(limits, number, row.submitted_at, earlier)
        for number, (row, earlier) in enumerate(zip(ordered, before, strict=False), start=1)
    }
    return {key: reason for key, reason in reasons.items() if reason is not None}


def counts_words(work: Work, submission: Submission) -> str:
    """Return whether this hand-in counts and why; empty where there is nothing to compare."""
    reason = work.excess.get(submission.id)
    if reason is not None:
        return _practice(work, reason)
    counting = work.counting
    if counting is not None and counting[0].assignment_id != work.assignment.id:
        return _("Your resit counts, not this attempt: it has more points.")
    if counting is None or len(work.submissions) == 1:
        return ""
    if counting[0].id == submission.id:
        return _("This attempt counts: of those that may count it has the most points.")
    text = _("Attempt {n} counts, not this one: it has at least as many points.")
    return text.format(n=counting[0].attempt) if _is_returned(work, submission) else ""


def which_counts(work: Work) -> str:
    """Return which of several attempts counts; empty where there is only one."""
    if work.counting is None or len(work.submissions) == 1 or work.stand_in:
        return ""
    return _("Attempt {n} counts.").format(n=work.counting[0].attempt)


def _practice(work: Work, reason: Reason) -> str:
    if reason == "too_many_attempts":
        text = ngettext(
            "This attempt is practice: only the first attempt counts.",
            "This attempt is practice: only the first {n} attempts count.",
            work.limits.max or 1,
        )
        return text.format(n=work.limits.max)
    text = _("This attempt is practice: it came less than {n} hours after the one before.")
    return text.format(n=work.limits.cooldown_hours)


def _is_returned(work: Work, submission: Submission) -> bool:
    return submission.id in work.shown


def _mapping(version: CourseVersion) -> Mapping | None:
    try:
        return parse_mapping(version.mapping, version.course)
    except MappingError:
        return None
