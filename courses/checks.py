"""Check a whole course: run every rule over it and gather what was found.

Law: the static rules run here, in this process, and start nothing. A trial is
handed in by the caller, because only `bioskills.graders` may import nbgrader.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bioskills.base.text import _
from bioskills.courses.package import Files
from bioskills.courses.reading import Course, view_of
from bioskills.courses.rulebook import RULES
from bioskills.courses.rules import Finding

Progress = Callable[[str], None]
Trial = Callable[[Course, Progress], Iterable[Finding]]


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        findings: Errors first, each kind in the order of the rules.
        tried: Whether the course was also run, not only read.
    """

    findings: tuple[Finding, ...]
    tried: bool

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that stop the course."""
        return tuple(finding for finding in self.findings if finding.rule.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings an author should look at."""
        return tuple(finding for finding in self.findings if finding.rule.severity == "warning")

    @property
    def passed(self) -> bool:
        """Say whether nothing stops the course."""
        return not self.errors


def _silent(_message: str) -> None:
    """Say nothing."""


def check_course(
    files: Files, *, trial: Trial | None = None, progress: Progress = _silent
) -> Report:
    """Return every breach of every rule.

    Args:
        files: The course, as `read_course` returns it.
        trial: Runs lessons, solutions and wrong answers; left out for a quick check. It is not
            started while a static rule is broken, because its findings would only follow from that.
        progress: Told in a few words what is being looked at.
    """
    course = view_of(files)
    findings = [*_static(course, progress)]
    tried = trial is not None and not any(found.rule.severity == "error" for found in findings)
    if trial is not None and tried:
        findings += trial(course, progress)
    return Report(tuple(sorted(findings, key=_place)), tried)


def _static(course: Course, progress: Progress) -> Iterator[Finding]:
    for each in RULES:
        if each.check is not None:
            progress(_(each.title))
            yield from (Finding(each, fault) for fault in each.check(course))


def _place(finding: Finding) -> tuple[bool, int]:
    return finding.rule.severity == "warning", RULES.index(finding.rule)
