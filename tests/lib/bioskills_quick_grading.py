"""A grading that costs nothing, for tests of what stands around it: no walls, no kernel.

Every cell of the assignment gets the points that the hand-in's text asks for, so that a
test can tell one grading from another.
"""

import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path

from bioskills.base.wire import CellScore, GradeResult
from bioskills.graders.executors import KEPT, Order
from bioskills.graders.grading import Bench
from bioskills.graders.hand import Tell
from bioskills.graders.intake import unpack
from bioskills.graders.workshop import Workshop, stamp, submitted_folder

CELLS = """
    select notebook.name || '/' || base_cell.name, grade_cells.max_score, grade_cells.cell_type
    from grade_cells join base_cell on base_cell.id = grade_cells.id
    join notebook on notebook.id = base_cell.notebook_id
    join assignment on assignment.id = notebook.assignment_id where assignment.name = ?
"""


def grade_quickly(order: Order, bench: Bench, tell: Tell) -> GradeResult:
    """Grade without running anything.

    A file `pace.txt` says how many seconds it takes; `deadly.txt` names a file in which this
    process notes that it was here, and how often it then ends itself.
    """
    assignment = order.job.assignments[0]
    Workshop(order.shop).lay_out(assignment, order.slot)
    folder = submitted_folder(order.slot, order.job)
    unpack(order.tar, folder)
    stamp(folder, order.job)
    _perhaps_die(folder / "deadly.txt")
    pace = folder / "pace.txt"
    for part in range(int(pace.read_text()) * 10 if pace.exists() else 0):
        tell("running", part, 100)
        time.sleep(0.1)
    for kind in KEPT:
        shutil.copytree(folder, order.kept(kind))
    with sqlite3.connect(order.slot / "gradebook.db") as pristine:
        rows = pristine.execute(CELLS, (assignment,)).fetchall()
    cells = [
        CellScore(
            cell=name,
            max_points=f"{most:g}",
            auto_points=None if kind == "markdown" else f"{most:g}",
            needs_person=kind == "markdown",
        )
        for name, most, kind in rows
    ]
    return GradeResult(
        verdict="graded", cells=cells, environment=bench.key, notebook_sha256="a" * 64
    )


def _perhaps_die(order: Path) -> None:
    if not order.exists():
        return
    note, _space, times = order.read_text().partition(" ")
    with Path(note).open("a+b") as file:
        if file.tell() < int(times):
            file.write(b".")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
