"""Grade one submission: `grade(job) -> result`.

Law: every submission ends with a verdict and a reason in plain words. What
cannot be run asks for a person, never a missing row. What fails before any
learner's code ran is this machine's fault: it is an error, tried again.

nbgrader works here, with a gradebook in memory; learner code runs in boxes, which
reach no other submission, no gradebook, no token and no score but their own. Code
in a box can read the test that runs in its own interpreter: `watching.py` looks
for what it makes of that.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioskills.base.text import _
from bioskills.base.wire import Flag, GradeResult, Job
from bioskills.graders import scratch_book
from bioskills.graders.apart import Isolation
from bioskills.graders.box_line import Door
from bioskills.graders.cell_scores import known_checks, with_checks
from bioskills.graders.engine import Outcome, configuration, convert
from bioskills.graders.odd_points import odd_points
from bioskills.graders.own_parent import own_door
from bioskills.graders.reading_back import (
    answers,
    modules_in,
    notebooks_in,
    scores_sha256,
    sources_sha256,
    tree_sha256,
)
from bioskills.graders.repair import Repaired, repair
from bioskills.graders.repair.model import Expected
from bioskills.graders.repair.sources import expected_of
from bioskills.graders.run_record import Record
from bioskills.graders.sandbox import Limits, SandboxError
from bioskills.graders.sealing import Seal
from bioskills.graders.source_cells import source_cells
from bioskills.graders.verdicts import reason_of, verdict_of
from bioskills.graders.watching import Watch, read_over
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
    began, used, record, watch = time.monotonic(), time.process_time(), Record(), Watch()
    assignment = job.assignments[0]
    submitted = slot / "submitted" / job.learner / assignment
    books, mark = notebooks_in(submitted), tree_sha256(submitted)
    sources, released = (
        source_cells(slot / "gradebook.db", assignment),
        notebooks_in(slot / RELEASED),
    )
    seal = Seal(books, sources)
    with scratch_book.opened(slot / "gradebook.db") as gradebook, _aside(submitted) as handed_in:
        mended = _mend(gradebook, assignment, submitted, slot / RELEASED, restore=bench.restore)
        outcome = Outcome("NothingToGrade")
        if not mended.nothing_to_grade:
            isolation = Isolation.of(job, slot, sources, released)
            names = scratch_book.notebooks_of(gradebook, assignment)
            ways = Ways(record, seal, watch, handed_in, names, isolation)
            outcome = _autograde(job, slot, bench, ways, tell)
        scores = (
            scratch_book.no_scores(gradebook, assignment)
            if outcome.error
            else scratch_book.scores_of(gradebook, assignment, job.learner, record.waits)
        )
    graded = notebooks_in(slot / "autograded" / job.learner / assignment)
    known = known_checks(job.notes.get(assignment))
    cells = with_checks(scores, graded, known, record.said)
    read = read_over(books, released, sources, modules_in(submitted, slot / "source" / assignment))
    flags = [*watch.flags(), *read, *odd_points(cells, sources), *_of_repairs(mended)]
    return GradeResult(
        verdict=verdict_of(outcome, record, mended),
        reason=reason_of(outcome, record, mended),
        cells=cells,
        answers={
            f"{name}/{key}": text
            for name, book in books.items()
            for key, text in answers(book).items()
        },
        notebook_sha256=mark,
        notebook_src_sha256=sources_sha256(books),
        cells_sha256=scores_sha256(cells),
        environment=bench.key,
        seconds=round(time.monotonic() - began, 2),
        parts={
            "cells": round(record.cells_s, 4),
            "watch": round(record.kernels_s - record.cells_s, 4),
            "grader": round(time.process_time() - used, 4),
        },
        flags=flags,
        mended=mended.sentences,
        shown=seal.shown(),
    )


@dataclass(frozen=True)
class Ways:
    """What a grading is told and tells while it runs.

    Attributes:
        record: What happened while cells ran.
        seal: What may be shown to the learner.
        watch: What a person should look at.
        handed_in: The files as handed in, which the box gets.
        notebooks: Names of the assignment's notebooks.
        isolation: What isolated mode needs, where the assignment asks for it.
    """

    record: Any
    seal: Seal
    watch: Watch
    handed_in: Path
    notebooks: Sequence[str]
    isolation: Isolation | None = None


@contextmanager
def _aside(submitted: Path) -> Iterator[Path]:
    """Keep what was handed in aside, while the folder holds what is graded; put it back afterwards."""
    aside = submitted.with_name(f".{submitted.name}.as-handed-in")
    submitted.rename(aside)
    try:
        shutil.copytree(aside, submitted)
        yield aside
    finally:
        shutil.rmtree(submitted)
        aside.rename(submitted)


def _mend(
    gradebook: Any, assignment: str, folder: Path, released: Path, *, restore: bool
) -> Repaired:
    """Repair the notebooks in a folder that nbgrader would lose."""
    texts = {path.stem: path.read_bytes() for path in released.glob("*.ipynb")}
    files = {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}
    key = (scratch_book.content_key(), assignment, tuple(sorted(texts.items())))
    found = repair(files, _expected(gradebook, assignment, texts, key), restore=restore)
    for name in files.keys() - found.files.keys():
        (folder / name).unlink()
    for name, content in found.files.items():
        if files.get(name) != content:
            (folder / name).write_bytes(content)
    return found


_last_expected: dict[object, Mapping[str, Expected]] = {}
"""What the last assignment's notebooks hold: a class hands in the same one."""


