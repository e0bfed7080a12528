"""Courses for the graders' tests, made when a test needs them and never stored.

A corpus writes its sources, and its submissions from what nbgrader released.
All text and exercises are our own; courses of others come from their packages.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Book = dict[str, Any]
Cell = dict[str, Any]
SCHEMA = 3
PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


def _cell(kind: str, source: str, name: str, **about: Any) -> Cell:
    found: Cell = {"cell_type": kind, "metadata": {}, "source": source}
    if name:
        flags = {"grade": False, "solution": False, "locked": False, "task": False}
        found["metadata"]["nbgrader"] = {
            "schema_version": SCHEMA,
            "grade_id": name,
            **flags,
            **about,
        }
    if kind == "code":
        found |= {"execution_count": None, "outputs": []}
    return found


def plain(source: str) -> Cell:
    """Return a code cell that nbgrader does not know."""
    return _cell("code", source, "")


def prose(source: str) -> Cell:
    """Return a text cell that nbgrader does not know."""
    return _cell("markdown", source, "")


def answer(name: str, source: str) -> Cell:
    """Return a cell where code is to be written."""
    return _cell("code", source, name, solution=True)


def check(name: str, points: float, source: str) -> Cell:
    """Return a locked cell of tests."""
    return _cell("code", source, name, grade=True, locked=True, points=points)


def essay(name: str, points: float, source: str, kind: str = "markdown") -> Cell:
    """Return a cell that a person grades."""
    return _cell(kind, source, name, grade=True, solution=True, points=points)


def task(name: str, points: float, source: str) -> Cell:
    """Return a task cell: what is below it is graded by a person."""
    return _cell("markdown", source, name, task=True, locked=True, points=points)


def read_only(name: str, source: str, kind: str = "markdown") -> Cell:
    """Return a locked cell without points."""
    return _cell(kind, source, name, locked=True)


def hidden(source: str) -> str:
    """Return tests between nbgrader's marks."""
    return f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"


def solved(head: str, source: str) -> str:
    """Return an answer between nbgrader's marks, below what learners see."""
    inner = "\n".join(f"    {line}" if line and head else line for line in source.splitlines())
    pad = "    " if head else ""
    body = f"{pad}### BEGIN SOLUTION\n{inner}\n{pad}### END SOLUTION"
    return f"{head}\n{body}" if head else body


def book(cells: Sequence[Cell], kernel: Mapping[str, str] = PYTHON) -> Book:
    """Return a notebook of format 4.5."""
    numbered = [{**cell, "id": f"c{place:03}"} for place, cell in enumerate(cells)]
    about = {"kernelspec": dict(kernel), "language_info": {"name": "python"}}
    return {"cells": numbered, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def write_book(path: Path, content: Book) -> None:
    """Write a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def read_book(path: Path) -> Book:
    """Read a notebook."""
    return dict(json.loads(path.read_text("utf-8")))


def fill(content: Book, answers: Mapping[str, str]) -> Book:
    """Return a copy of a notebook with these sources, by grade_id."""
    copy: Book = json.loads(json.dumps(content))
    for cell in copy["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = answers.get(name, cell["source"])
    return copy


def named(content: Book, name: str) -> Cell:
    """Return the cell of a grade_id."""
    return next(
        cell
        for cell in content["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name
    )


def answers_of(source: Book) -> dict[str, str]:
    """Return the author's answers, without the marks around them."""
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: "\n".join(
            line for line in cell["source"].splitlines() if "### " not in line
        )
        for cell in source["cells"]
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }


def nothing(_root: Path) -> None:
    """Do nothing with a course folder."""


@dataclass(frozen=True)
class Corpus:
    """A course and its submissions.

    Attributes:
        name: Of the course.
        assignments: To be generated and graded.
        make: Writes `source/` (and what else the author has) into a folder.
        hand_in: Writes `submitted/`, when `release/` is there.
        settle: Changes the gradebook as an instructor does before grading.
        config: Lines of nbgrader_config.py.
        updated: Whether `nbgrader update` is run, as for courses of an older nbgrader.
    """

    name: str
    assignments: tuple[str, ...]
    make: Callable[[Path], None]
    hand_in: Callable[[Path], None] = nothing
    settle: Callable[[Path], None] = nothing
    config: str = ""
    updated: bool = False


def change(root: Path, command: str, *values: Any) -> None:
    """Change the gradebook of a course folder."""
    with closing(sqlite3.connect(root / "gradebook.db")) as database, database:
        done = database.execute(command, values)
        assert done.rowcount > 0, command
