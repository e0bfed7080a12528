"""Release and grade an assignment's own answers with nbgrader, in a folder that is thrown away.

Law: clearing and grading is nbgrader's, unchanged; here are only the course
folder around it and the made-up learners who hand in.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from bioskills.courses.grading_notes import message_ids
from bioskills.courses.notebooks import (
    HIDDEN_TESTS,
    Cell,
    Notebook,
    parse_notebook,
    region_of_lines,
)
from bioskills.courses.package import assignment_tree, write_tree
from bioskills.courses.reading import Course

COURSE_ID = "trial"
_CELL_SECONDS = 60
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LINE_IN_CELL = re.compile(r"(?:Cell In\[\d+\]|Input In \[\d+\]), line (\d+)")


@dataclass(frozen=True)
class CellResult:
    """How one grade cell ended for one made-up learner.

    Attributes:
        points: Automatic points; None where a person grades.
        stopped_at: "hidden" or "visible" test that stopped the cell; empty when it ran through.
        error: First line of the error, empty when there was none.
        check: The [id] of the test that stopped it; empty when it cannot be told.
    """

    points: float | None
    max_points: float
    stopped_at: str = ""
    error: str = ""
    check: str = ""


Results = Mapping[str, CellResult]


class TrialCourse:
    """An nbgrader course folder that holds one assignment of a course."""

    def __init__(self, course: Course, assignment: str, root: Path) -> None:
        self.name = assignment
        self.source = course.sources[assignment]
        self.root = root
        write_tree(assignment_tree(course.files, assignment), root / "source" / assignment)
        self._database = f"sqlite:///{root}/gradebook.db"
        config = _config(root, self._database)
        self._api = NbGraderAPI(CourseDirectory(config=config), config=config)

    def release(self) -> str:
        """Make the release; return nbgrader's message when it refuses, else an empty string."""
        return _message(self._api.generate_assignment(self.name, create=True))

    def released(self) -> dict[str, bytes]:
        """Return the released tree, by path inside the assignment."""
        folder = self.root / "release" / self.name
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    def hand_in(self, learner: str, answers: Mapping[str, str]) -> None:
        """Put a submission in place: the release with these answers, by grade_id."""
        released = self.released()
        notebook = json.loads(released[f"{self.name}.ipynb"])
        for cell in notebook["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if grade_id in answers:
                cell["source"] = answers[grade_id]
        content = json.dumps(notebook).encode()
        folder = self.root / "submitted" / learner / self.name
        write_tree({**released, f"{self.name}.ipynb": content}, folder)

    def grade(self, learner: str) -> str:
        """Grade a submission; return nbgrader's message when it fails, else an empty string."""
        return _message(self._api.autograde(self.name, learner))

    def results(self, learner: str) -> dict[str, CellResult]:
        """Return how every grade cell ended for a learner whose work was graded."""
        path = self.root / "autograded" / learner / self.name / f"{self.name}.ipynb"
        graded = {
            cell.grade_id: cell for cell in parse_notebook(str(path), path.read_bytes()).cells
        }
        with Gradebook(self._database) as gradebook:
            notebook = gradebook.find_submission_notebook(self.name, self.name, learner)
            return {
                grade.cell.name: _result(grade.auto_score, grade.max_score, graded[grade.cell.name])
                for grade in notebook.grades
            }

    def solution(self) -> dict[str, str]:
        """Return the author's answers, without the marks around them."""
        return solution_of(self.source)


def solution_of(source: Notebook) -> dict[str, str]:
    """Return the author's answer of every answer cell, without the marks."""
    return {
        cell.grade_id: "\n".join(
            line for region, line in region_of_lines(cell.source) if region != "mark"
        )
        for cell in source.cells
        if cell.is_answer
    }


def _config(root: Path, database: str) -> Config:
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = COURSE_ID
    config.CourseDirectory.db_url = database
    config.Execute.timeout = _CELL_SECONDS
    config.NbGrader.logfile = ""
    return config


def _message(outcome: Mapping[str, Any]) -> str:
    if outcome.get("success"):
        return ""
    text = str(outcome.get("error") or outcome.get("log") or "").strip()
    return text.splitlines()[-1] if text else "nbgrader gave no reason"


def _result(points: float | None, max_points: float, cell: Cell) -> CellResult:
    if not cell.is_autograded:
        return CellResult(None, max_points)
    errors = [output for output in cell.outputs if output.get("output_type") == "error"]
    if not errors:
        return CellResult(points, max_points)
    evalue = str(errors[0].get("evalue"))
    region, line = _stop_of(errors[0].get("traceback", ()), cell)
    check = next(iter([*message_ids(evalue), *message_ids(line)]), "")
    text = f"{errors[0].get('ename')}: {evalue}".splitlines()[0]
    return CellResult(points, max_points, region, text, check)


def _stop_of(traceback: Iterable[str], cell: Cell) -> tuple[str, str]:
    """Return "hidden" or "visible", and the line of the cell that stopped it."""
    found = _LINE_IN_CELL.search(_COLOUR.sub("", "\n".join(traceback)))
    lines = region_of_lines(cell.source)
    number = int(found[1]) if found else 0
    if not 0 < number <= len(lines):
        return "visible", ""
    region, line = lines[number - 1]
    return ("hidden" if region == HIDDEN_TESTS else "visible"), line
