"""Read an uploaded course in a process of its own.

Law: what an instructor uploads is not trusted. Nothing of it is executed; but a parser can
be made to eat a machine, so it is read by a child with little memory, little time and an
empty environment, and its answer is taken as data. The child writes two files into one
folder of the caller: `course.zip`, the canonical ZIP, and `answer.json`.
"""

import json
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.courses.checks import Report, check_course
from bioskills.courses.differences import summary_of
from bioskills.courses.faults import CourseError
from bioskills.courses.package import read_course
from bioskills.courses.reading import view_of
from bioskills.hub.course_install import course_of

UPLOAD, OLD, CANONICAL, ANSWER = "upload.zip", "old.zip", "course.zip", "answer.json"
MEMORY_BYTES = 2 * 2**30
CPU_S = 60
WALL_S = 180
MOST_ANSWER_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Reading:
    """What was read of an upload.

    Attributes:
        findings: Of the static rules, as `finding_row` gives them; errors first.
        row: Values of the table `course_version`; empty where there are errors.
        summary: For `differences`; empty where there are errors.
        old: The summary of the version to compare with; empty where there is none.
    """

    findings: tuple[dict[str, str], ...]
    row: dict[str, Any]
    summary: dict[str, Any]
    old: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether nothing stops the course."""
        return bool(self.row)


def read_upload(folder: Path, memory_bytes: int = MEMORY_BYTES) -> Reading:
    """Return what `upload.zip` in this folder holds; `old.zip` is what it is compared with.

    Raises:
        InputError: It is no course, or reading it took too much memory or time.
    """
    command = [
        sys.executable,
        "-I",
        "-m",
        "bioskills.hub.course_reading",
        str(folder),
        str(memory_bytes),
    ]
    try:
        ended = subprocess.run(
            command,
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_dear() from None
    answer = folder / ANSWER
    if ended.returncode or not answer.is_file() or answer.stat().st_size > MOST_ANSWER_BYTES:
        raise _too_dear()
    said = json.loads(answer.read_text(encoding="utf-8"))
    if said["refused"]:
        raise InputError([Problem(**problem) for problem in said["refused"]])
    return Reading(tuple(said["findings"]), said["row"], said["summary"], said["old"])


def _too_dear() -> InputError:
    what = _("reading it took more memory or time than a course may take.")
    step = _("Check it on your own computer: bioskills course check PATH")
    return InputError([Problem(_("the upload"), what, next=step)])


def main(folder: Path, memory_bytes: int) -> None:
    """Read in this process, which is given up afterwards."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: dict[str, Any] = {"refused": [], "findings": [], "row": {}, "summary": {}, "old": {}}
    try:
        answer |= _read(folder)
    except CourseError as error:
        answer["refused"] = [asdict(problem) for problem in error.problems]
    (folder / ANSWER).write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")


def _read(folder: Path) -> dict[str, Any]:
    files = read_course(folder / UPLOAD)
    report = check_course(files)
    findings = [*_rows(report)]
    if not report.passed:
        return {"findings": findings}
    content, version = course_of(files)
    (folder / CANONICAL).write_bytes(content)
    row = {
        key: getattr(version, key) for key in ("course", "version", "manifest", "mapping", "notes")
    }
    summary = summary_of(view_of(files), version.mapping)
    return {"findings": findings, "row": row, "summary": summary, "old": _old(folder / OLD)}


def _old(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    files = read_course(path)
    return summary_of(view_of(files), course_of(files)[1].mapping)


def _rows(report: Report) -> list[dict[str, str]]:
    return [
        {
            "rule": finding.rule.id,
            "severity": finding.rule.severity,
            "where": finding.fault.where,
            "value": finding.fault.value,
            "message": finding.fault.message,
            "next": finding.next,
        }
        for finding in report.findings
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
