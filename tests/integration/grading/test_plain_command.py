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


def test_it_grades_in_a_box(tmp_path: Path) -> None:
    shutil.copytree(COURSE / "assignments", tmp_path / "source")
    command = [str(ENVIRONMENTS / "lab/bin/bioskills"), "course", "nbgrader-config", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    made = nbgrader(tmp_path, "generate_assignment", "p1")
    assert made.returncode == 0, made.stderr
    submitted = tmp_path / "submitted" / "lea" / "p1"
    shutil.copytree(tmp_path / "release" / "p1", submitted)
    book = json.loads((submitted / "p1.ipynb").read_text())
    peep = {"cell_type": "code", "id": "peep", "metadata": {}, "outputs": []}
    book["cells"].append({**peep, "execution_count": None, "source": PEEP})
    (submitted / "p1.ipynb").write_text(json.dumps(book))

    done = nbgrader(tmp_path, "autograde", "p1")

    assert done.returncode == 0, done.stderr
    graded = json.loads((tmp_path / "autograded/lea/p1/p1.ipynb").read_text())
    said = json.dumps([cell.get("outputs") for cell in graded["cells"]])
    assert f"inside False {os.getuid()}" not in said
    assert "inside False" in said
    with closing(sqlite3.connect(tmp_path / "gradebook.db")) as database:
        scores = database.execute("select auto_score from grade").fetchall()
    assert len(scores) == 3
