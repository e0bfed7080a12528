"""Fingerprint submitted work and its grades (competence study, 4.4).

Law: the same work gives the same hash on every machine and Python. JSON is
canonical (RFC 8785) and holds no float, so no number is ever printed two ways.
"""

import hashlib
import json
from collections.abc import Iterable
from collections.abc import Mapping as AbcMapping
from typing import Any

from bioskills.base.text import _
from bioskills.base.wire import CellScore
from bioskills.competence.exact import exact, to_stored
from bioskills.competence.scores import GradeCell, grade_cell

_SAFE_INTEGER = 2**53 - 1


class NotCanonicalError(ValueError):
    """A value has no canonical form: a float, a huge integer, a broken string, another type."""

    def __init__(self, where: str, value: object) -> None:
        self.where = where
        super().__init__(
            _(
                "{where} holds {value!r}, which has no canonical JSON form. Give text instead."
            ).format(where=where, value=value)
        )


class NotANotebookError(ValueError):
    """The document is not a notebook of format 4."""

    def __init__(self) -> None:
        super().__init__(
            _("This is not a notebook of format 4. Open it in JupyterLab and save it again.")
        )


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotCanonicalError(where, value) from None
    return value


def _object(value: AbcMapping[Any, object], where: str) -> dict[str, object]:
    for key in value:
        if not isinstance(key, str):
            raise NotCanonicalError(where, key)
    # RFC 8785 sorts by UTF-16 code units, which differs from Python's order above U+FFFF.
    ordered = sorted(value, key=lambda key: _text(key, where).encode("utf-16-be"))
    return {key: _canonical(value[key], f"{where}.{key}") for key in ordered}


def _canonical(value: object, where: str) -> object:
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, where)
        case int() if abs(value) <= _SAFE_INTEGER:
            return value
        case list() | tuple():
            return [_canonical(item, f"{where}[{i}]") for i, item in enumerate(value)]
        case AbcMapping():
            return _object(value, where)
        case _:
            raise NotCanonicalError(where, value)


def canonical_json(value: object) -> bytes:
    """Return the value as canonical JSON (RFC 8785) in UTF-8.

    Raises:
        NotCanonicalError: It holds a float, an integer beyond 2**53 - 1, a lone
            surrogate, a key that is not text, or a type that JSON does not know.
    """
    ordered = _canonical(value, "$")
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()


def sha256_of(value: object) -> str:
    """Return the SHA-256 of the value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _source(value: object) -> str:
    # On disk a source may be a list of lines; a lone surrogate is spelled out,
    # so that no notebook, however broken, stops the grading that asks for its hash.
    text = "".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.encode("utf-8", "backslashreplace").decode()


def _cell(cell: object, index: int) -> list[object]:
    if not isinstance(cell, AbcMapping):
        raise NotANotebookError
    metadata = cell.get("metadata")
    graded = metadata.get("nbgrader") if isinstance(metadata, AbcMapping) else None
    name = graded.get("grade_id") if isinstance(graded, AbcMapping) else None
    return [
        _source(name) if name else index,
        _source(cell.get("cell_type", "")),
        _source(cell.get("source", "")),
    ]


def notebook_src_sha256(notebook: AbcMapping[str, Any]) -> str:
    """Return the hash of a notebook's sources, blind to outputs, counts and widget state.

    It covers, cell by cell, the grade id (or the position), the cell type and the source.

    Raises:
        NotANotebookError: The document has no list of cells.
    """
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise NotANotebookError
    return sha256_of([_cell(cell, index) for index, cell in enumerate(cells)])


def _number(value: str | None) -> str | None:
    return None if value is None else to_stored(exact(value))


def cells_sha256(cells: Iterable[GradeCell]) -> str:
    """Return the hash of the gradebook rows that a score was made from, in any order given."""
    rows = [
        {
            "name": cell.name,
            "cell_type": cell.cell_type,
            "max_score": _number(cell.max_score),
            "auto_score": _number(cell.auto_score),
            "manual_score": _number(cell.manual_score),
            "extra_credit": _number(cell.extra_credit),
            "needs_manual_grade": cell.needs_manual_grade,
        }
        for cell in cells
    ]
    return sha256_of(sorted(rows, key=lambda row: str(row["name"])))


def scores_sha256(cells: Iterable[CellScore]) -> str:
    """Return the hash of all scores; empty where one is no number (a learner can return such)."""
    try:
        return cells_sha256([grade_cell(cell) for cell in cells])
    except ValueError:
        return ""
