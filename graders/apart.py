"""Run answers in one box and tests in another, and carry what passes between them.

Law: code that a learner wrote, text or file, never enters the box of the tests;
the text of a test never enters the box of the answers. Between them passes what
`fork_server/borrowing.py` says, read and written anew here: no descriptor, no
pickle. What comes from the answers' box is a learner's word.
"""

import filecmp
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bioskills.base.text import _
from bioskills.base.wire import Job
from bioskills.graders.box import BoxKernel
from bioskills.graders.cell_clock import Clock
from bioskills.graders.isolated import CALL_LIMIT_S, Kind, Part, Step, plan, refusal

WORK = PurePosixPath("/box/work")
CODE = (".py", ".pyc", ".pyo", ".pyd", ".so", ".pth", ".zip", ".egg", ".ipynb")
"""Ends of names of what an import, or a test, could take for code."""
SETTINGS = ("matplotlibrc",)
ODD_CODES = ("not_plain", "bad_message")
"""Refusals that a person should look at."""


class NotIsolatedError(Exception):
    """The notebook's kernel has no isolated mode."""

    def __init__(self) -> None:
        super().__init__(_("Tests of this assignment run apart, which works for Python alone."))


@dataclass(frozen=True)
class Isolation:
    """What isolated mode needs to know of an assignment.

    Attributes:
        sources: The gradebook's source of each cell, by `<notebook>/<grade_id>`.
        released: Notebooks as released, by name.
        folder: The assignment's own files, as its author made them.
    """

    sources: Mapping[str, str]
    released: Mapping[str, Any]
    folder: Path

    @classmethod
    def of(
        cls, job: Job, slot: Path, sources: Mapping[str, str], released: Mapping[str, Any]
    ) -> "Isolation | None":
        """Return what isolated mode needs if the job's assignment asks for it."""
        assignment = job.assignments[0]
        notes = job.notes.get(assignment)
        if not isinstance(notes, dict) or notes.get("isolated") is not True:
            return None
        return cls(sources, released, slot / "source" / assignment)

    def steps(self, name: str, cells: Sequence[Any]) -> dict[int, Step]:
        """Return where each code cell of a notebook runs, by index."""
        given = {_text(cell) for cell in self._given(name)}
        parts = [
            Part(str(index), cell.source, self._kind(name, cell, given))
            for index, cell in enumerate(cells)
            if cell.cell_type == "code"
        ]
        return {int(step.cell): step for step in plan(parts)}

    def _given(self, name: str) -> Iterator[Mapping[str, Any]]:
        for cell in self.released.get(name, {"cells": []})["cells"]:
            if cell.get("cell_type") == "code" and not _marks(cell).get("solution"):
                yield cell

    def _kind(self, name: str, cell: Any, given: set[str]) -> Kind:
        """Tell by texts, never by marks alone: marks can be copied."""
        marks, text = _marks(cell), _text(cell)
        if marks.get("solution"):
            return "answer"
        kept = self.sources.get(f"{name}/{marks.get('grade_id', '')}")
        if kept is not None and _normal(kept) == text:
            return "test" if marks.get("grade") else "given"
        return "given" if text in given and not marks.get("grade") else "answer"

    @contextmanager
    def files(self, folder: Path) -> Iterator[Path]:
        """Make the folder of the clean box: no notebook, and no code but the author's.

        Args:
            folder: The one that is graded, with the author's files over the learner's.
        """
        with tempfile.TemporaryDirectory(prefix="bsh-clean-") as name:
            for path in folder.rglob("*"):
                if path.is_file() and not path.is_symlink() and self._may_enter(path, folder):
                    place = Path(name) / path.relative_to(folder)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, place)
            yield Path(name)

    def _may_enter(self, path: Path, folder: Path) -> bool:
        inner = path.relative_to(folder)
        if _is_data(inner):
            return True
        own = self.folder / inner
        is_same = own.is_file() and filecmp.cmp(own, path, shallow=False)
        return is_same and path.suffix != ".ipynb"

    def may_change(self, path: str) -> bool:
        """Say whether an answer may change this file for the tests."""
        place = PurePosixPath(path)
        if not _is_data(place):
            return False
        inner = place.relative_to(WORK) if place.is_relative_to(WORK) else None
        return inner is None or not (self.folder / inner).exists()


def _is_data(path: PurePosixPath | Path) -> bool:
    name = path.name.lower()
    return not (name.endswith(CODE) or name.startswith(".") or name in SETTINGS)


class Apart:
    """A notebook's two boxes."""

    def __init__(self, answers: BoxKernel, tests: BoxKernel, isolation: Isolation) -> None:
        """Let the second borrow of the first.

        Args:
            answers: Where the learner's code runs.
            tests: Where it never runs.
            isolation: What the assignment gave.
        """
        self.answers, self.tests = answers, tests
        self._isolation = isolation
        self._refused: dict[str, str] = {}
        tests.lender = self._lend
        for kernel in (answers, tests):
            kernel.tell("share")

    def borrow(self, step: Step, limit_s: float) -> None:
        """Fetch what a cell needs of the answers.

        Raises:
            BoxEndedError: One of the two ended.
        """
        self._refused = {}
        request = {"borrow": step.names, "maybe": step.maybe, "limit_s": CALL_LIMIT_S}
        self.tests.ask(request, "borrowed", limit_s)

    def _lend(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Carry a question of the tests to the answers, and what these say back."""
        name, waiting = str(asked.get("name", "")), Clock(self.answers.pid, None)
        limit = max(0.0, min(CALL_LIMIT_S, self.tests.clock.left()))
        said = self.answers.ask({"lend": asked}, "lent", limit) if limit else None
        self.tests.clock.spare(waiting.waited())
        if said is None:
            self._refused[name] = "late"
            return {"late": True}
        if name and "refused" in said:
            self._refused[name] = str(said["refused"])
        said["files"] = self._allowed(said.get("files"))
        return said

    def _allowed(self, files: Any) -> dict[str, Any]:
        """Return the changed files that may enter the box of the tests."""
        found = files.items() if isinstance(files, dict) else ()
        return {path: text for path, text in found if self._isolation.may_change(path)}

    def refusals(self) -> list[str]:
        """Return a sentence for each thing that the last test needed and did not get."""
        return [refusal(code, name) for name, code in sorted(self._refused.items())]

    def is_odd(self) -> bool:
        """Say whether one of them is no plain data."""
        return any(code in ODD_CODES for code in self._refused.values())

    def close(self) -> None:
        """End both boxes."""
        self.answers.close()
        self.tests.close()


def nobody(_message: Mapping[str, Any]) -> None:
    """Drop what a cell says that runs in both boxes: the learner's box says it too."""


def _marks(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    marks = cell.get("metadata", {}).get("nbgrader")
    return marks if isinstance(marks, dict) else {}


def _text(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return _normal("".join(source) if isinstance(source, list) else str(source))


def _normal(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
