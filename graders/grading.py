"""Grade one submission: `grade(job) -> result`.

Law: every submission ends with a verdict and a reason in plain words. What
cannot be run gets 0 automatic points and `needs_person`, never a missing row.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioskills.base.text import _
from bioskills.base.wire import CellScore, GradeResult, Job
from bioskills.competence.hashes import NotANotebookError, cells_sha256, notebook_src_sha256
from bioskills.competence.scores import GradeCell
from bioskills.graders.reading_back import answers, failed_checks, notebooks_in, stopped_by
from bioskills.graders.sandbox import SLOT, Ended, run_walled, walls
from bioskills.graders.slot_worker import RESULT

RESULT_BYTES = 4_000_000


@dataclass(frozen=True)
class Bench:
    """What grading needs of this machine.

    Attributes:
        lab: The environment with nbgrader.
        course: The environment with the kernel.
        cell_timeout_s: Wall seconds one cell may run.
        job_timeout_s: Wall seconds one submission may take.
        key: Names the environments' content; stored with each result.
    """

    lab: Path
    course: Path
    cell_timeout_s: int
    job_timeout_s: int
    key: str


def grade(job: Job, slot: Path, bench: Bench) -> GradeResult:
    """Run nbgrader's autograder on the slot and return scores, checks and hashes."""
    began = time.monotonic()
    assignment, submitted = (
        job.assignments[0],
        slot / "submitted" / job.learner / job.assignments[0],
    )
    ended = run_walled(_command(job, slot, bench), _environment(bench), bench.job_timeout_s)
    found = _answer(slot)
    books = notebooks_in(submitted)
    notes = _known_checks(job.notes.get(assignment))
    graded = notebooks_in(slot / "autograded" / job.learner / assignment)
    reason = "" if found.get("success") else _reason(ended, submitted, books)
    cells = _with_checks(found.get("cells") or [], graded, notes)
    return GradeResult(
        verdict="graded" if found.get("success") else "needs_person",
        reason=reason,
        cells=cells,
        answers={
            f"{name}/{key}": text
            for name, book in books.items()
            for key, text in answers(book).items()
        },
        **_hashes(submitted, books, cells),
        environment=bench.key,
        seconds=round(time.monotonic() - began, 2),
    )


def _command(job: Job, slot: Path, bench: Bench) -> list[str]:
    python = str(bench.lab / "bin" / "python")
    worker = (python, "-I", "-m", "bioskills.graders.slot_worker")
    return [
        *walls(slot, [bench.lab, bench.course]),
        *worker,
        job.assignments[0],
        job.learner,
        str(bench.cell_timeout_s),
    ]


def _environment(bench: Bench) -> dict[str, str]:
    # HOME in the slot: ipc sockets and settings of the kernel belong to this one grading.
    return {
        "HOME": f"{SLOT}/home",
        "PATH": f"{bench.course / 'bin'}:{bench.lab / 'bin'}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "JUPYTER_PATH": str(bench.course / "share" / "jupyter"),
        "JUPYTER_RUNTIME_DIR": "/tmp/run",  # noqa: S108 - inside the sandbox
        "PYTHONNOUSERSITE": "1",
        "MPLBACKEND": "agg",
    }


def _answer(slot: Path) -> dict[str, Any]:
    """Read the worker's answer as data: whatever is wrong with it means none."""
    try:
        handle = os.open(slot / RESULT, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            found = json.loads(file.read(RESULT_BYTES))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _reason(ended: Ended, submitted: Path, books: Mapping[str, Any]) -> str:
    if ended.timed_out:
        return _(
            "Your notebook did not finish in the time allowed, so nobody could score it by machine. A person looks at it."
        )
    names = {path.stem for path in submitted.glob("*.ipynb")}
    if names - books.keys():
        return _(
            "The notebook file cannot be read as a notebook. A person looks at it; opening it in JupyterLab and saving it again usually mends it."
        )
    return _(
        "The machine could not grade this notebook as it came, perhaps because a locked cell was copied or removed. A person looks at it."
    )


def _known_checks(notes: object) -> dict[str, set[str]]:
    cells = notes.get("cells", {}) if isinstance(notes, dict) else {}
    return {name: {check["id"] for check in body.get("checks", [])} for name, body in cells.items()}


def _with_checks(
    cells: list[dict[str, Any]], graded: Mapping[str, Any], notes: Mapping[str, set[str]]
) -> list[CellScore]:
    failed = {
        f"{name}/{cell}": ids
        for name, book in graded.items()
        for cell, ids in failed_checks(book, notes).items()
    }
    stopped = {
        f"{name}/{cell}": text
        for name, book in graded.items()
        for cell, text in stopped_by(book).items()
    }
    return [
        CellScore.model_validate(
            {
                **cell,
                "failed_checks": failed.get(cell["cell"], []),
                "comment": stopped.get(cell["cell"], ""),
            }
        )
        for cell in cells
    ]


def _hashes(submitted: Path, books: Mapping[str, Any], cells: list[CellScore]) -> dict[str, str]:
    return {
        "notebook_sha256": _files_sha256(submitted),
        "notebook_src_sha256": _sources_sha256(books),
        "cells_sha256": cells_sha256([_row(cell) for cell in cells]),
    }


def _files_sha256(submitted: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(submitted.glob("*.ipynb")):
        if path.is_file() and not path.is_symlink():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources_sha256(books: Mapping[str, Any]) -> str:
    for book in books.values():
        try:
            return notebook_src_sha256(book)
        except NotANotebookError:
            continue
    return ""


def _row(cell: CellScore) -> GradeCell:
    return GradeCell(
        name=cell.cell,
        cell_type=cell.cell_type,
        max_score=cell.max_points,
        auto_score=cell.auto_points,
        manual_score=cell.manual_points,
        extra_credit=cell.extra_credit,
        needs_manual_grade=cell.needs_person,
    )
