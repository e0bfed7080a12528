"""Grade one submission: `grade(job) -> result`.

Law: every submission ends with a verdict and a reason in plain words. What
cannot be run asks for a person, never a missing row. What fails before any
learner's code ran is this machine's fault: it is an error, tried again.

nbgrader works here, with a gradebook in memory; learner code runs in boxes, which
reach no other submission, no gradebook, no token and no score but their own. Code
in a box can read the test that runs in its own interpreter: `watching.py` looks
for what it makes of that.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioskills.base.text import SOURCE_LANGUAGE, _, reading_as
from bioskills.base.wire import CellScore, GradeResult, Job
from bioskills.competence.hashes import scores_sha256
from bioskills.graders import scratch_book
from bioskills.graders.apart import Isolation
from bioskills.graders.box_line import Door
from bioskills.graders.cell_scores import known_checks, with_checks
from bioskills.graders.engine import Outcome, configuration, convert
from bioskills.graders.handed_in import HandIn, flags_of_repairs, mend
from bioskills.graders.odd_points import odd_points
from bioskills.graders.own_parent import own_door
from bioskills.graders.reading_back import (
    notebooks_in,
    sources_sha256,
)
from bioskills.graders.repair import Repaired
from bioskills.graders.run_record import Record
from bioskills.graders.sandbox import Limits, SandboxError
from bioskills.graders.sealing import Seal
from bioskills.graders.verdicts import reason_of, verdict_of
from bioskills.graders.watching import Watch
from bioskills.graders.workshop import RELEASED

MOST_OUTPUT_CHARS = 1_000_000

Tell = Callable[[str, int, int], None]
"""Called with a step (fetched, running, scored), cells that ran, and of how many."""


def quiet(_step: str, _done: int, _of: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Bench:
    """What grading needs of this machine.

    Attributes:
        lab: The environment with nbgrader.
        course: The environment with the kernel.
        cell_timeout_s: Own seconds one cell may run.
        job_timeout_s: Wall seconds one submission may take.
        key: Names the environments' content; stored with each result.
        limits: What one submission may use.
        door: Makes boxes; None for a warm parent of our own.
        cold: Whether kernels start anew instead of by fork.
        options: What a course folder configures of nbgrader's steps, by class and name.
        language: Of the sentences that are stored with a result.
        restore: Whether a hand-in that plain nbgrader grades with a loss is put right too.
    """

    lab: Path
    course: Path
    cell_timeout_s: int
    job_timeout_s: int
    key: str
    limits: Limits = field(default_factory=Limits)
    door: Door | None = field(default=None, repr=False)
    cold: bool = False
    restore: bool = True
    language: str = SOURCE_LANGUAGE
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def way_in(self) -> Door:
        """Return what makes boxes.

        Raises:
            SandboxError: Grading does not work on this machine.
        """
        _need_kernels(self.course)
        return self.door or own_door(self.course, self.lab)


def grade(job: Job, slot: Path, bench: Bench, tell: Tell = quiet) -> GradeResult:
    """Run nbgrader's autograder, its cells in boxes, and return scores, checks and hashes.

    Args:
        job: What to grade.
        slot: A folder with `submitted/`, `source/` (data files) and `gradebook.db`;
            `autograded/` is added.
        bench: What this machine offers.
        tell: Is told how far it is.

    Raises:
        SandboxError: Grading does not work on this machine, whatever was handed in.
    """
    with reading_as(bench.language):
        return _grade(job, slot, bench, tell)


def _grade(job: Job, slot: Path, bench: Bench, tell: Tell) -> GradeResult:
    effort, given = _Effort(), HandIn.read(job, slot)
    ways = Ways(Record(), Seal(given.books, given.sources), Watch(), tell)
    mended, outcome, scores = _scored(job, slot, bench, given, ways)
    cells = _cells(job, slot, scores, ways.record)
    read = [*given.flags(), *odd_points(cells, given.sources), *flags_of_repairs(mended)]
    return GradeResult(
        verdict=verdict_of(outcome, ways.record, mended),
        reason=reason_of(outcome, ways.record, mended),
        cells=cells,
        answers=given.answers(),
        notebook_sha256=given.mark,
        notebook_src_sha256=sources_sha256(given.books),
        cells_sha256=scores_sha256(cells),
        environment=bench.key,
        seconds=effort.seconds(),
        parts=effort.parts(ways.record),
        flags=[*ways.watch.flags(), *read],
        mended=mended.sentences,
        shown=ways.seal.shown(),
    )


class _Effort:
    """What a grading takes of the machine, from now on."""

    def __init__(self) -> None:
        self._began, self._used = time.monotonic(), time.process_time()

    def seconds(self) -> float:
        return round(time.monotonic() - self._began, 2)

    def parts(self, record: Record) -> dict[str, float]:
        """Return CPU seconds: the cells', those of what watches them, and this process's own."""
        return {
            "cells": round(record.cells_s, 4),
            "watch": round(record.kernels_s - record.cells_s, 4),
            "grader": round(time.process_time() - self._used, 4),
        }


@dataclass(frozen=True)
class Ways:
    """What is noted and told while a grading runs.

    Attributes:
        record: What happened while cells ran.
        seal: What may be shown to the learner.
        watch: What a person should look at.
        tell: Is told how far it is.
    """

    record: Record
    seal: Seal
    watch: Watch
    tell: Tell


Scores = list[dict[str, Any]]


def _scored(
    job: Job, slot: Path, bench: Bench, given: HandIn, ways: Ways
) -> tuple[Repaired, Outcome, Scores]:
    """Mend, grade, and return what was mended, how it ended, and the scores."""
    assignment = job.assignments[0]
    with scratch_book.opened(slot / "gradebook.db") as gradebook, given.aside() as handed_in:
        mended = mend(gradebook, assignment, given.folder, slot / RELEASED, restore=bench.restore)
        outcome = Outcome("NothingToGrade")
        if not mended.nothing_to_grade:
            isolation = Isolation.of(job, slot, given.sources, given.released)
            names = scratch_book.notebooks_of(gradebook, assignment)
            setting = _setting(bench, ways, handed_in, names, isolation)
            outcome = _autograde(job, slot, bench, setting)
        if outcome.error:
            return mended, outcome, scratch_book.no_scores(gradebook, assignment)
        waits = ways.record.waits
        return mended, outcome, scratch_book.scores_of(gradebook, assignment, job.learner, waits)


def _cells(job: Job, slot: Path, scores: Scores, record: Record) -> list[CellScore]:
    """Return the scores, with the checks that failed."""
    assignment = job.assignments[0]
    graded = notebooks_in(slot / "autograded" / job.learner / assignment)
    return with_checks(scores, graded, known_checks(job.notes.get(assignment)), record.said)


def _setting(
    bench: Bench,
    ways: Ways,
    handed_in: Path,
    notebooks: Sequence[str],
    isolation: Isolation | None,
) -> Any:
    """Return what the boxes of this grading have in common."""
    from bioskills.graders.executing import Setting  # noqa: PLC0415 - imports nbgrader

    return Setting(
        door=bench.way_in(),
        course=bench.course,
        limits=bench.limits.of_a_box(bench.job_timeout_s),
        record=ways.record,
        seal=ways.seal,
        watch=ways.watch,
        isolation=isolation,
        submitted=handed_in,
        notebooks=notebooks,
        # A kernel that starts anew lends nothing.
        cold=bench.cold and isolation is None,
        deadline=time.monotonic() + bench.job_timeout_s,
        tell=lambda done, of: ways.tell("running", done, of),
    )


def _autograde(job: Job, slot: Path, bench: Bench, setting: Any) -> Outcome:
    """Run nbgrader's own converter with its own steps; only the one that runs cells is ours."""
    from nbgrader.converters import Autograde  # noqa: PLC0415 - 1,300 modules
    from nbgrader.preprocessors import Execute  # noqa: PLC0415

    from bioskills.graders.executing import execute_in  # noqa: PLC0415

    config = configuration(str(slot), scratch_book.URL, bench.cell_timeout_s)
    # Each step's notebook is checked once, after the last one: nine checks in ten are not needed.
    config.Exporter.optimistic_validation = True
    config.merge(type(config)({kind: dict(given) for kind, given in bench.options.items()}))
    stock = Autograde.autograde_preprocessors.default_args[0]
    ours = [execute_in(setting) if step is Execute else step for step in stock]
    config.Autograde.autograde_preprocessors = [*ours, _bounded()]
    outcome = convert(Autograde, config, job.assignments[0], job.learner)
    if setting.record.refused:
        raise SandboxError(setting.record.refused)
    return outcome


def _bounded() -> Any:
    """Return a last step that keeps an output of any size out of the notebook that is written."""
    from nbgrader.preprocessors import NbGraderPreprocessor  # noqa: PLC0415

    class Bounded(NbGraderPreprocessor):  # type: ignore[misc]
        def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
            for cell in nb.cells:
                if "outputs" in cell:
                    cell.outputs = [o for o in cell.outputs if len(str(o)) < MOST_OUTPUT_CHARS]
            return nb, resources

    return Bounded


def _need_kernels(course: Path) -> None:
    """Raise where the course environment has no kernel: Jupyter would take the lab's own instead."""
    if not any((course / "share" / "jupyter" / "kernels").glob("*/kernel.json")):
        raise SandboxError(
            _("The course environment {path} has no kernel. Run: make setup").format(path=course)
        )
