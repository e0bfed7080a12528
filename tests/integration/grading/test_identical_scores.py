"""Every course in plain nbgrader and in our grader: the same scores, cell for cell.

Whole course folders: `nbgrader autograde` beside `bioskills grade folder`; every
score, comment, flag, penalty, timestamp and file. The demo course: the same
through the seam that the service uses.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bioskills_corpus_bio as bio
import bioskills_corpus_features as features
import bioskills_corpus_foreign as foreign
import pytest
import yaml
from bioskills_corpus import Corpus
from bioskills_corpus_files import FILES
from bioskills_stock import Difference, compared
from bioskills_stock import Stock as PlainNbgrader

from bioskills.base.wire import GradeResult

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

Scores = dict[str, tuple[float | None, float, bool]]
QUERY = """
select notebook.name || '/' || base_cell.name, grade.auto_score, grade_cells.max_score, grade.needs_manual_grade
from grade join grade_cells on grade.cell_id = grade_cells.id
join base_cell on base_cell.id = grade_cells.id
join submitted_notebook on grade.notebook_id = submitted_notebook.id
join notebook on submitted_notebook.notebook_id = notebook.id
join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
join assignment on submitted_assignment.assignment_id = assignment.id
where assignment.name = ? and submitted_assignment.student_id = ?
"""


class Stock:
    """The course folder as somebody opens it who has only nbgrader."""

    def __init__(self, root: Path, class_: Any) -> None:
        self.root = root
        self.lab = class_.bench.lab
        shutil.copytree(class_.course, root)
        course = class_.bench.course
        self.environ = {
            "PATH": f"{self.lab / 'bin'}:{os.environ['PATH']}",
            "HOME": str(root.parent),
            "LANG": "C.UTF-8",
            "JUPYTER_PATH": str(course / "share" / "jupyter"),
        }

    def run(self, *words: str) -> int:
        """Run an nbgrader command in the folder; return its exit status."""
        command = [str(self.lab / "bin" / "python"), "-m", "nbgrader", *words]
        done = subprocess.run(
            command, cwd=self.root, env=self.environ, capture_output=True, text=True
        )
        return done.returncode

    def hand_in(self, learner: str, assignment: str, files: Mapping[str, bytes]) -> None:
        folder = self.root / "submitted" / learner / assignment
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)

    def scores(self, learner: str, assignment: str) -> Scores:
        with sqlite3.connect(self.root / "gradebook.db") as database:
            rows = database.execute(QUERY, (assignment, learner)).fetchall()
        return {cell: (auto, most, bool(waits)) for cell, auto, most, waits in rows}


def ours(result: GradeResult) -> Scores:
    return {
        cell.cell: (
            None if cell.auto_points is None else float(cell.auto_points),
            float(cell.max_points),
            cell.needs_person,
        )
        for cell in result.cells
    }


def variant(class_: Any, assignment: str, name: str) -> dict[str, str]:
    path = class_.course / "variants" / assignment / f"{name}.yml"
    found = yaml.safe_load(path.read_text())
    return {found["cell"]: found["source"]}


def submissions(class_: Any, assignment: str, variants: list[str]) -> dict[str, dict[str, bytes]]:
    """Return hand-ins of every kind, by a learner's pseudonym."""
    right = class_.solution(assignment)
    first = next(iter(right))
    plots = "import matplotlib.pyplot as _p\n_p.plot([1, 2])\n_p.show()\n" + right[first]
    noisy = right[first].replace(
        "    return", "    import warnings; warnings.warn('look')\n    return"
    )
    answers = {
        "solution": right,
        "empty": {},
        **{name: right | variant(class_, assignment, name) for name in variants},
        "syntax-error": right | {first: "def broken(:\n    return 1"},
        "raises-at-import": right | {first: "import there_is_no_such_module"},
        "plots": right | {first: plots},
        "warns": right | {first: noisy},
    }
    found = {name: class_.work(assignment, given) for name, given in answers.items()}
    book = class_.book(assignment)
    keys = [cell["metadata"].get("nbgrader", {}) for cell in book["cells"]]
    at = next(place for place, key in enumerate(keys) if key.get("grade"))
    deleted = {**book, "cells": [cell for place, cell in enumerate(book["cells"]) if place != at]}
    found["deleted-test"] = class_.with_book(assignment, deleted)
    return found


