"""Try a course: lessons, solutions and wrong answers, run behind a fence.

Law: nothing of the course is executed in this process. What runs it is a
process of its own without network, and its answer is read as data.
"""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bioskills.base.problems import SetupError
from bioskills.base.text import _
from bioskills.courses.checks import Progress
from bioskills.courses.faults import Fault
from bioskills.courses.package import canonical_zip
from bioskills.courses.reading import Course
from bioskills.courses.rulebook import rule
from bioskills.courses.rules import Finding
from bioskills.graders.trial_fence import Fence, strongest_fence


def try_course(course: Course, progress: Progress) -> Iterator[Finding]:
    """Yield every breach that only a run of the course can show.

    Raises:
        SetupError: nbgrader is not installed here.
    """
    if importlib.util.find_spec("nbgrader") is None:
        message = _(
            "This environment has no nbgrader, so the course cannot be run. "
            "Use the lab environment, or add --quick to read it only."
        )
        raise SetupError(message)
    with tempfile.TemporaryDirectory(prefix="bioskills-trial-") as folder:
        root = Path(folder)
        for name in ("tmp", "run", "lessons"):
            (root / name).mkdir()
        (root / "course.zip").write_bytes(canonical_zip(course.files))
        fence = strongest_fence(root)
        progress(_("running the course without network: {fence}").format(fence=fence.name))
        yield from _findings(root, fence, progress)


def _findings(root: Path, fence: Fence, progress: Progress) -> Iterator[Finding]:
    done = False
    for event in _events(root, fence):
        done = done or "done" in event
        if "progress" in event:
            progress(str(event["progress"]))
        if "rule" in event:
            yield Finding(rule(str(event["rule"])), _fault(event["fault"]))
    if not done:
        yield Finding(rule("L37"), Fault("course.yml", "", "", _stopped(root)))


def _events(root: Path, fence: Fence) -> Iterator[dict[str, object]]:
    command = [*fence.prefix, sys.executable, "-m", "bioskills.graders.trial_worker", str(root)]
    with (root / "log.txt").open("wb") as log:
        worker = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=root,
            env=fence.environment(root),
            start_new_session=True,
            text=True,
        )
    try:
        assert worker.stdout is not None  # noqa: S101 - asked for above
        for line in worker.stdout:
            yield json.loads(line)
    finally:
        _end(worker)


def _end(worker: "subprocess.Popen[str]") -> None:
    """End the worker and every kernel it started, also when we are interrupted."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    if worker.stdout:
        worker.stdout.close()
    worker.wait()


def _fault(raw: object) -> Fault:
    fields = raw if isinstance(raw, dict) else {}
    return Fault(**{key: str(value) for key, value in fields.items()})


def _stopped(root: Path) -> str:
    log = (root / "log.txt").read_text("utf-8", errors="replace").strip().splitlines()
    last = log[-1] if log else _("it gave no reason")
    return _("the run of the course stopped: {reason}").format(reason=last)
