"""Grade one batch on both sides: `nbgrader autograde` and `bioskills grade folder`.

Law: both grade copies of one folder, one after the other. Each side lives in a
control group of its own, whose CPU seconds miss no process. What the learners' cells
cost by themselves is measured apart, in a warm interpreter without nbgrader.
"""

import json
import os
import platform
import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bioskills_corpus_bio as bio
from bioskills_product import ENVIRONMENTS
from bioskills_stock import Reference, Standing, Stock, differences, ours, standing
from census import weigh
from cpu import PROC, Account, machine_s, new_account

LOOK_S = 0.5
WORKER = Path(__file__).with_name("own_cells.py")
Row = dict[str, Any]


@dataclass
class Watch:
    """What one side used while a block ran."""

    account: Account
    wall_s: float = 0.0
    cpu_s: float = 0.0
    others_s: float = 0.0
    peak_mb: float = 0.0
    load: float = field(default_factory=lambda: os.getloadavg()[0])
    left_alive: int = 0

    def row(self) -> Row:
        """Return the figures."""
        return {
            "wall_s": round(self.wall_s, 2),
            "cpu_s": round(self.cpu_s, 2),
            "peak_mb": round(self.peak_mb),
            "foreign_cores": round(self.others_s / max(self.wall_s, 0.01), 2),
            "load_before": round(self.load, 2),
            "counted": self.account.how,
            "left_alive": self.left_alive,
        }


@contextmanager
def watched(name: str) -> Iterator[Watch]:
    """Count everything that is started inside the block."""
    watch, done = Watch(new_account(name)), threading.Event()
    # The looking thread stays outside of the group: it is not part of what it looks at.
    looking = threading.Thread(target=_look, args=(watch, done))
    looking.start()
    began, before, machine = time.monotonic(), watch.account.total_s(), machine_s()
    try:
        with watch.account.entered():
            yield watch
    finally:
        watch.wall_s = time.monotonic() - began
        watch.cpu_s = watch.account.total_s() - before
        watch.others_s = max(machine_s() - machine - watch.cpu_s, 0)
        done.set()
        looking.join()
        watch.left_alive = watch.account.close()


def _look(watch: Watch, done: threading.Event) -> None:
    while not done.wait(LOOK_S):
        pids = watch.account.pids() - {os.getpid()}
        watch.peak_mb = max(watch.peak_mb, weigh(pids).pss)


@dataclass(frozen=True)
class Batch:
    """One set of submissions.

    Attributes:
        name: As the table names it.
        kinds: The submissions.
        with_stock: Whether plain nbgrader grades it, too.
        at_once: Submissions that ours grades at one time.
        repeat: Rounds of ours.
    """

    name: str
    kinds: Sequence[str]
    with_stock: bool
    at_once: int
    repeat: int

    def run(self, scratch: Path) -> Iterator[Row]:
        """Yield a row for each side and round."""
        folder = scratch / self.name.replace(" ", "-")
        stock = Stock(scratch)
        stock.build(bio.corpus(self.kinds), folder / "handed-in")
        reference = None
        if self.with_stock:
            row, reference = self._stock(stock, folder)
            yield row
        for number in range(self.repeat):
            yield self._ours(folder, number, reference)
        shutil.rmtree(folder, ignore_errors=True)

    def _stock(self, stock: Stock, folder: Path) -> tuple[Row, Reference]:
        root = Path(shutil.copytree(folder / "handed-in", folder / "stock"))
        with watched(f"stock-{len(self.kinds)}") as watch:
            stock.run(root, "autograde", bio.ASSIGNMENT)
        graded = standing(root, [bio.ASSIGNMENT])
        students = sorted(path.name for path in (root / "submitted").iterdir())
        lost = [name for name in students if not (root / "autograded" / name).is_dir()]
        row = self._row("stock", watch, len(students) - len(lost))
        row["right_full"] = self._right_full(graded)
        row["own_cells_s"] = own_cells(root, self.kinds)
        row["lost"] = lost
        named = [f"{bio.ASSIGNMENT}/{name}" for name in lost]
        return row, Reference(folder / "handed-in", graded, [], named)

    def _ours(self, folder: Path, number: int, reference: Reference | None) -> Row:
        root = Path(shutil.copytree(folder / "handed-in", folder / f"ours{number}"))
        with watched(f"ours-{len(self.kinds)}") as watch:
            done = ours(root, bio.ASSIGNMENT, root / "scores.csv", at_once=self.at_once)
        notes = root / ".bioskills" / "graded" / f"{bio.ASSIGNMENT}.json"
        found = json.loads(notes.read_text()) if notes.exists() else {}
        verdicts = [given["verdict"] for given in found.values()]
        row = self._row("ours", watch, len(verdicts))
        row |= {"needs_person": verdicts.count("needs_person"), "said": done.stdout[-1500:]}
        graded = standing(root, [bio.ASSIGNMENT])
        row["right_full"] = self._right_full(graded)
        row["parts_s"] = mean_parts([given["parts"] for given in found.values()])
        row["own_cells_s"] = own_cells(root, self.kinds)
        if reference:
            gap = differences(reference, graded, "")
            row |= {"scores": gap.scores, "facts": gap.compared, "differ": gap.wrong[:20]}
            row["identical"] = gap.compared - len(gap.wrong)
        return row

    def _right_full(self, graded: Standing) -> str:
        """Say how many right answers have all points, whatever their neighbours did."""
        right = [f"s{number:03}" for number, kind in enumerate(self.kinds) if kind == "right"]
        full = sum(
            all(
                graded.get(f"{bio.ASSIGNMENT}/{student}/{bio.NOTEBOOK}/{test} auto_score") == points
                for test, points in bio.TESTS.items()
            )
            for student in right
        )
        return f"{full} of {len(right)}"

    def _row(self, side: str, watch: Watch, verdicts: int) -> Row:
        count = len(self.kinds)
        found = watch.row()
        return {
            "side": side,
            "batch": self.name,
            "n": count,
            "verdicts": verdicts,
            "cpu_s_each": round(watch.cpu_s / count, 3),
            "per_minute": round(count / watch.wall_s * 60, 1),
            **found,
        }


def own_cells(root: Path, kinds: Sequence[str]) -> float | None:
    """Return the CPU seconds of one ordinary submission's cells, run by themselves."""
    books = [
        root / "autograded" / f"s{number:03}" / bio.ASSIGNMENT / f"{bio.NOTEBOOK}.ipynb"
        for number, kind in enumerate(kinds)
        if kind in bio.ORDINARY
    ][:20]
    python = ENVIRONMENTS / "course" / "bin" / "python"
    there = [str(book) for book in books if book.exists()]
    done = subprocess.run(
        [str(python), "-I", str(WORKER), *there], capture_output=True, text=True, cwd=root
    )
    try:
        return round(statistics.mean(json.loads(done.stdout.splitlines()[-1])), 3)
    except (ValueError, IndexError, statistics.StatisticsError):
        return None


def mean_parts(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean CPU seconds of each part."""
    names = {name for parts in found for name in parts}
    return {
        name: round(statistics.mean(parts.get(name, 0) for parts in found), 4)
        for name in sorted(names)
    }


def conditions() -> Row:
    """Return what the figures were taken on."""
    memory = (PROC / "meminfo").read_text().split("\n")[0].split()[1]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory) / 2**20, 1),
        "kernel": "Linux " + ".".join(platform.release().split(".")[:2]),
        "python": platform.python_version(),
        "root": os.geteuid() == 0,
    }
