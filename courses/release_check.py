"""Look for solutions and hidden tests in what learners receive.

Law: file by file against an allow-list, line by line against every line an
author marked as solution or hidden test; outputs and metadata are searched too.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bioskills.base.text import _
from bioskills.courses.data_manifest import is_data
from bioskills.courses.faults import Fault
from bioskills.courses.notebooks import (
    HIDDEN_TESTS,
    MARK_SCHEME,
    SOLUTION,
    Cell,
    Notebook,
    region_of_lines,
    visible_source,
)
from bioskills.courses.package import Files, materials
from bioskills.courses.reading import Course

# Letters and digits of a line that tells something. Shorter ones, such as `return result`,
# stand in any program; hidden tests are told apart by less.
MIN_TELLING_CHARACTERS = {SOLUTION: 12, MARK_SCHEME: 12, HIDDEN_TESTS: 8}

_MARKERS = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME")
_COMMON = re.compile(r"^(import |from \S+ import |def |class |@|#|\"\"\"|'''|try:|else:|with )")


class Secret(NamedTuple):
    """A line that learners must not receive.

    Attributes:
        region: SOLUTION, HIDDEN TESTS or MARK SCHEME.
        cell: grade_id of the cell it stands in.
        line: What tells something in the line: without `assert`, `return` and message.
    """

    assignment: str
    region: str
    cell: str
    line: str


def secrets_of(course: Course) -> tuple[Secret, ...]:
    """Return every telling line that an author marked as solution or hidden test."""
    found: dict[Secret, None] = {}
    for assignment, book in course.sources.items():
        given = _given_lines(book)
        for cell in book.cells:
            for region, line in _marked_lines(cell):
                core = _core(line)
                if _telling(core, region) and line not in given:
                    found[Secret(assignment, region, cell.name, core)] = None
    return tuple(found)


def _core(line: str) -> str:
    """Return what tells something in a line: a condition without `assert` and message."""
    bare = re.sub(r"^(assert|return|yield|not)\s+", "", line)
    return re.split(r",\s*f?[\"']\[[a-z]", bare)[0].strip()


def _marked_lines(cell: Cell) -> list[tuple[str, str]]:
    if _cleared_whole(cell):
        return [(SOLUTION, line.strip()) for line in cell.source.splitlines()]
    marked = {SOLUTION, HIDDEN_TESTS, MARK_SCHEME}
    lines = region_of_lines(cell.source)
    return [(region, line.strip()) for region, line in lines if region in marked]


def _cleared_whole(cell: Cell) -> bool:
    """Say whether nbgrader clears the cell as a whole: an answer without any mark."""
    answer = bool(cell.nbgrader.get("solution"))
    return answer and not any(region == "mark" for region, _line in region_of_lines(cell.source))


def _given_lines(book: Notebook) -> set[str]:
    """Return the lines the author shows anyway, outside every marked region."""
    shown = (visible_source(cell.source) for cell in book.cells if not _cleared_whole(cell))
    return {line.strip() for text in shown for line in text.splitlines()}


def _telling(line: str, region: str) -> bool:
    bare = re.sub(r"[\s\W_]", "", line)
    return len(bare) >= MIN_TELLING_CHARACTERS[region] and not _COMMON.match(line)


def material_faults(course: Course) -> Iterator[Fault]:
    """Lessons, data, images and README hold no hidden test and no marked solution."""
    secrets = secrets_of(course)
    for path, content in sorted(materials(course.files).items()):
        kept = [secret for secret in secrets if not _is_echo(secret, path, content, secrets)]
        yield from _faults_in(path, content, kept)


def material_echoes(course: Course) -> Iterator[Fault]:
    """Lessons hold no single line of a solution either; an idiom that is taught may stay."""
    secrets = secrets_of(course)
    for path, content in sorted(materials(course.files).items()):
        text = _searchable(path, content)
        for secret in secrets:
            if secret.line in text and _is_echo(secret, path, content, secrets):
                yield _found(path, secret)


def _is_echo(secret: Secret, path: str, content: bytes, secrets: Sequence[Secret]) -> bool:
    """Say whether a file holds less than half of the solution that this line belongs to."""
    if secret.region != SOLUTION:
        return False
    text = _searchable(path, content)
    whole = [other for other in secrets if other[:3] == secret[:3]]
    return 2 * sum(other.line in text for other in whole) < len(whole)


def release_faults(course: Course, assignment: str, released: Files) -> Iterator[Fault]:
    """Yield what a released tree holds that a learner must not have.

    Args:
        course: The course with its solutions.
        assignment: Name of the assignment.
        released: The tree as nbgrader made it, by path inside the assignment.
    """
    allowed = {f"{assignment}.ipynb"} | _allowed_data(course, assignment)
    secrets = secrets_of(course)
    for path, content in sorted(released.items()):
        place = f"assignments/{assignment}/{path}"
        if path not in allowed:
            message = _("learners would receive this file")
            yield Fault(place, "", "", message, _("Move it out of the assignment's folder."))
        yield from _faults_in(place, content, secrets)
    if f"{assignment}.ipynb" not in released:
        yield Fault(f"assignments/{assignment}", "", "", _("the release holds no notebook"))


def source_tree_faults(course: Course) -> Iterator[Fault]:
    """An assignment's folder holds its notebook, its data and its images, nothing else."""
    for assignment in course.sources:
        allowed = {f"{assignment}.ipynb"} | _allowed_data(course, assignment)
        prefix = f"assignments/{assignment}/"
        for path in sorted(course.files):
            if path.startswith(prefix) and path.removeprefix(prefix) not in allowed:
                message = _("nbgrader would give this file to learners")
                yield Fault(path, "", "", message)


def _allowed_data(course: Course, assignment: str) -> set[str]:
    """Return the files beside the notebook: listed data, and images."""
    prefix = f"assignments/{assignment}/"
    # Without data.yml that is one fault, not one for every file.
    listed = (
        {entry.path for entry in course.data.files}
        if course.data
        else set(filter(is_data, course.files))
    )
    images = {path for path in course.files if path.startswith(f"{prefix}img/")}
    return {path.removeprefix(prefix) for path in listed | images if path.startswith(prefix)}


def _faults_in(path: str, content: bytes, secrets: Sequence[Secret]) -> Iterator[Fault]:
    text = _searchable(path, content)
    for marker in _MARKERS:
        if marker in text:
            yield Fault(path, marker, marker, _("the file holds the mark {m}").format(m=marker))
    for secret in secrets:
        if secret.line in text:
            yield _found(path, secret)


def _found(path: str, secret: Secret) -> Fault:
    kind = _("a hidden test") if secret.region == HIDDEN_TESTS else _("a solution")
    message = _("the file holds {kind} of {assignment}/{cell}: {line}").format(
        kind=kind, assignment=secret.assignment, cell=secret.cell, line=secret.line
    )
    return Fault(path, secret.cell, secret.line, message)


def _searchable(path: str, content: bytes) -> str:
    """Return the text of a file; of a notebook every string in it, outputs and metadata too."""
    text = content.decode("utf-8", errors="replace")
    if not path.endswith((".ipynb", ".json")):
        return text
    try:
        return "\n".join(_strings(json.loads(text)))
    except ValueError:
        return text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        # A cell's source is stored as lines; a secret must be found across them too.
        if value and all(isinstance(inner, str) for inner in value):
            yield "".join(value)
        for inner in value:
            yield from _strings(inner)


def leaks(course: Course) -> Iterator[Fault]:
    """What learners get, as far as it can be told without nbgrader, holds no secret."""
    yield from source_tree_faults(course)
    yield from material_faults(course)
