"""Keep the nbgrader folder of each run: source, release, gradebook, submissions.

Law: 0700 and the grader's alone. Sources come from the installed course
version; its own nbgrader_config.py is never read, and no code of it runs here.
A slot for a submission gets a pristine gradebook (no learner's row) and the
data files, no source notebook.
"""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bioskills.base.text import _
from bioskills.base.wire import Job
from bioskills.graders.engine import COURSE, configuration, convert, ensure_gradebook
from bioskills.graders.intake import copy_regular, swap_in

PRISTINE = "pristine.db"
SOURCE_PREFIX = "assignments/"
TIMESTAMP = "timestamp.txt"
TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f UTC"
AUTOTEST = "AUTOTEST"


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

    @property
    def assignments(self) -> list[str]:
        """Names of all assignments of the run's course version."""
        return sorted(path.name for path in (self.root / "source").iterdir())

    def generate(self, assignment: str) -> Path:
        """Make the learner version and return its folder.

        Raises:
            GenerateError: nbgrader refused the source.
        """
        from nbgrader.converters import GenerateAssignment  # noqa: PLC0415 - 1,300 modules, only where they are used
        from nbgrader.preprocessors import InstantiateTests  # noqa: PLC0415

        self._refuse_autotests(assignment)
        ensure_gradebook(self.gradebook_url)
        config = configuration(str(self.root), self.gradebook_url)
        # That step alone would run the source's code, here, with the grader's rights.
        stock = GenerateAssignment.preprocessors.default_args[0]
        config.GenerateAssignment.preprocessors = [p for p in stock if p is not InstantiateTests]
        outcome = convert(GenerateAssignment, config, assignment)
        if outcome.error:
            raise GenerateError(f"{assignment}: {outcome.said or outcome.error}")
        return self.root / "release" / assignment

    def _refuse_autotests(self, assignment: str) -> None:
        for path in sorted((self.root / "source" / assignment).glob("*.ipynb")):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            if any(AUTOTEST in "".join(cell["source"]) for cell in cells):
                message = _(
                    "{file} has {word} lines, which run code while the release is made. Make the tests from them with nbgrader first, then install the course again."
                )
                raise GenerateError(message.format(file=path.name, word=AUTOTEST))

    def keep_pristine(self) -> None:
        """Keep the gradebook as it is before the first submission, for the slots."""
        from nbgrader.api import Gradebook  # noqa: PLC0415

        pristine = self.root / f".{PRISTINE}.new"
        shutil.copyfile(self.root / "gradebook.db", pristine)
        with Gradebook(f"sqlite:///{pristine}", COURSE) as gradebook:
            for student in list(gradebook.students):
                gradebook.remove_student(student.id)
        pristine.rename(self.root / PRISTINE)

    def ensure_pristine(self) -> None:
        """Make the gradebooks again where the folder was lost or is older than they are."""
        if not (self.root / PRISTINE).exists():
            for assignment in self.assignments:
                self.generate(assignment)
            self.keep_pristine()

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

    def clear_slots(self) -> None:
        """Remove what a grader that was killed left behind."""
        shutil.rmtree(self.root / "slots", ignore_errors=True)

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


def stamp(folder: Path, job: Job) -> None:
    """Write the time of the hand-in as nbgrader reads it, over what a learner may have put there."""
    place = folder / TIMESTAMP
    if place.is_dir():
        shutil.rmtree(place)
    moment = (job.submitted_at or datetime.now(UTC)).astimezone(UTC)
    place.write_text(moment.strftime(TIMESTAMP_FORMAT), encoding="ascii")


def submitted_folder(slot: Path, job: Job) -> Path:
    """Return where nbgrader looks for the submission."""
    folder = slot / "submitted" / job.learner / job.assignments[0]
    folder.mkdir(mode=0o700, parents=True)
    return folder
