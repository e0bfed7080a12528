"""Compare the grader with plain `nbgrader autograde`: 5 submissions of the real course.

Run it with `make bench-grade`. The last line is one JSON object. CPU seconds and the
ratio are comparable between machines; wall seconds only on an idle one.
"""

import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from bioskills.base.wire import Job
from bioskills.graders.engine import spare_imports
from bioskills.graders.grading import Bench, grade
from bioskills.graders.workshop import Workshop, stamp, submitted_folder

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "courses" / "sequences-first-steps"
ENVIRONMENTS = Path(os.environ.get("BIOSKILLS_TEST_ENVIRONMENTS", ROOT / ".bioskills" / "env"))
ASSIGNMENT, SUBMISSIONS = "p1", 5
MARKS = ("### BEGIN", "### END")


def answers() -> dict[str, str]:
    """Return the author's answers, by grade_id."""
    book = json.loads((COURSE / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text())
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: "\n".join(
            line
            for line in "".join(cell["source"]).splitlines()
            if not line.strip().startswith(MARKS)
        )
        for cell in book["cells"]
        if cell["metadata"]["nbgrader"]["solution"]
    }


def solve(release: Path, folder: Path) -> None:
    """Put a right hand-in into a folder."""
    shutil.copytree(release, folder, dirs_exist_ok=True)
    path, right = folder / f"{ASSIGNMENT}.ipynb", answers()
    book = json.loads(path.read_text())
    for cell in book["cells"]:
        cell["source"] = right.get(cell["metadata"]["nbgrader"]["grade_id"], cell["source"])
    path.write_text(json.dumps(book))


def measured(work: Callable[[], None]) -> dict[str, float]:
    """Return wall seconds and the CPU seconds of this process and everything it started."""
    before, began = cpu(), time.monotonic()
    work()
    return {"cpu_s": round(cpu() - before, 2), "wall_s": round(time.monotonic() - began, 2)}


def adopt() -> None:
    """Become the parent of orphans: bwrap ends without waiting for what it walled in."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, <linux/prctl.h>


def cpu() -> float:
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def ours(root: Path) -> Callable[[], None]:
    """Return the grading of all submissions through our seam, everything made ready."""
    shop = Workshop(root / "ours")
    shop.root.mkdir()
    with zipfile.ZipFile(root / "course.zip", "w") as archive:
        for file in sorted((COURSE / "assignments").rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(COURSE).as_posix())
    shop.take_sources(root / "course.zip")
    shop.ensure_pristine()
    bench = Bench(ENVIRONMENTS / "lab", ENVIRONMENTS / "course", 30, 300, "bench")

    def work() -> None:
        for number in range(SUBMISSIONS):
            about = {"id": number, "kind": "grade", "run": "bench", "course": COURSE.name}
            more = {"course_version": "1.0.0", "assignments": [ASSIGNMENT]}
            moment = {"learner": f"p-{number:06}", "submitted_at": datetime.now(UTC)}
            job = Job.model_validate({**about, **more, **moment})
            with shop.slot(job) as slot:
                solve(shop.root / "release" / ASSIGNMENT, submitted_folder(slot, job))
                stamp(submitted := slot / "submitted" / job.learner / ASSIGNMENT, job)
                assert submitted.is_dir()
                result = grade(job, slot, bench)
            assert all(cell.auto_points == cell.max_points for cell in result.cells), result

    return work


def stock(root: Path) -> Callable[[], None]:
    """Return `nbgrader autograde` over the same submissions in the same environments."""
    folder = Path(shutil.copytree(COURSE, root / "stock"))
    environ = {
        "PATH": f"{ENVIRONMENTS / 'lab' / 'bin'}:{os.environ['PATH']}",
        "HOME": str(root),
        "LANG": "C.UTF-8",
        "JUPYTER_PATH": str(ENVIRONMENTS / "course" / "share" / "jupyter"),
    }

    def run(verb: str) -> None:
        python = str(ENVIRONMENTS / "lab" / "bin" / "python")
        command = [python, "-m", "nbgrader", verb, ASSIGNMENT]
        subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True)

    run("generate_assignment")
    for number in range(SUBMISSIONS):
        solve(folder / "release" / ASSIGNMENT, folder / "submitted" / f"p-{number:06}" / ASSIGNMENT)
    return lambda: run("autograde")


def main() -> None:
    """Measure both, one after the other, and print the figures."""
    warnings.simplefilter("ignore")
    spare_imports()
    adopt()
    with tempfile.TemporaryDirectory(prefix="bench-grade-") as folder:
        found = {
            name: measured(make(Path(folder))) for name, make in (("ours", ours), ("stock", stock))
        }
    ratio = {key: round(found["stock"][key] / found["ours"][key], 2) for key in ("cpu_s", "wall_s")}
    load = {"load": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}
    sys.stdout.write(
        json.dumps({"submissions": SUBMISSIONS, **found, "ratio": ratio, **load}) + "\n"
    )


if __name__ == "__main__":
    main()
