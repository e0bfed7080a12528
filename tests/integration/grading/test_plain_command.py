"""`nbgrader autograde`, the stock command, in a folder that was made ready for our boxes."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from bioskills_product import ENVIRONMENTS
from bioskills_tests import COURSE

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        find_spec("bioskills.graders.executing") is None, reason="BoxExecute is not there yet"
    ),
]
PEEP = "import os\nprint('inside', os.path.exists('../../../source'), os.getuid())\n"


def nbgrader(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    lab = ENVIRONMENTS / "lab" / "bin"
    environ = {
        **os.environ,
        "PATH": f"{lab}:/usr/bin:/bin",
        "JUPYTER_PATH": str(ENVIRONMENTS / "course/share/jupyter"),
    }
    return subprocess.run(
        [str(lab / "nbgrader"), *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def handed_in(folder: Path, extra: str, at: int) -> None:
    """Make a folder of the first course's p1 ready, with one hand-in that holds a cell more."""
    shutil.copytree(COURSE / "assignments", folder / "source")
    command = [str(ENVIRONMENTS / "lab/bin/bioskills"), "course", "nbgrader-config", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    made = nbgrader(folder, "generate_assignment", "p1")
    assert made.returncode == 0, made.stderr
    submitted = folder / "submitted" / "lea" / "p1"
    shutil.copytree(folder / "release" / "p1", submitted)
    book = json.loads((submitted / "p1.ipynb").read_text())
    cell = {"cell_type": "code", "id": "peep", "metadata": {}, "outputs": []}
    book["cells"].insert(at, {**cell, "execution_count": None, "source": extra})
    (submitted / "p1.ipynb").write_text(json.dumps(book))


def test_it_grades_in_a_box(tmp_path: Path) -> None:
    handed_in(tmp_path, PEEP, at=1000)

    done = nbgrader(tmp_path, "autograde", "p1")

    assert done.returncode == 0, done.stderr
    graded = json.loads((tmp_path / "autograded/lea/p1/p1.ipynb").read_text())
    said = json.dumps([cell.get("outputs") for cell in graded["cells"]])
    assert f"inside False {os.getuid()}" not in said
    assert "inside False" in said
    with closing(sqlite3.connect(tmp_path / "gradebook.db")) as database:
        scores = database.execute("select auto_score from grade").fetchall()
    assert len(scores) == 3


def test_tests_that_were_not_run_wait_for_a_person(tmp_path: Path) -> None:
    handed_in(tmp_path, "import os\nos._exit(1)\n", at=0)

    done = nbgrader(tmp_path, "autograde", "p1")

    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "gradebook.db")) as database:
        rows = database.execute("select auto_score, needs_manual_grade from grade").fetchall()
    assert len(rows) == 3
    assert all(waits for _score, waits in rows), rows
    assert sum(score or 0 for score, _waits in rows) == 0
