"""Read what grading left in notebooks: named checks that failed, and answers.

Law: only names leave here: the ids of checks that the course's notes list, and
the kind of an error or a warning out of a fixed list. The text of a test, hidden or visible, and what a
learner's code printed while it was graded never do. A hostile notebook is a
notebook that says nothing, never an error.
"""

import builtins
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bioskills.base.text import _
from bioskills.competence.hashes import notebook_src_sha256

CHECK_ID = re.compile(r"\s*\[([a-z0-9_]+)\]", re.ASCII)
ANSWER_CHARS = 20_000
MODULE_CHARS, MOST_MODULES = 200_000, 50
TIMED_OUT = "CellTimeoutError"
KNOWN_ERRORS = {
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}
_LIBRARIES = {
    *("BiopythonWarning", "BiopythonDeprecationWarning", "BiopythonParserWarning"),
    *("DtypeWarning", "ParserWarning", "PerformanceWarning", "SettingWithCopyWarning"),
    *("MatplotlibDeprecationWarning", "VisibleDeprecationWarning"),
}
KNOWN_WARNINGS = {name for name in KNOWN_ERRORS if name.endswith("Warning")} | _LIBRARIES
_WARNING = re.compile(r"\b([A-Z][A-Za-z]{3,40}Warning)\b", re.ASCII)
_STDERR_CHARS = 20_000


def notebook(text: str) -> dict[str, Any] | None:
    """Return a notebook's content, or None where the text is none."""
    try:
        book = json.loads(text)
    except (ValueError, RecursionError):
        return None
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        return None
    return dict(book)


def notebooks_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the notebooks that can be read, by name without ending."""
    found = {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            book = notebook(path.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            continue
        if book is not None:
            found[path.stem] = book
    return found


def modules_in(folder: Path, given: Path) -> dict[str, str]:
    """Return the Python files of a hand-in that the assignment does not put back, by name."""
    return {
        str(name): path.read_text(encoding="utf-8", errors="replace")[:MODULE_CHARS]
        for path in sorted(folder.rglob("*.py"))[:MOST_MODULES]
        if not (given / (name := path.relative_to(folder))).exists() and path.is_file()
    }


def tree_sha256(folder: Path) -> str:
    """Return the hash of a folder's notebooks, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.ipynb")):
        if path.is_file() and not path.is_symlink():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def sources_sha256(books: Mapping[str, Any]) -> str:
    """Return the hash of the first notebook's sources; empty where there is none."""
    for book in books.values():
        try:
            return notebook_src_sha256(book)
        except ValueError:  # no notebook of format 4, or text that has no canonical form
            continue
    return ""


def failed_checks(book: Mapping[str, Any], known: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Return by grade cell the checks that failed; only ids that the notes know.

    Args:
        book: An autograded notebook.
        known: Check ids by grade_id, from `grading/<assignment>.yml`.
    """
    found = {}
    for name, outputs in _graded_outputs(book):
        failed = [check for o in outputs if (check := _check_of(o)) in known.get(name, set())]
        if failed:
            found[name] = failed
    return found


def why_no_points(book: Mapping[str, Any], expected: Iterable[str]) -> dict[str, str]:
    """Return by grade cell a sentence where it stopped with something else than a check.

    Args:
        book: An autograded notebook.
        expected: The grade_ids that the assignment has.
    """
    seen = dict(_graded_outputs(book))
    said = {name: _sentence(outputs) for name, outputs in seen.items()}
    missing = _(
        "This cell is missing in the notebook that you handed in. Open the assignment again, copy your answers over, and hand in once more."
    )
    return {name: text for name, text in said.items() if text} | {
        name: missing for name in expected if name not in seen
    }


def _sentence(outputs: list[Mapping[str, Any]]) -> str:
    errors = [output for output in outputs if output.get("output_type") == "error"]
    kinds = [str(error.get("ename")) for error in errors if not _check_of(error)]
    if TIMED_OUT in kinds:
        return _(
            "The checks did not come to an end in the time allowed: look for a loop without end."
        )
    known = [kind for kind in kinds if kind in KNOWN_ERRORS]
    if known:
        return _(
            "The checks stopped with {error}: run your cells from top to bottom and look at the first one that fails."
        ).format(error=known[-1])
    return "" if errors else _red_text(outputs)


def _red_text(outputs: list[Mapping[str, Any]]) -> str:
    """Return why text on a red ground cost all points: nbgrader's rule for stderr."""
    texts = [_text(o.get("text")) for o in outputs if o.get("name") == "stderr"]
    if not texts:
        return ""
    named = _WARNING.findall("".join(texts)[:_STDERR_CHARS])
    kind = next((name for name in named if name in KNOWN_WARNINGS), "")
    if kind:
        return _(
            "No check failed, but your code gave a warning while the checks ran ({kind}), and a warning there counts as failed. Run your cells from top to bottom, look for text on a red ground, and change what it warns of."
        ).format(kind=kind)
    return _(
        "No check failed, but your code printed a warning or an error message while the checks ran, and such text counts as failed. Run your cells from top to bottom and look for text on a red ground."
    )


def answers(book: Mapping[str, Any]) -> dict[str, str]:
    """Return the learner's source of every answer cell, by grade_id."""
    return {
        _grade_id(cell): _text(cell.get("source"))[:ANSWER_CHARS]
        for cell in book["cells"]
        if _nbgrader(cell).get("solution")
    }


def _graded_outputs(book: Mapping[str, Any]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for cell in book["cells"]:
        if _nbgrader(cell).get("grade"):
            outputs = cell.get("outputs")
            found = outputs if isinstance(outputs, list) else []
            yield _grade_id(cell), [output for output in found if isinstance(output, dict)]


def _nbgrader(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _grade_id(cell: Mapping[str, Any]) -> str:
    return _clean(str(_nbgrader(cell).get("grade_id", "")))


def _check_of(output: Mapping[str, Any]) -> str:
    found = (
        CHECK_ID.match(_text(output.get("evalue")))
        if output.get("ename") == "AssertionError"
        else None
    )
    return found[1] if found else ""


def _text(value: object) -> str:
    return _clean("".join(map(str, value)) if isinstance(value, list) else str(value or ""))


def _clean(text: str) -> str:
    """Return the text without halves of characters, which no file and no answer can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
