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

from bioskills.base.text import _
from bioskills.base.wire import CellScore, GradeResult, Job
from bioskills.graders import scratch_book
from bioskills.graders.box import Door
from bioskills.graders.engine import Outcome, configuration, convert
from bioskills.graders.odd_points import odd_points
from bioskills.graders.own_parent import own_door
from bioskills.graders.reading_back import (
    answers,
    failed_checks,
    notebooks_in,
    scores_sha256,
    sources_sha256,
    tree_sha256,
    why_no_points,
)
from bioskills.graders.sandbox import Limits, SandboxError
from bioskills.graders.sealing import Seal
from bioskills.graders.source_cells import source_cells

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
    """

    lab: Path
    course: Path
    cell_timeout_s: int
    job_timeout_s: int
    key: str
    limits: Limits = field(default_factory=Limits)
    door: Door | None = None
    cold: bool = False

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
    from bioskills.graders.executing import Record  # noqa: PLC0415 - imports nbgrader

    began, used, record = time.monotonic(), time.process_time(), Record()
    assignment = job.assignments[0]
    submitted = slot / "submitted" / job.learner / assignment
    books = notebooks_in(submitted)
    sources = source_cells(slot / "gradebook.db", assignment)
    seal = Seal(books, sources)
    with scratch_book.opened(slot / "gradebook.db") as gradebook:
        expected = scratch_book.notebooks_of(gradebook, assignment)
        outcome = _autograde(job, slot, bench, record=record, seal=seal, tell=tell)
        scores = (
            scratch_book.no_scores(gradebook, assignment)
            if outcome.error
            else scratch_book.scores_of(gradebook, assignment, job.learner)
        )
    graded = notebooks_in(slot / "autograded" / job.learner / assignment)
    cells = _with_checks(scores, graded, _known_checks(job.notes.get(assignment)))
    return GradeResult(
        verdict="needs_person" if outcome.error or record.ended else "graded",
        reason=_reason(outcome, record.ended, expected, submitted, books),
        cells=cells,
        answers={
            f"{name}/{key}": text
            for name, book in books.items()
            for key, text in answers(book).items()
        },
        notebook_sha256=tree_sha256(submitted),
        notebook_src_sha256=sources_sha256(books),
        cells_sha256=scores_sha256(cells),
        environment=bench.key,
        seconds=round(time.monotonic() - began, 2),
        parts={"cells": record.cpu_s, "grader": time.process_time() - used},
        flags=odd_points(cells, sources),
        shown=seal.shown(),
    )


def _autograde(
    job: Job, slot: Path, bench: Bench, *, record: Any, seal: Seal, tell: Tell
) -> Outcome:
    """Run nbgrader's own converter with its own steps; only the one that runs cells is ours."""
    from nbgrader.converters import Autograde  # noqa: PLC0415 - 1,300 modules
    from nbgrader.preprocessors import Execute  # noqa: PLC0415

    from bioskills.graders.executing import Setting, execute_in  # noqa: PLC0415

    setting = Setting(
        door=bench.way_in(),
        course=bench.course,
        limits=bench.limits.of_a_box(bench.job_timeout_s),
        record=record,
        seal=seal,
        submitted=slot / "submitted" / job.learner / job.assignments[0],
        cold=bench.cold,
        deadline=time.monotonic() + bench.job_timeout_s,
        tell=lambda done, of: tell("running", done, of),
    )
    config = configuration(str(slot), scratch_book.URL, bench.cell_timeout_s)
    stock = Autograde.autograde_preprocessors.default_args[0]
    ours = [execute_in(setting) if step is Execute else step for step in stock]
    config.Autograde.autograde_preprocessors = [*ours, _bounded()]
    outcome = convert(Autograde, config, job.assignments[0], job.learner)
    if record.refused:
        raise SandboxError(record.refused)
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


def _reason(
    outcome: Outcome,
    ended: Mapping[str, str],
    expected: Sequence[str],
    submitted: Path,
    books: Mapping[str, Any],
) -> str:
    """Return what learner and instructor read where the work was not graded as it came."""
    missing = [name for name in expected if not (submitted / f"{name}.ipynb").is_file()]
    if missing:
        return _(
            "The notebook {names} is not among the files that you handed in. Put your work into the notebook of that name and hand in again."
        ).format(names=", ".join(f"{name}.ipynb" for name in missing))
    if ended:
        return _ended(next(iter(ended.values())))
    if not outcome.error:
        return ""
    if outcome.error == "NoKernelError":
        return _(
            "This notebook asks for a kernel that is not installed here ({name}). A person looks at it."
        ).format(name=outcome.said)
    if set(expected) - books.keys():
        return _(
            "The notebook file cannot be read as a notebook. A person looks at it; opening it in JupyterLab and saving it again usually mends it."
        )
    return _(
        "The machine could not grade this notebook as it came, perhaps because a locked cell was copied, changed or removed. A person looks at it."
    )


def _ended(why: str) -> str:
    return {
        "late": _(
            "Your notebook did not finish in the time allowed. What ran before that counts; a person looks at the rest. Look for a loop that never ends."
        ),
        "flood": _(
            "Your notebook made more output than could be kept. What ran before that counts; a person looks at the rest. Look for a cell that prints too much."
        ),
    }.get(
        why,
        _(
            "While your notebook ran, Python itself ended: a cell called exit, or needed more memory than is allowed. What ran before that counts; a person looks at the rest."
        ),
    )


def _known_checks(notes: object) -> dict[str, set[str]]:
    cells = notes.get("cells", {}) if isinstance(notes, dict) else {}
    return {name: {check["id"] for check in body.get("checks", [])} for name, body in cells.items()}


def _with_checks(
    cells: list[dict[str, Any]], graded: Mapping[str, Any], notes: Mapping[str, set[str]]
) -> list[CellScore]:
    failed: dict[str, list[str]] = {}
    comments: dict[str, str] = {}
    for name, book in graded.items():
        failed |= {f"{name}/{cell}": ids for cell, ids in failed_checks(book, notes).items()}
        places = [cell["cell"].partition("/") for cell in cells]
        there = [cell for book_name, _slash, cell in places if book_name == name]
        comments |= {f"{name}/{cell}": text for cell, text in why_no_points(book, there).items()}
    return [
        CellScore.model_validate(
            {
                **cell,
                "failed_checks": failed.get(cell["cell"], []),
                "comment": comments.get(cell["cell"], ""),
            }
        )
        for cell in cells
    ]
