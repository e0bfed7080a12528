"""A gradebook in memory for one grading: what nbgrader writes while it grades goes here.

Law: nbgrader's tables and nbgrader's rows; nothing of it reaches a disk. One
grading at a time in a process: nbgrader's steps, which each open the gradebook
anew, are given the one that is open.
"""

import importlib
import json
import os
import sqlite3
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SADeprecationWarning, SAWarning
from sqlalchemy.orm import selectinload

from bioskills.graders.engine import COURSE, ensure_gradebook, spare_imports

spare_imports()

import jsonschema  # noqa: E402 - after the line above

IN_MEMORY = "file:gradebook?mode=memory&cache=shared"
URL = f"sqlite:///{IN_MEMORY}&uri=true"
MOST_PLACES = 20


@contextmanager
def opened(file: Path) -> Iterator[Any]:
    """Hold a gradebook file's content in memory, open for nbgrader's steps at `URL`."""
    memory, gradebook = _of_this_process(os.getpid())
    content = file.read_bytes()
    _opened[:] = [sha256(content).digest()]
    _fill(memory, content)
    try:
        with _given(gradebook), warnings.catch_warnings():
            # nbgrader 0.9.6 makes rows in an order that SQLAlchemy 2 mentions and that changes nothing.
            warnings.simplefilter("ignore", SAWarning)
            yield gradebook
    finally:
        gradebook.db.remove()


_opened: list[bytes] = []


def content_key() -> bytes:
    """Return what names the content with which the open gradebook was opened."""
    return _opened[0]


@cache
def _of_this_process(pid: int) -> tuple[sqlite3.Connection, Any]:
    """Return the memory and the gradebook of this process: what SQLAlchemy compiled stays."""
    from nbgrader.api import Gradebook  # noqa: PLC0415 - 1,300 modules, only where they are used

    memory = sqlite3.connect(IN_MEMORY, uri=True, check_same_thread=False)
    with warnings.catch_warnings():
        # SQLAlchemy tells of another pool that it will choose one day: both serve one thread.
        warnings.simplefilter("ignore", SADeprecationWarning)
        ensure_gradebook(URL)
        gradebook = Gradebook(URL, COURSE)
    # What is written is thrown away: nothing has to reach a disk between two steps.
    gradebook.db.commit = gradebook.db.flush
    gradebook.db.remove()
    del pid
    return memory, gradebook


def _fill(memory: sqlite3.Connection, content: bytes) -> None:
    """Put a gradebook file's content into the memory; it stays as long as that is open."""
    source = sqlite3.connect(":memory:")
    source.deserialize(content)
    source.backup(memory)
    source.close()


class _Kept:
    """The open gradebook in the form in which steps open one."""

    def __init__(self, gradebook: Any) -> None:
        self._gradebook = gradebook

    def __call__(self, *_args: object, **_named: object) -> "_Kept":
        return self

    def __enter__(self) -> Any:
        return self._gradebook

    def __exit__(self, *_error: object) -> None:
        # As a new session would: what comes next is read again.
        self._gradebook.db.flush()
        self._gradebook.db.expire_all()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gradebook, name)


STEPS = (
    "converters.autograde",
    "preprocessors.overwritecells",
    "preprocessors.overwritekernelspec",
    "preprocessors.saveautogrades",
    "preprocessors.latesubmissions",
)
"""nbgrader's modules that open a gradebook while they grade."""


@contextmanager
def _given(gradebook: Any) -> Iterator[None]:
    form = importlib.import_module("nbgrader.nbgraderformat.common")
    form.jsonschema = _CheckedOnce  # type: ignore[attr-defined]
    users: list[Any] = [importlib.import_module(f"nbgrader.{name}") for name in STEPS]
    stock = [module.Gradebook for module in users]
    for module in users:
        module.Gradebook = _Kept(gradebook)
    try:
        yield
    finally:
        for module, own in zip(users, stock, strict=True):
            module.Gradebook = own


class _CheckedOnce:
    """The library jsonschema, which would check the same schema again for each cell."""

    ValidationError = jsonschema.ValidationError

    @staticmethod
    def validate(instance: object, schema: Any) -> None:
        """Do what `jsonschema.validate` does.

        Raises:
            ValidationError: The instance does not follow the schema.
        """
        error = jsonschema.exceptions.best_match(
            _validator(json.dumps(schema)).iter_errors(instance)
        )
        if error is not None:
            raise error


@cache
def _validator(schema: str) -> Any:
    loaded = json.loads(schema)
    kind = jsonschema.validators.validator_for(loaded)
    kind.check_schema(loaded)
    return kind(loaded)


def notebooks_of(gradebook: Any, assignment: str) -> list[str]:
    """Return the names of the notebooks that the assignment has."""
    return [book.name for book in gradebook.find_assignment(assignment).notebooks]


def scores_of(
    gradebook: Any, assignment: str, learner: str, waits: Collection[str]
) -> list[dict[str, Any]]:
    """Return every grade cell as the gradebook holds it; numbers as decimal strings.

    Args:
        gradebook: nbgrader's.
        assignment: Its name.
        learner: Whose work.
        waits: Cells, as `<notebook>/<grade_id>`, that a person looks at although they have a score.
    """
    submission = gradebook.find_submission(assignment, learner)
    _read_at_once(gradebook, submission)
    found = [_score(book.name, grade) for book in submission.notebooks for grade in book.grades]
    for score in found:
        score["needs_person"] |= score["cell"] in waits
    return found


def _read_at_once(gradebook: Any, submission: Any) -> None:
    """Read all that is asked for next: two queries, where each grade would make three."""
    from nbgrader.api import Grade, SubmittedNotebook  # noqa: PLC0415

    grades = selectinload(SubmittedNotebook.grades)
    gradebook.db.query(SubmittedNotebook).filter(
        SubmittedNotebook.assignment_id == submission.id
    ).options(
        grades.joinedload(Grade.cell), grades.undefer(Grade.max_score)
    ).populate_existing().all()


def no_scores(gradebook: Any, assignment: str) -> list[dict[str, Any]]:
    """Return every grade cell with no automatic points, for work that could not be run."""
    gradebook.db.rollback()  # what was begun for this work
    return [
        {
            "cell": f"{book.name}/{cell.name}",
            "cell_type": str(cell.cell_type),
            "max_points": decimal(cell.max_score),
            "auto_points": "0" if cell.cell_type == "code" else None,
            "manual_points": None,
            "extra_credit": None,
            "needs_person": True,
        }
        for book in gradebook.find_assignment(assignment).notebooks
        for cell in [*book.grade_cells, *book.task_cells]
    ]


def _score(book: str, grade: Any) -> dict[str, Any]:
    return {
        "cell": f"{book}/{grade.name}",
        "cell_type": str(grade.cell.cell_type),
        "max_points": decimal(grade.max_score),
        "auto_points": decimal(grade.auto_score),
        "manual_points": decimal(grade.manual_score),
        "extra_credit": decimal(grade.extra_credit),
        "needs_person": bool(grade.needs_manual_grade),
    }


def decimal(number: float | None) -> str | None:
    """Return the shortest decimal text that means this number."""
    if number is None:
        return None
    whole, _point, rest = format(Decimal(repr(float(number))), "f").partition(".")
    rest = rest[:MOST_PLACES].rstrip("0")
    return f"{whole}.{rest}" if rest else whole