@pytest.mark.parametrize(
    ("assignment", "variants"),
    [
        ("p1", ["counts-every-arrow", "pairs-four-capitals-only"]),
        pytest.param("s1", ["n-in-the-denominator", "path-without-quotes"], marks=pytest.mark.slow),
    ],
)
def test_plain_nbgrader_gives_the_same_scores(
    class_: Any, tmp_path: Path, assignment: str, variants: list[str]
) -> None:
    stock = Stock(tmp_path / "course", class_)
    assert stock.run("generate_assignment", assignment) == 0
    released = stock.root / "release" / assignment / f"{assignment}.ipynb"
    assert released.read_bytes() == class_.released(assignment)[f"{assignment}.ipynb"]
    given = submissions(class_, assignment, variants)
    for learner, files in given.items():
        stock.hand_in(learner, assignment, files)
    assert stock.run("autograde", assignment) == 0

    # Nothing put right: where stock grades with a loss, so does ours (`restore`, repaired hand-ins).
    bench = class_.quick(restore=False)
    found = {
        name: ours(class_.grade(assignment, files, name, bench)) for name, files in given.items()
    }

    assert found == {name: stock.scores(name, assignment) for name in given}
    assert all(auto == most for auto, most, waits in found["solution"].values() if not waits)
    assert all(not auto for auto, _most, _waits in found["empty"].values())
    assert len(found) >= 9


@pytest.fixture(scope="session")
def nbgrader(tmp_path_factory: pytest.TempPathFactory) -> PlainNbgrader:
    """Plain nbgrader, whose results are kept for the session."""
    return PlainNbgrader(tmp_path_factory.mktemp("home"))


def differing(
    nbgrader: PlainNbgrader, corpus: Corpus, folder: Path, at_once: int = 2
) -> Difference:
    """Grade a corpus with both; say on the screen what could not be compared."""
    found = compared(nbgrader.reference(corpus, folder), corpus, folder / "ours", at_once)
    print(f"{corpus.name}: {found.compared} facts, {found.scores} scores")
    print(f"differ between two runs of nbgrader: {found.unsteady}; lost by it: {found.lost}")
    return found


QUICK = {
    "nbgrader's own guide": (foreign.GUIDE, []),
    "files that code writes": (FILES, []),
}
SLOW = {
    "all kinds of output": (features.OUTPUTS, []),
    "points": (features.POINTS, ["points/over"]),
    "names, data, late work": (features.LESSONS, []),
    "older metadata": (features.SCHEMA, []),
    "nbgrader's autotests": (foreign.AUTOTESTS, []),
    "nbgrader's tests": (foreign.NBGRADER_TESTS, []),
    "Biopython, ordinary": (bio.corpus(bio.ORDINARY), []),
    "Biopython, a class": (bio.corpus(bio.mix(20)), []),
}


@pytest.mark.parametrize(
    ("corpus", "lost"),
    [
        *(pytest.param(*given, id=name) for name, given in QUICK.items()),
        *(pytest.param(*given, id=name, marks=pytest.mark.slow) for name, given in SLOW.items()),
    ],
)
def test_a_plain_course_folder_gets_what_nbgrader_gives_it(
    nbgrader: PlainNbgrader, corpus: Corpus, lost: list[str], tmp_path: Path
) -> None:
    found = differing(nbgrader, corpus, tmp_path)

    assert found.wrong == []
    assert (found.unsteady, found.lost) == ([], lost)
    assert found.scores > 0


@pytest.mark.slow
def test_a_course_of_another_author_gets_what_nbgrader_gives_it(
    nbgrader: PlainNbgrader, tmp_path: Path
) -> None:
    corpus = foreign.feedback_course(tmp_path)
    if corpus is None:
        pytest.skip("pip cannot bring the archive here")
    found = differing(nbgrader, corpus, tmp_path / "course")

    assert found.wrong == []
    assert (found.unsteady, found.lost) == ([], [])


@pytest.mark.slow
def test_three_runs_with_more_submissions_at_once_than_cores_change_no_score(
    nbgrader: PlainNbgrader, tmp_path: Path
) -> None:
    corpus = bio.corpus(bio.ORDINARY)
    reference = nbgrader.reference(corpus, tmp_path)
    found = [compared(reference, corpus, tmp_path / f"ours{n}", n) for n in (1, 4, 8)]

    assert [each.wrong for each in found] == [[], [], []]


@pytest.mark.slow
def test_dear_submissions_change_no_score_of_their_neighbours(
    nbgrader: PlainNbgrader, tmp_path: Path
) -> None:
    """A loop costs its own cell; a hog and a flood score as they do under nbgrader."""
    found = differing(nbgrader, bio.corpus(bio.mix(8, bio.DEAR)), tmp_path)

    assert found.wrong == []
