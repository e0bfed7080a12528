"""Grade one submission: `grade(job) -> result`.

Law: every submission ends with a verdict and a reason in plain words. What
cannot be run asks for a person, never a missing row. What fails before any
learner's code ran is this machine's fault: it is an error, tried again.

The first form does not stop learner code from reading the test that runs in
its own interpreter, from patching that interpreter so that a test passes, or
from speaking to the kernel's own sockets; it reaches no other submission, no
gradebook, no token and no score but its own.
"""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioskills.base.text import _
from bioskills.base.wire import CellScore, GradeResult, Job
from bioskills.graders import showing
from bioskills.graders.odd_points import odd_points
from bioskills.graders.reading_back import (
    answers,
    failed_checks,
    notebook,
    notebooks_in,
    scores_sha256,
    sources_sha256,
    tree_sha256,
    why_no_points,
)
from bioskills.graders.sandbox import SLOT, Ended, Limits, SandboxError, run_walled, walls
from bioskills.graders.source_cells import source_cells

WORKER = ("-I", "-m", "bioskills.graders.slot_worker")


@dataclass(frozen=True)
class Bench:
    """What grading needs of this machine.

    Attributes:
        lab: The environment with nbgrader.
        course: The environment with the kernel.
        cell_timeout_s: Wall seconds one cell may run.
        job_timeout_s: Wall seconds one submission may take.
        key: Names the environments' content; stored with each result.
        limits: What one submission may use.
    """

    lab: Path
    course: Path
    cell_timeout_s: int
    job_timeout_s: int
    key: str
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class _Answer:
    """What the worker said, read as data.

    Attributes:
        expected: The assignment's notebooks; None where it never became ready.
        error: What stopped nbgrader; empty when every notebook was graded.
        begun: Whether a learner's code may have run.
        cells: Grade cells as the gradebook holds them.
        books: Graded notebooks, as text.
    """

    expected: list[str] | None = None
    error: str = "no answer"
    begun: bool = True
    cells: list[dict[str, Any]] = field(default_factory=list)
    books: dict[str, str] = field(default_factory=dict)


def grade(job: Job, slot: Path, bench: Bench) -> GradeResult:
    """Run nbgrader's autograder behind walls and return scores, checks and hashes.

    Args:
        job: What to grade.
        slot: A folder with `submitted/`, `source/` (data files) and `gradebook.db`;
            `autograded/` is added.
        bench: What this machine offers.

    Raises:
        SandboxError: Grading does not work on this machine, whatever was handed in.
    """
    began = time.monotonic()
    _need_kernels(bench.course)
    assignment = job.assignments[0]
    submitted = slot / "submitted" / job.learner / assignment
    ended = run_walled(
        [*_walls(slot, bench), *_command(job, bench)],
        (slot / "gradebook.db").read_bytes(),
        bench.job_timeout_s,
    )
    found = _read(ended)
    _blame_the_machine(ended, found)
    books = notebooks_in(submitted)
    graded = _keep(job, slot, found.books)
    cells = _with_checks(found.cells, graded, _known_checks(job.notes.get(assignment)))
    sources = source_cells(slot / "gradebook.db", assignment)
    return GradeResult(
        verdict="needs_person" if found.error else "graded",
        reason=_reason(ended, found, submitted, books),
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
        flags=odd_points(cells, sources),
        shown=showing.shown(graded, books, sources),
    )


def _need_kernels(course: Path) -> None:
    """Raise where the course environment has no kernel: Jupyter would take the lab's own instead."""
    if not any((course / "share" / "jupyter" / "kernels").glob("*/kernel.json")):
        raise SandboxError(
            _("The course environment {path} has no kernel. Run: make setup").format(path=course)
        )


def _walls(slot: Path, bench: Bench) -> list[str]:
    given = {name: slot / name for name in ("submitted", "source")}
    return walls(given, [bench.lab, bench.course], _variables(bench), bench.limits)


