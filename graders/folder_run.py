"""Grade what lies in a plain nbgrader course folder.

Law (order of writes): the graded folder is staged beside its place; the
gradebook gets one transaction; the folder is renamed into place; then it is
noted that this submission, against this assignment and with these limits, is
done. Ended anywhere in between, the next run does it again. Nothing changed:
nothing is done. Ctrl-C waits for these steps of one submission, no longer.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from bioskills.base.text import _
from bioskills.base.wire import GradeResult, Job
from bioskills.graders.course_folder import (
    STAMP,
    CourseFolder,
    keep_graded,
    stamp_in,
    tree_key,
)
from bioskills.graders.folder_gradebook import content_key, copy_pristine, knows_student
from bioskills.graders.folder_pool import graded
from bioskills.graders.folder_record import Done, Record, whole_step
from bioskills.graders.folder_writer import Writer, open_writer
from bioskills.graders.grading import Bench
from bioskills.graders.intake import UnsafeTreeError, swap_in

LEARNER = "learner"
"""Whom a box takes the submission for: no name of a person enters it."""
FOREVER_S = 24 * 3600
TIMEOUTS = ("Execute.timeout", "ExecutePreprocessor.timeout", "NotebookClient.timeout")


@dataclass(frozen=True)
class Submission:
    """One hand-in to grade."""

    number: int
    student: str
    timestamp: datetime | None
    key: str
    remark: str = ""


@dataclass
class Verdict:
    """What became of one submission.

    Attributes:
        student: nbgrader's name of the learner.
        verdict: `graded`, `needs_person`, or empty where this machine failed.
        reason: A sentence where there is something to say.
        remarks: What was repaired, and what a person should look at.
        fresh: Whether it was graded in this run.
    """

    student: str
    verdict: str
    reason: str = ""
    remarks: list[str] = field(default_factory=list)
    fresh: bool = True


Report = Callable[[Verdict], None]


@dataclass(frozen=True)
class Run:
    """One run over the folder.

    Attributes:
        folder: The course folder.
        bench: What grading needs of this machine, as the folder configures it.
        scratch: A private folder for slots.
        notebooks: The assignment's notebooks.
        version: Hash of what is graded against.
    """

    folder: CourseFolder
    bench: Bench
    scratch: Path
    notebooks: list[str]
    version: str

    def submission(self, number: int, student: str) -> Submission:
        """Copy a hand-in into a slot of its own."""
        slot = self.slot(number)
        files = slot / "submitted" / LEARNER / self.folder.assignment
        files.parent.mkdir(parents=True)
        left, remark = self.folder.copy_submission(student, files), ""
        if left:
            remark = _("{n} entries are no regular files and were left out.").format(n=left)
        try:
            moment = stamp_in(files)
        except ValueError as error:
            (files / STAMP).unlink()
            moment = None
            remark = _("timestamp.txt says {text!r}, which is no time.").format(text=str(error))
        return Submission(number, student, moment, self.key(files, remark), remark)

    def key(self, files: Path, remark: str) -> str:
        """Return a hash of all that a result depends on."""
        config = {k: v for k, v in self.folder.config.used.items() if "directory" not in k}
        more = [self.version, str(self.bench), str(sorted(config.items(), key=str)), remark]
        return sha256("\0".join([tree_key(files), *more]).encode()).hexdigest()

    def slot(self, number: int) -> Path:
        """Return the slot of a submission."""
        return self.scratch / str(number)

    def prepare(self, given: Submission) -> tuple[Job, Path]:
        """Complete a slot: the assignment's gradebook and data files."""
        slot = self.slot(given.number)
        shutil.copyfile(self.scratch / "pristine.db", slot / "gradebook.db")
        shutil.copytree(self.scratch / "data", slot / "source" / self.folder.assignment)
        moment = given.timestamp.replace(tzinfo=UTC) if given.timestamp else None
        return Job(
            id=given.number,
            kind="grade",
            run="folder",
            course=self.folder.course_id or self.folder.root.name,
            course_version="",
            assignments=[self.folder.assignment],
            learner=LEARNER,
            submitted_at=moment,
        ), slot

    def keep(self, writer: Writer, given: Submission, result: GradeResult) -> None:
        """Write a result: stage, gradebook, rename."""
        graded_files = self.slot(given.number) / "autograded" / LEARNER / self.folder.assignment
        place = self.folder.place("autograded", given.student)
        self.folder.need_inside(place)
        staged = place.with_name(f".{place.name}.new")
        books: dict[str, str] = {}
        if graded_files.is_dir() and not graded_files.is_symlink():
            keep_graded(self.folder, graded_files, staged)
            files = {name: staged / f"{name}.ipynb" for name in self.notebooks}
            books = {n: f.read_text("utf-8") for n, f in files.items() if f.is_file()}
        writer.record(given.student, given.timestamp, result, books)
        if books:
            swap_in(staged, place)
        else:
            shutil.rmtree(staged, ignore_errors=True)
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def opened(folder: CourseFolder, bench: Bench) -> Iterator[tuple[Run, list[str]]]:
    """Yield a run made ready, and the data files that were left out.

    Raises:
        SetupError: The gradebook cannot be used.
    """
    with _scratch(folder.root) as scratch:
        notebooks = copy_pristine(folder, scratch / "pristine.db")
        outside = folder.copy_data(scratch / "data")
        version = content_key(scratch / "pristine.db") + tree_key(scratch / "data")
        yield Run(folder, configured(bench, folder), scratch, notebooks, version), outside


