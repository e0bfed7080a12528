"""A course of one tiny notebook, as plain nbgrader makes and grades it.

Two answers with tests, a locked cell that they need, a written answer, an
answer in code that a person grades, and a task. A run takes about a second.
"""

import copy
import json
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

from bioskills.graders.engine import COURSE, configuration, convert, ensure_gradebook
from bioskills.graders.repair import Expected, SourceCell
from bioskills.graders.repair.sources import expected_of

ASSIGNMENT, LEARNER, NOTEBOOK = "a1", "p-1", "sums"
FILE = f"{NOTEBOOK}.ipynb"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
Book = dict[str, Any]
Scores = dict[str, tuple[float | None, bool, str | None]]
"""By grade_id: points by machine, whether a person must look, nbgrader's own comment."""

_MARKED = re.compile(r"(?s)[ ]*### BEGIN.*?### END (?:SOLUTION|HIDDEN TESTS)")
ADD = "def add(a, b):\n    return a + b"
MULTIPLY = "def multiply(a, b):\n    return a * b"


def _cell(kind: str, number: int, source: str, **flags: Any) -> Book:
    names = ("grade", "solution", "locked", "task")
    marks = {"schema_version": 3, **dict.fromkeys(names, False), **flags}
    cell: Book = {"cell_type": kind, "id": f"c{number}", "source": source}
    cell["metadata"] = {"nbgrader": marks} if flags else {}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _answer(source: str) -> str:
    head, body = source.split("\n", 1)
    return f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"


def _test(visible: str, hidden: str) -> str:
    return f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"


def source_book() -> Book:
    """Return the instructor's notebook."""
    add = _test("assert add(1, 2) == 3", "assert add(-1, BASE) == 9")
    multiply = _test("assert multiply(2, 2) == 4", "assert multiply(3, BASE) == 30")
    cells = [
        _cell("markdown", 0, "# Sums"),
        _cell("code", 1, "BASE = 10", grade_id="setup", locked=True),
        _cell("code", 2, _answer(ADD), grade_id="add_answer", solution=True),
        _cell("code", 3, add, grade_id="add", grade=True, locked=True, points=2),
        _cell("code", 4, _answer(MULTIPLY), grade_id="multiply_answer", solution=True),
        _cell("code", 5, multiply, grade_id="multiply", grade=True, locked=True, points=3),
        _cell("markdown", 6, "Why?", grade_id="why", grade=True, solution=True, points=5),
        _cell("code", 7, "# draw", grade_id="draw", grade=True, solution=True, points=2),
        _cell("markdown", 8, "Your own case.", grade_id="case", task=True, locked=True, points=4),
    ]
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def released_book() -> Book:
    """Return the notebook as a learner gets it; nbgrader's own is the same but for checksums."""
    book = source_book()
    for cell in book["cells"]:
        cell["source"] = _MARKED.sub("", cell["source"]).replace("\n\n", "\n").strip("\n")
    return book


def expected(*, released: bool = True) -> Expected:
    """Return the notebook as the gradebook holds it, made without nbgrader."""
    cells = []
    for source, cell in zip(source_book()["cells"], released_book()["cells"], strict=True):
        marks = source["metadata"].get("nbgrader")
        if marks:
            flags = {flag: marks[flag] for flag in ("locked", "grade", "solution", "task")}
            text = source["source"] if marks["grade"] else cell["source"]
            points, checksum = marks.get("points"), "0" * 32
            cells.append(
                SourceCell(
                    marks["grade_id"],
                    source["cell_type"],
                    text,
                    points=points,
                    checksum=checksum,
                    **flags,
                )
            )
    return Expected(tuple(cells), KERNEL, packed(released_book()) if released else b"")


def by(book: Book, name: str) -> Book:
    """Return the cell of a grade_id."""
    cells: list[Book] = book["cells"]
    return next(c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def packed(book: Any) -> bytes:
    """Return a notebook as a file."""
    return json.dumps(book).encode()


class Tiny:
    """The course's folder, with its assignment released."""

    def __init__(self, root: Path) -> None:
        from nbgrader.api import Gradebook  # noqa: PLC0415 - 1,300 modules
        from nbgrader.converters import GenerateAssignment  # noqa: PLC0415

        self.root = root
        self.url = f"sqlite:///{root / 'gradebook.db'}"
        source = root / "source" / ASSIGNMENT
        source.mkdir(parents=True)
        (source / FILE).write_bytes(packed(source_book()))
        ensure_gradebook(self.url)
        config = configuration(str(root), self.url)
        config.GenerateAssignment.create_assignment = True
        with warnings.catch_warnings(action="ignore"):
            assert convert(GenerateAssignment, config, ASSIGNMENT).error == ""
        self.released = (root / "release" / ASSIGNMENT / FILE).read_bytes()
        self.pristine = (root / "gradebook.db").read_bytes()
        with Gradebook(self.url, COURSE) as gradebook:
            self.bare = expected_of(gradebook, ASSIGNMENT)
            self.expected = expected_of(gradebook, ASSIGNMENT, {NOTEBOOK: self.released})

    def empty(self) -> Book:
        """Return the notebook as released."""
        return dict(json.loads(self.released))

    def solved(self) -> Book:
        """Return the notebook with right answers."""
        book = self.empty()
        for name, text in {
            "add_answer": ADD,
            "multiply_answer": MULTIPLY,
            "why": "Because.",
            "draw": "drawn = True",
        }.items():
            by(book, name)["source"] = text
        return book

    def stock(self, files: Mapping[str, bytes], execute: Any = None) -> tuple[str, Scores]:
        """Grade a hand-in with plain nbgrader.

        Args:
            files: What was handed in, by path.
            execute: A preprocessor in the place of nbgrader's `Execute`.

        Returns:
            What stopped nbgrader, and the scores where nothing did.
        """
        from nbgrader.converters import Autograde  # noqa: PLC0415
        from nbgrader.preprocessors import Execute  # noqa: PLC0415

        self._hand_in(files)
        config = configuration(str(self.root), self.url, 10)
        config.Execute.shutdown_kernel = "immediate"
        if execute:
            steps = Autograde.autograde_preprocessors.default_args[0]
            config.Autograde.autograde_preprocessors = [
                execute if step is Execute else step for step in steps
            ]
        with warnings.catch_warnings(action="ignore"):
            error = convert(Autograde, config, ASSIGNMENT, LEARNER).error
        return error, {} if error else self._scores()

    def _hand_in(self, files: Mapping[str, bytes]) -> None:
        for name in ("submitted", "autograded"):
            rmtree(self.root / name, ignore_errors=True)
        (self.root / "gradebook.db").write_bytes(self.pristine)
        folder = self.root / "submitted" / LEARNER / ASSIGNMENT
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)

    def _scores(self) -> Scores:
        from nbgrader.api import Gradebook  # noqa: PLC0415

        with Gradebook(self.url, COURSE) as gradebook:
            books = gradebook.find_submission(ASSIGNMENT, LEARNER).notebooks
            said = {c.name: c.auto_comment for book in books for c in book.comments}
            grades = {grade.name: grade for book in books for grade in book.grades}
            return {
                name: (
                    grades[name].auto_score if name in grades else None,
                    name in grades and bool(grades[name].needs_manual_grade),
                    said.get(name),
                )
                for name in grades.keys() | said.keys()
            }


def changed(book: Book, change: Callable[[Book], object]) -> Book:
    """Return a copy of a notebook with something changed."""
    made = copy.deepcopy(book)
    change(made)
    return made