def _command(job: Job, bench: Bench) -> list[str]:
    python = str(bench.lab / "bin" / "python")
    return [python, *WORKER, job.assignments[0], job.learner, str(bench.cell_timeout_s)]


def _variables(bench: Bench) -> dict[str, str]:
    return {
        "HOME": f"{SLOT}/home",
        "TMPDIR": f"{SLOT}/tmp",
        "PATH": f"{bench.course / 'bin'}:{bench.lab / 'bin'}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "JUPYTER_PATH": str(bench.course / "share" / "jupyter"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_RUNTIME_DIR": f"{SLOT}/tmp/run",
        "PYTHONNOUSERSITE": "1",
        # One thread each: address space and run time depend on no machine's number of cores.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _read(ended: Ended) -> _Answer:
    """Read the worker's two lines; whatever is wrong with one means that it did not come."""
    ready, _end, last = ended.answer.partition(b"\n")
    try:
        names = [str(name) for name in json.loads(ready)["ready"]]
    except (ValueError, KeyError, TypeError):
        return _Answer()
    try:
        said = json.loads(last)
        return _Answer(names, said["error"], said["begun"], said["cells"], said["notebooks"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return _Answer(names)


def _blame_the_machine(ended: Ended, found: _Answer) -> None:
    """Raise where nothing of the learner's can be the cause."""
    if found.expected is None:
        said = ended.output.strip().splitlines() or [_("it took too long to start")]
        raise SandboxError(_("Grading did not begin: {reason}").format(reason=said[-1]))
    # nbclient raises exactly this where a kernel never answered, before any cell was run.
    if found.error == "NoSuchKernel" or (found.error == "RuntimeError" and found.begun):
        raise SandboxError(_("The kernel of the course environment did not start."))


def _reason(ended: Ended, found: _Answer, submitted: Path, books: Mapping[str, Any]) -> str:
    missing = [n for n in found.expected or [] if not (submitted / f"{n}.ipynb").is_file()]
    if missing:
        return _(
            "The notebook {names} is not among the files that you handed in. Put your work into the notebook of that name and hand in again."
        ).format(names=", ".join(f"{name}.ipynb" for name in missing))
    if not found.error:
        return ""
    if set(found.expected or []) - books.keys():
        return _(
            "The notebook file cannot be read as a notebook. A person looks at it; opening it in JupyterLab and saving it again usually mends it."
        )
    if ended.timed_out:
        return _(
            "Your notebook did not finish in the time allowed, so nobody could score it by machine. A person looks at it."
        )
    return _reasons().get(found.error) or _(
        "The machine could not grade this notebook as it came, perhaps because a locked cell was copied, changed or removed. A person looks at it."
    )


def _reasons() -> dict[str, str]:
    stuck = _(
        "A cell of your notebook could not be stopped when its time was over, or printed more than could be read. A person looks at it; look for a loop that never ends or prints too much."
    )
    ended = _(
        "While your notebook ran, Python itself ended: a cell called exit, or needed more memory than is allowed. A person looks at it."
    )
    too_much = _(
        "Your notebook made more output than could be kept, so nobody could score it by machine. A person looks at it; look for a cell that prints too much."
    )
    return {
        "DeadKernelError": ended,
        "UnresponsiveKernelError": stuck,
        "CellTimeoutError": stuck,
        "TimeoutError": stuck,
        "MemoryError": too_much,
        "no answer": too_much,
    }


def _keep(job: Job, slot: Path, books: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Make the `autograded` folder as nbgrader does; return the notebooks in it."""
    texts = {name: text for name, text in books.items() if text}
    if not texts:
        return {}
    about = (job.learner, job.assignments[0])
    folder = slot.joinpath("autograded", *about)
    shutil.copytree(slot.joinpath("submitted", *about), folder)
    shutil.copytree(slot / "source" / job.assignments[0], folder, dirs_exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8", errors="replace")
    return {name: book for name, text in texts.items() if (book := notebook(text))}


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
