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
from bioskills.graders.engine import configuration, convert, ensure_gradebook
from bioskills.graders.executors import KEPT
from bioskills.graders.gradebook import without_learners
from bioskills.graders.intake import put_back_asides, swap_in

PRISTINE = "pristine.db"
SOURCE_PREFIX = "assignments/"
TIMESTAMP = "timestamp.txt"
TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f UTC"
AUTOTEST = "AUTOTEST"
RELEASED = "released"
"""Folder of a slot with the notebooks as they were released; no box sees it."""


VERSIONS = "versions"
"""Folder of a run with what grading needs of each released assignment version."""


@dataclass(frozen=True)
class Parts:
    """Where the parts of an assignment version lie.

    Attributes:
        pristine: The gradebook before the first submission.
        source: Its data files.
        release: What learners received.
    """

    pristine: Path
    source: Path
    release: Path


class GenerateError(Exception):
    """nbgrader could not make the learner version; the text is its last log line."""


@dataclass(frozen=True)
class Workshop:
    """The folder of one run.

    Attributes:
        root: The folder; its name is the run's.
        template: URL of gradebooks with `{run}` in it; empty: a SQLite file in the folder.
    """

    root: Path
    template: str = ""

    @property
    def gradebook_url(self) -> str:
        """SQLAlchemy URL of the run's gradebook."""
        own = f"sqlite:///{self.root / 'gradebook.db'}"
        return self.template.format(run=self.root.name) if self.template else own

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
        made = self.root / f".{PRISTINE}.new"
        made.unlink(missing_ok=True)
        without_learners(self.gradebook_url, f"sqlite:///{made}")
        made.rename(self.root / PRISTINE)

    def ensure_pristine(self) -> None:
        """Make the gradebooks again where the folder was lost or is older than they are."""
        if not (self.root / PRISTINE).exists():
            for assignment in self.assignments:
                self.generate(assignment)
            self.keep_pristine()

    @contextmanager
    def slot(self, job: Job) -> Iterator[Path]:
        """Yield a folder with what grading this job may see; removed afterwards."""
        folder = self.new_folder(job)
        try:
            self.lay_out(job.assignments[0], folder / "slot")
            yield folder / "slot"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def new_folder(self, job: Job) -> Path:
        """Return a new folder for everything around one grading."""
        parent = self.root / "slots"
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{job.id}-", dir=parent))

    def lay_out(self, assignment: str, slot: Path, version: int | None = None) -> None:
        """Make a slot: the pristine gradebook and the data files, no source notebook.

        Args:
            assignment: Its name.
            slot: A folder that is not there yet.
            version: The assignment version that was handed in against; None for the present one.
        """
        parts = self.parts(assignment, version)
        slot.mkdir(mode=0o700)
        shutil.copyfile(parts.pristine, slot / "gradebook.db")
        ignore = shutil.ignore_patterns("*.ipynb")
        shutil.copytree(parts.source, slot / "source" / assignment, ignore=ignore)
        released = slot / RELEASED
        released.mkdir(mode=0o700)
        for path in parts.release.glob("*.ipynb"):
            shutil.copyfile(path, released / path.name)

    def parts(self, assignment: str, version: int | None) -> "Parts":
        """Return what grading needs of an assignment version; the present one's where none was kept."""
        kept = self.root / VERSIONS / assignment / str(version)
        if version is not None and kept.is_dir():
            return Parts(kept / PRISTINE, kept / "source", kept / "release")
        source, release = self.root / "source" / assignment, self.root / "release" / assignment
        return Parts(self.root / PRISTINE, source, release)

    def keep_version(self, assignment: str, version: int) -> None:
        """Keep what grading needs of a version: what was handed in against it stays graded against it."""
        place = self.root / VERSIONS / assignment / str(version)
        if place.exists():
            return
        now, staged = self.parts(assignment, None), place.with_name(f".{version}.new")
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(mode=0o700, parents=True)
        shutil.copyfile(now.pristine, staged / PRISTINE)
        shutil.copytree(now.source, staged / "source", ignore=shutil.ignore_patterns("*.ipynb"))
        shutil.copytree(now.release, staged / "release")
        staged.rename(place)

    def recover(self) -> None:
        """Clear and mend what a grader that was killed left behind."""
        shutil.rmtree(self.root / "slots", ignore_errors=True)
        for kind in KEPT:
            put_back_asides(self.root / kind)

    def keep(self, job: Job, staged: Path, kind: str) -> None:
        """Swap a finished folder in, `submitted` or `autograded`; perhaps there is none."""
        if staged.is_dir():
            swap_in(staged, self.root / kind / job.learner / job.assignments[0])


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
