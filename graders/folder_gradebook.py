"""Read the gradebook of a plain nbgrader course folder.

Law: nothing is written here. A gradebook of another nbgrader is refused, not
changed. The copy that grading sees holds the assignment and no learner.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, inspect, select, text

from bioskills.base.problems import SetupError
from bioskills.base.text import _
from bioskills.graders.course_folder import CourseFolder
from bioskills.graders.engine import COURSE, ensure_gradebook
from bioskills.graders.gradebook import one_transaction


@dataclass(frozen=True)
class Row:
    """One graded cell of a submission, as the gradebook holds it."""

    notebook: str
    grade_id: str
    auto_score: float | None
    manual_score: float | None
    max_score: float
    needs_manual_grade: bool


def copy_pristine(folder: CourseFolder, target: Path) -> list[str]:
    """Write a gradebook that holds the assignment alone; return its notebooks' names.

    Raises:
        SetupError: The gradebook is of another nbgrader, or does not know the assignment.
    """
    if not folder.has_gradebook:
        raise _unknown(folder)
    ensure_gradebook(f"sqlite:///{target}")
    with _connected(folder.gradebook_url) as source:
        _check(source, folder)
        tables = _tables(source, folder.assignment)
    with _connected(f"sqlite:///{target}") as copy:
        for table, rows in tables:
            copy.execute(table.insert(), [dict(row) for row in rows])
        copy.commit()
    return [row["name"] for table, rows in tables if table.name == "notebook" for row in rows]


def content_key(pristine: Path) -> str:
    """Return a hash of what a submission is graded against: cells, points, due date."""
    with _connected(f"sqlite:///{pristine}") as connection:
        held = [
            sorted(
                json.dumps({k: v for k, v in row.items() if not k.endswith("id")}, default=str)
                for row in rows
            )
            for _table, rows in _tables(connection, None)
        ]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()


def rows_of(folder: CourseFolder, students: Sequence[str]) -> dict[str, list[Row]]:
    """Return the graded cells of these learners' submissions; no entry where there is none."""
    from nbgrader.api import MissingEntry  # noqa: PLC0415 - 1,300 modules, only where they are used

    found = {}
    with one_transaction(folder.gradebook_url, folder.course_id) as gradebook:
        for student in students:
            try:
                submission = gradebook.find_submission(folder.assignment, student)
            except MissingEntry:
                continue
            found[student] = [
                _row(book.name, grade) for book in submission.notebooks for grade in book.grades
            ]
    return found


def knows_student(folder: CourseFolder, student: str) -> bool:
    """Say whether the gradebook has this learner."""
    from nbgrader.api import Student  # noqa: PLC0415 - 1,300 modules, only where they are used

    with _connected(folder.gradebook_url) as connection:
        chosen = select(Student.__table__.c.id).where(Student.__table__.c.id == student)
        return connection.execute(chosen).first() is not None


def _row(book: str, grade: Any) -> Row:
    return Row(
        book,
        grade.name,
        grade.auto_score,
        grade.manual_score,
        grade.max_score,
        bool(grade.needs_manual_grade),
    )


def _check(connection: Connection, folder: CourseFolder) -> None:
    tables = set(inspect(connection).get_table_names())
    if "assignment" in tables:
        _check_version(connection, tables)
        sought = text("select 1 from assignment where name = :name")
        if connection.execute(sought, {"name": folder.assignment}).first():
            return
    raise _unknown(folder)


def _unknown(folder: CourseFolder) -> SetupError:
    message = _(
        "The gradebook of {path} does not know the assignment {name!r}. Make its learner version first: nbgrader generate_assignment {name}"
    )
    return SetupError(message.format(path=folder.root, name=folder.assignment))


def _check_version(connection: Connection, tables: set[str]) -> None:
    import nbgrader.api  # noqa: PLC0415 - 1,300 modules, only where they are used
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    migrations = Path(nbgrader.api.__file__).parent / "alembic"
    head = ScriptDirectory(str(migrations)).get_current_head()
    has = None
    if "alembic_version" in tables:
        has = connection.execute(text("select version_num from alembic_version")).scalar()
    if has != head:
        message = _(
            "The gradebook was made by another version of nbgrader ({has} instead of {head}). Back it up, then run: nbgrader db upgrade"
        )
        raise SetupError(message.format(has=has or "?", head=head))


def _tables(connection: Connection, assignment: str | None) -> list[tuple[Any, list[Any]]]:
    """Return the rows of one assignment (of all: None), table by table, parents first."""
    from nbgrader import api  # noqa: PLC0415 - 1,300 modules, only where they are used

    chosen = select(api.Assignment.__table__)
    if assignment is not None:
        chosen = chosen.where(api.Assignment.__table__.c.name == assignment)
    found = [{**row, "course_id": COURSE} for row in connection.execute(chosen).mappings()]
    ids = [row["id"] for row in found]
    books = _below(connection, api.Notebook.__table__.c.assignment_id, ids)
    names = [row["id"] for row in books]
    cells = _below(connection, api.BaseCell.__table__.c.notebook_id, names)
    keys = [row["id"] for row in cells]
    parts = [
        (kind.__table__, _below(connection, kind.__table__.c.id, keys))
        for kind in (api.GradeCell, api.SolutionCell, api.TaskCell)
    ]
    sources = _below(connection, api.SourceCell.__table__.c.notebook_id, names)
    whole = [
        (api.Course.__table__, [{"id": COURSE}]),
        (api.Assignment.__table__, found),
        (api.Notebook.__table__, books),
        (api.BaseCell.__table__, cells),
        *parts,
        (api.SourceCell.__table__, sources),
    ]
    return [(table, rows) for table, rows in whole if rows]


def _below(connection: Connection, column: Any, keys: Sequence[str]) -> list[Any]:
    chosen = select(column.table).where(column.in_(keys))
    return [dict(row) for row in connection.execute(chosen).mappings()]


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
