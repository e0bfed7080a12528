"""See, at a release, whether an assignment runs the same forked and in a new kernel.

Law: what is loaded before a kernel is forked may not change anybody's points.
The author's own solution is graded both ways, in boxes as everybody's work is;
where a cell's kinds of output, its standard error or a score differ, the modules
that are loaded before are refused for this assignment: it is graded in new
kernels from then on, and the instructor reads why.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bioskills.base.text import _
from bioskills.base.wire import GradeResult, Job
from bioskills.graders.grading import Bench, grade
from bioskills.graders.reading_back import notebooks_in
from bioskills.graders.workshop import Workshop, stamp, submitted_folder

AUTHOR = "author"
COLD = "cold.json"


def refused(root: Path) -> dict[str, str]:
    """Return the assignments of a run that are graded in new kernels, with the reason.

    Args:
        root: The run's folder.
    """
    path = root / COLD
    found: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def bench_for(root: Path, job: Job, bench: Bench) -> Bench:
    """Return the bench on which a hand-in of a run is graded.

    Args:
        root: The run's folder.
        job: The grading.
        bench: What this machine offers.
    """
    return replace(bench, cold=bench.cold or job.cold or job.assignments[0] in refused(root))


def check(shop: Workshop, job: Job, assignment: str, bench: Bench) -> str:
    """Grade the author's solution both ways; note and return why they differ, empty where not.

    Args:
        shop: The run's folder, with the assignment's gradebook made.
        job: The release.
        assignment: Which one.
        bench: What this machine offers.
    """
    warm, cold = (_graded(shop, job, assignment, replace(bench, cold=way)) for way in (False, True))
    reason = next(_differences(warm, cold), "")
    known = refused(shop.root)
    known.pop(assignment, None)
    if reason:
        known[assignment] = reason
    staged = shop.root / f".{COLD}.new"
    staged.write_text(json.dumps(known), encoding="utf-8")
    staged.rename(shop.root / COLD)
    return reason


Graded = tuple[GradeResult, dict[str, dict[str, Any]]]


def _graded(shop: Workshop, job: Job, assignment: str, bench: Bench) -> Graded:
    work = job.model_copy(
        update={"kind": "grade", "assignments": [assignment], "learner": AUTHOR, "notes": {}}
    )
    with shop.slot(work) as slot:
        folder = submitted_folder(slot, work)
        shutil.copytree(shop.root / "source" / assignment, folder, dirs_exist_ok=True)
        stamp(folder, work)
        result = grade(work, slot, bench)
        return result, notebooks_in(slot / "autograded" / AUTHOR / assignment)


def _differences(warm: Graded, cold: Graded) -> Iterator[str]:
    """Yield a sentence for each difference, first what weighs most."""
    points = [{c.cell: c.auto_points for c in result.cells} for result, _books in (warm, cold)]
    for cell, mine in points[0].items():
        if mine != points[1].get(cell):
            yield _(
                "{cell}: {a} points with modules loaded before, {b} in a new kernel. This assignment is graded in new kernels."
            ).format(cell=cell, a=mine, b=points[1].get(cell))
    for name, book in warm[1].items():
        other = cold[1].get(name, {"cells": []})
        for number, (mine, theirs) in enumerate(zip_longest(book["cells"], other["cells"]), 1):
            if _kinds(mine) != _kinds(theirs):
                yield _(
                    "{name}.ipynb, cell {n}: other kinds of output with modules loaded before ({a}) than in a new kernel ({b}). This assignment is graded in new kernels."
                ).format(name=name, n=number, a=_told(mine), b=_told(theirs))


def _kinds(cell: dict[str, Any] | None) -> list[str]:
    """Return the kinds of a cell's outputs, streams that follow each other as one."""
    found: list[str] = []
    for output in (cell or {}).get("outputs", ()):
        kind = str(output.get("name") or output.get("ename") or output.get("output_type"))
        if kind not in found[-1:]:
            found.append(kind)
    return sorted(found)


def _told(cell: dict[str, Any] | None) -> str:
    return ", ".join(_kinds(cell)) or _("none")
