"""Keep the nbgrader folder of each run: source, release, gradebook, submissions.

Law: 0700 and the grader's alone. Sources come from the installed course
version; its own nbgrader_config.py is never read. A slot for a submission gets
a pristine gradebook (no other learner's row) and the data files, no source notebook.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioskills.base.wire import Job
from bioskills.graders.intake import copy_regular, swap_in
from bioskills.graders.slot_worker import configuration

PRISTINE = "pristine.db"
SOURCE_PREFIX = "assignments/"
TIMESTAMP = "timestamp.txt"
TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f UTC"


class GenerateError(Exception):
    """nbgrader could not make the learner version; the text is its last log line."""


@dataclass(frozen=True)
class Workshop:
    """The folder of one run."""

    root: Path

    @property
    def gradebook_url(self) -> str:
        """SQLAlchemy URL of the run's gradebook."""
        return f"sqlite:///{self.root / 'gradebook.db'}"

    def api(self) -> Any:
        """Return nbgrader's API on this folder."""
        from nbgrader.apps.api import NbGraderAPI  # noqa: PLC0415 - 1,300 modules, only where they are used

        return NbGraderAPI(config=configuration(self.root, cell_timeout_s=30))

    def take_sources(self, course_zip: Path) -> None:
        """Replace `source/` by the assignments of this course version."""
        staged = self.root / ".source.new"
        shutil.rmtree(staged, ignore_errors=True)
        with zipfile.ZipFile(course_zip) as archive:
            for entry in archive.infolist():
                path = entry.filename
                if path.startswith(SOURCE_PREFIX) and not entry.is_dir():
                    target = staged / path.removeprefix(SOURCE_PREFIX)
                    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    target.write_bytes(archive.read(entry))
        swap_in(staged, self.root / "source")

    def generate(self, assignment: str) -> Path:
        """Make the learner version and return its folder.

        Raises:
            GenerateError: nbgrader refused the source.
        """
        outcome = self.api().generate_assignment(assignment, force=True, create=True)
        if not outcome["success"]:
            lines = str(outcome.get("error") or outcome.get("log") or "").strip().splitlines()
            raise GenerateError(lines[-1] if lines else assignment)
        return self.root / "release" / assignment

    def keep_pristine(self) -> None:
        """Keep the gradebook as it is before the first submission, for the slots."""
        from nbgrader.api import Gradebook  # noqa: PLC0415

        pristine = self.root / f".{PRISTINE}.new"
        shutil.copyfile(self.root / "gradebook.db", pristine)
        with Gradebook(f"sqlite:///{pristine}", "course") as gradebook:
            for student in list(gradebook.students):
                gradebook.remove_student(student.id)
        pristine.rename(self.root / PRISTINE)

    @contextmanager
    def slot(self, job: Job) -> Iterator[Path]:
        """Yield a folder with what grading this job may see; removed afterwards."""
        parent = self.root / "slots"
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        slot = Path(tempfile.mkdtemp(prefix=f"{job.id}-", dir=parent))
        try:
            shutil.copyfile(self.root / PRISTINE, slot / "gradebook.db")
            self._copy_data(job.assignments[0], slot)
            yield slot
        finally:
            shutil.rmtree(slot, ignore_errors=True)

    def _copy_data(self, assignment: str, slot: Path) -> None:
        source, target = self.root / "source" / assignment, slot / "source" / assignment
        ignore = shutil.ignore_patterns("*.ipynb")
        shutil.copytree(source, target, ignore=ignore)

    def keep(self, job: Job, slot: Path, kind: str) -> None:
        """Copy `submitted` or `autograded` out of a slot, regular files only, then swap it in."""
        place = self.root / kind / job.learner / job.assignments[0]
        source = slot / kind / job.learner / job.assignments[0]
        if not source.is_dir() or source.is_symlink():
            return
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = place.with_name(f".{place.name}.new")
        shutil.rmtree(staged, ignore_errors=True)
        copy_regular(source, staged)
        swap_in(staged, place)


def submitted_folder(slot: Path, job: Job) -> Path:
    """Return where nbgrader looks for the submission, with its time stamp written."""
    folder = slot / "submitted" / job.learner / job.assignments[0]
    folder.mkdir(mode=0o700, parents=True)
    moment = (job.submitted_at or datetime.now(UTC)).astimezone(UTC)
    (folder / TIMESTAMP).write_text(moment.strftime(TIMESTAMP_FORMAT), encoding="ascii")
    return folder
