"""`bioskills course check`: tell an author everything that is wrong with a course.

Law: the course is only read here. What runs it comes in as a `Trial`, so that
a machine without nbgrader can still check what can be read.
"""

import argparse
import hashlib
import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from bioskills.base.commands import Verbs
from bioskills.base.text import _, ngettext
from bioskills.courses.checks import Report, Trial, check_course
from bioskills.courses.faults import CourseError
from bioskills.courses.package import canonical_zip, read_course
from bioskills.courses.rules import Finding


def add_check(verbs: "Verbs[argparse.ArgumentParser]", trial: Trial) -> None:
    """Add the verb `check`.

    Args:
        verbs: The verbs of the noun `course`.
        trial: Runs the course; not called with `--quick`.
    """
    parser = verbs.add_parser(
        "check",
        help=_("Say everything that is wrong with a course."),
        description=_(
            "Say everything that is wrong with a course. Authors and instructors run it; "
            "nothing is changed. Example: bioskills course check courses/sequences-first-steps"
        ),
    )
    parser.add_argument("path", type=Path, help=_("A course folder or a ZIP of one."))
    quick = _("Read only: run no lesson, solution or wrong answer. Seconds instead of minutes.")
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", action="store_true", help=_("Print the findings as JSON."))
    parser.set_defaults(act=lambda options: _check(options, trial))


def _check(options: argparse.Namespace, trial: Trial) -> int:
    progress = _progress_line if sys.stderr.isatty() else _say_nothing
    try:
        files = read_course(options.path)
        report = check_course(files, trial=None if options.quick else trial, progress=progress)
    except CourseError as error:
        if not options.json:
            raise
        _print(json.dumps({"passed": False, "refused": [fault.__dict__ for fault in error.faults]}))
        return 1
    finally:
        progress("")
    digest = hashlib.sha256(canonical_zip(files)).hexdigest()
    _print(_as_json(report, digest) if options.json else "\n".join(_lines(report, options)))
    return 0 if report.passed else 1


def _lines(report: Report, options: argparse.Namespace) -> Iterator[str]:
    for title, findings in ((_("Errors"), report.errors), (_("Warnings"), report.warnings)):
        if findings:
            yield title
            yield from _grouped(findings)
    yield _summary(report, options)


def _grouped(findings: Sequence[Finding]) -> Iterator[str]:
    for rule, group in groupby(findings, key=lambda finding: finding.rule):
        yield f"  {rule.id}  {_(rule.title)}"
        advice = ""
        for finding in group:
            yield f"    {finding.fault.where}: {finding.fault.message}"
            if finding.fault.next:
                yield f"      {finding.fault.next}"
            else:
                advice = _(rule.fix)
        if advice:
            yield f"    -> {advice}"
        yield ""


def _summary(report: Report, options: argparse.Namespace) -> str:
    errors, warnings = len(report.errors), len(report.warnings)
    counted = ", ".join(
        (
            ngettext("{n} error", "{n} errors", errors).format(n=errors),
            ngettext("{n} warning", "{n} warnings", warnings).format(n=warnings),
        )
    )
    return f"{options.path.name}: {counted}. {_next_step(report, options)}"


def _next_step(report: Report, options: argparse.Namespace) -> str:
    path = shlex.quote(str(options.path))
    if not report.passed and not report.tried and not options.quick:
        message = _("It was not run, because it has errors. Correct them, then run: {command}")
        return message.format(command=f"bioskills course check {path}")
    if not report.passed:
        message = _("Correct the errors, then run: {command}")
        return message.format(command=f"bioskills course check {path}")
    if not report.tried:
        message = _("It was read, not run. To run it: {command}")
        return message.format(command=f"bioskills course check {path}")
    message = _("The course can be used: {command}")
    return message.format(command=f"bioskills course install {path}")


def _as_json(report: Report, digest: str) -> str:
    findings = [
        {
            "rule": finding.rule.id,
            "severity": finding.rule.severity,
            "title": _(finding.rule.title),
            "file": finding.fault.file,
            "key": finding.fault.key,
            "value": finding.fault.value,
            "message": finding.fault.message,
            "next": _(finding.next),
        }
        for finding in report.findings
    ]
    whole = {
        "passed": report.passed,
        "tried": report.tried,
        "content_sha256": digest,
        "findings": findings,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _progress_line(message: str) -> None:
    """Show what is being done on one line that the next one replaces."""
    sys.stderr.write(f"\r\033[K{message[:76]}")
    sys.stderr.flush()


def _say_nothing(_message: str) -> None:
    """Keep a log file free of progress."""


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
