"""Bring the cells of any notebook into the form that nbformat 4.5 has.

Law: pure, and never an error. A cell's text stays as it is; what nbformat does
not know, what is nested too deeply and every output (nbgrader clears them
before it grades) is left out.
"""

import copy
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bioskills.graders.repair.model import CODE, MARKDOWN, RAW
from bioskills.graders.repair.reading import DEEPEST, depth, whole
from bioskills.graders.repair.stock import CELL_ID, is_attachments, is_plain_cell_metadata

KINDS = (CODE, MARKDOWN, RAW)
_ROOM = DEEPEST // 2
_SCHEMA_KEYS = ("name", "tags", "collapsed", "scrolled", "format", "jupyter", "execution")


def plain_cells(book: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of a notebook of any format; what is no cell is left out.

    Marks of nbgrader stay as they were; every cell has an id of its own.
    """
    cells = [_plain(cell) for cell in _listed(book) if isinstance(cell, dict)]
    give_ids(cells)
    return cells


def give_ids(cells: Iterable[dict[str, Any]]) -> None:
    """Give an id to every cell that has none of its own; the first of several keeps theirs."""
    cells = list(cells)
    all_ids = {cell["id"] for cell in cells}
    new = (name for n in itertools.count(1) if (name := f"cell-{n}") not in all_ids)
    seen: set[str] = set()
    for cell in cells:
        if not CELL_ID.match(cell["id"]) or cell["id"] in seen:
            cell["id"] = next(new)
        seen.add(cell["id"])


def turn_into(cell: dict[str, Any], kind: str) -> None:
    """Make a cell one of another kind; its text stays."""
    cell["cell_type"] = kind
    if kind == CODE:
        cell.pop("attachments", None)
        cell.update(outputs=[], execution_count=None)
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def text_of(source: object) -> str:
    """Return the text that a `source` means."""
    if isinstance(source, list):
        return whole("".join(line for line in source if isinstance(line, str)))
    return whole(source) if isinstance(source, str) else ""


def plain_metadata(book: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a notebook's metadata that are of any use to a reader."""
    found = book.get("metadata")
    kept = found if isinstance(found, dict) else {}
    return {key: value for key, value in kept.items() if depth(value) < _ROOM}


def _listed(book: Mapping[str, Any]) -> Iterator[object]:
    """Yield the cells: those of formats before 4 lie in worksheets."""
    cells = book.get("cells")
    if isinstance(cells, list):
        yield from cells
        return
    sheets = book.get("worksheets")
    for sheet in sheets if isinstance(sheets, list) else []:
        inside = sheet.get("cells") if isinstance(sheet, dict) else None
        yield from inside if isinstance(inside, list) else []


def _plain(cell: Mapping[str, Any]) -> dict[str, Any]:
    kind = _kind(cell)
    source = text_of(next((cell[key] for key in ("source", "input", "text") if key in cell), ""))
    if cell.get("cell_type") == "heading":
        level = cell.get("level", 1)
        hashes = "#" * (level if type(level) is int and 0 < level < 7 else 1)  # noqa: PLR2004
        source = f"{hashes} {' '.join(source.splitlines())}"
    name = cell.get("id")
    made = {
        "id": name if isinstance(name, str) else "",
        "metadata": _metadata(cell.get("metadata")),
        "source": source,
    }
    turn_into(made, kind)
    attachments = cell.get("attachments")
    if kind != CODE and attachments and is_attachments(attachments):
        made["attachments"] = copy.deepcopy(attachments)
    return made


def _kind(cell: Mapping[str, Any]) -> str:
    kind = cell.get("cell_type")
    if kind in KINDS:
        return str(kind)
    if kind in ("heading", "html"):
        return MARKDOWN
    return CODE if {"outputs", "input", "execution_count"} & cell.keys() else RAW


def _metadata(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        return {}
    kept = {key: value for key, value in found.items() if depth(value) < _ROOM}
    kept.pop("trusted", None)
    for key in _SCHEMA_KEYS:
        if key in kept and not is_plain_cell_metadata({key: kept[key]}):
            del kept[key]
    return copy.deepcopy(kept)