@contextmanager
def _scratch(root: Path) -> Iterator[Path]:
    """Yield a private folder for slots; what a run that was killed left there goes first."""
    mark = sha256(str(root).encode()).hexdigest()[:12]
    place = Path(tempfile.gettempdir(), f"bioskills-grade-{os.geteuid()}-{mark}")
    if not place.is_symlink() and place.is_dir() and place.stat().st_uid == os.geteuid():
        shutil.rmtree(place)
    # Whatever somebody else has put there is refused: an error of the folder.
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def configured(bench: Bench, folder: CourseFolder) -> Bench:
    """Return the bench with the folder's own time limit and options."""
    found = next((folder.config.used[n] for n in TIMEOUTS if n in folder.config.used), None)
    if found is not None:
        # nbgrader: -1 means that a cell may run for ever.
        seconds = found if found > 0 else FOREVER_S
        whole = max(bench.job_timeout_s, 2 * seconds)
        bench = replace(bench, cell_timeout_s=seconds, job_timeout_s=whole)
    if takes_options():
        more: dict[str, Any] = {
            "options": {**folder.config.inside, "CourseDirectory": {"ignore": folder.ignored}}
        }
        bench = replace(bench, **more)
    return bench


def takes_options() -> bool:
    """Say whether grading can be told nbgrader's own options."""
    return any(known.name == "options" for known in fields(Bench))


def grade_folder(
    run: Run, students: Sequence[str], at_once: int, report: Report, *, force: bool = False
) -> list[Verdict]:
    """Grade what has changed since the last run.

    Args:
        run: As `opened` yields it.
        students: Whose work.
        at_once: How many submissions are graded at one time.
        report: Called with every verdict as soon as it stands in the gradebook.
        force: Grade what is unchanged, too.
    """
    notes = Record.read(run.folder.own / "graded", run.folder.assignment)
    todo: list[Submission] = []
    said: list[Verdict] = []
    for number, student in enumerate(students, start=1):
        early = _before(run, notes, number, student, force)
        if isinstance(early, Verdict):
            said.append(early)
            report(early)
        else:
            todo.append(early)
    with (
        open_writer(run.folder) as writer,
        closing(graded(todo, run.prepare, run.bench, at_once)) as results,
    ):
        for given, result in results:
            verdict = _settle(run, writer, notes, given, result)
            shutil.rmtree(run.slot(given.number), ignore_errors=True)
            said.append(verdict)
            report(verdict)
    return sorted(said, key=lambda verdict: verdict.student)


def _before(
    run: Run, notes: Record, number: int, student: str, force: bool
) -> Submission | Verdict:
    """Return what to grade, or the verdict that stands without grading."""
    folder = run.folder
    try:
        given = run.submission(number, student)
    except UnsafeTreeError as error:
        return Verdict(student, "needs_person", str(error))
    except OSError as error:
        return Verdict(student, "", str(error))
    done = notes.done.get(student)
    if not force and _stands(folder, given, done):
        shutil.rmtree(run.slot(number))
        known = done or Done("", "graded")
        return Verdict(student, known.verdict, known.reason, fresh=False)
    if not folder.config.get("Autograde.create_student", True) and not knows_student(
        folder, student
    ):
        reason = _("The gradebook does not know this learner, and new ones are not to be made.")
        return Verdict(student, "needs_person", reason)
    return given


def _stands(folder: CourseFolder, given: Submission, done: Done | None) -> bool:
    """Say whether the gradebook holds the result of this very work."""
    place = folder.place("autograded", given.student)
    if done is not None:
        return done.key == given.key and (place.is_dir() or done.verdict == "needs_person")
    if not place.is_dir():
        return False
    # Graded by nbgrader itself: its own rule.
    try:
        before = stamp_in(place)
    except ValueError:
        return False
    return not (given.timestamp and before and given.timestamp > before)


def _settle(
    run: Run, writer: Writer, notes: Record, given: Submission, result: GradeResult | Exception
) -> Verdict:
    """Write one result and return its verdict; an error stays this submission's."""
    if isinstance(result, Exception):
        return Verdict(given.student, "", str(result) or type(result).__name__)
    verdict, reason = result.verdict, result.reason
    if given.remark:
        verdict, reason = "needs_person", f"{given.remark} {reason}".strip()
    remarks = [*result.mended, *(f"{flag.cell}: {flag.message}" for flag in result.flags)]
    try:
        with whole_step():
            run.keep(writer, given, result)
            notes.note(given.student, Done(given.key, verdict, reason, result.parts))
    except Exception as error:  # noqa: BLE001 - one bad submission never stops the others
        return Verdict(given.student, "", _first_line(error))
    return Verdict(given.student, verdict, reason, remarks)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