def _expected(
    gradebook: Any, assignment: str, texts: Mapping[str, bytes], key: object
) -> Mapping[str, Expected]:
    if key not in _last_expected:
        _last_expected.clear()
        _last_expected[key] = expected_of(gradebook, assignment, texts)
    return _last_expected[key]


def _of_repairs(mended: Repaired) -> list[Flag]:
    """Return the repairs that a person should see before they count."""
    return [
        Flag(code=f"repair_{each.code}", cell=f"{each.notebook}/{each.cell}", message=each.sentence)
        for each in mended.mended
        if each.flagged
    ]


def _autograde(job: Job, slot: Path, bench: Bench, ways: Ways, tell: Tell) -> Outcome:
    """Run nbgrader's own converter with its own steps; only the one that runs cells is ours."""
    from nbgrader.converters import Autograde  # noqa: PLC0415 - 1,300 modules
    from nbgrader.preprocessors import Execute  # noqa: PLC0415

    from bioskills.graders.executing import Setting, execute_in  # noqa: PLC0415

    setting = Setting(
        door=bench.way_in(),
        course=bench.course,
        limits=bench.limits.of_a_box(bench.job_timeout_s),
        record=ways.record,
        seal=ways.seal,
        watch=ways.watch,
        isolation=ways.isolation,
        submitted=ways.handed_in,
        notebooks=ways.notebooks,
        # A kernel that starts anew lends nothing.
        cold=bench.cold and ways.isolation is None,
        deadline=time.monotonic() + bench.job_timeout_s,
        tell=lambda done, of: tell("running", done, of),
    )
    config = configuration(str(slot), scratch_book.URL, bench.cell_timeout_s)
    # Each step's notebook is checked once, after the last one: nine checks in ten are not needed.
    config.Exporter.optimistic_validation = True
    config.merge(type(config)({kind: dict(given) for kind, given in bench.options.items()}))
    stock = Autograde.autograde_preprocessors.default_args[0]
    ours = [execute_in(setting) if step is Execute else step for step in stock]
    config.Autograde.autograde_preprocessors = [*ours, _bounded()]
    outcome = convert(Autograde, config, job.assignments[0], job.learner)
    if ways.record.refused:
        raise SandboxError(ways.record.refused)
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
