"""Put a notebook right so that nbgrader can grade it.

Law: pure. What a learner wrote stays, in its place; what the assignment
prescribes (marks, kinds, locked cells, the kernel) is made as it was released.
Locked text is never written here: nbgrader puts it back itself, hidden tests
and all. Putting right never gives points: what is put back is run.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioskills.graders.repair import words
from bioskills.graders.repair.cells import give_ids, plain_cells, plain_metadata, turn_into
from bioskills.graders.repair.matching import Found, Place, is_ordered, match
from bioskills.graders.repair.model import CODE, Expected, Mended, SourceCell
from bioskills.graders.repair.stock import (
    NEWEST_MINOR,
    SCHEMA,
    SKIP,
    is_flagged,
    is_plain_metadata,
    is_skipped,
    marks_of,
    name_of,
)

FLAGGED = {"flags", "skip", "not_found"}
"""What a person should look at before the score counts."""


def is_whole(book: Mapping[str, Any], places: Sequence[Place], expected: Expected) -> bool:
    """Say whether no cell of the assignment is lost in a notebook that nbgrader grades as it is."""
    cells = book["cells"]
    names = [name_of(marks_of(cell)) for cell in cells]
    return (
        {cell.name for cell in expected.cells if cell.locked or cell.grade} <= set(names)
        and not any(True for _move in _moves(names, places, expected))
        and not skipped(book, places, expected)
    )


def skipped(book: Mapping[str, Any], places: Sequence[Place], expected: Expected) -> list[str]:
    """Return the locked cells that carry a tag against being run which the release has not."""
    locked = {cell.name for cell in expected.cells if cell.locked or cell.is_test}
    locked -= {place.name for place in places if is_skipped(place.cell)}
    names = {name_of(marks_of(cell)) for cell in book["cells"] if is_skipped(cell)}
    return sorted(names & locked)


def mended(
    book: Mapping[str, Any],
    notebook: str,
    places: Sequence[Place],
    expected: Expected,
    *,
    restore: bool,
) -> tuple[dict[str, Any], list[Mended]]:
    """Return a notebook that nbgrader can grade, and what was put right.

    Args:
        book: A notebook of any format and in any state.
        notebook: Its name without ending.
        places: The assignment's cells, as `template` gives them.
        expected: The assignment's notebook.
        restore: Whether cells that were lost are searched, put back and put in order.
    """
    work = _Work(plain_cells(book), notebook, places, expected, search=restore)
    work.label()
    if restore:
        work.put_back()
        work.put_in_order()
    give_ids(work.cells)
    made = {
        "cells": work.cells,
        "metadata": _metadata(book, expected),
        "nbformat": 4,
        "nbformat_minor": NEWEST_MINOR,
    }
    return made, work.mended


class _Work:
    """One notebook while it is being put right."""

    def __init__(
        self,
        cells: list[dict[str, Any]],
        notebook: str,
        places: Sequence[Place],
        expected: Expected,
        *,
        search: bool,
    ) -> None:
        self.cells = cells
        self.notebook = notebook
        self.places = places
        self.expected = expected
        self.known = {cell.name: cell for cell in expected.cells}
        self.found: Found = match(cells, places, expected, search=search)
        self.mended: list[Mended] = []

    def say(self, code: str, name: str = "") -> None:
        """Note one thing that was put right."""
        sentence = words.cell(code, self.notebook, name)
        flagged = code in FLAGGED
        self.mended.append(Mended(code, self.notebook, name, sentence, flagged=flagged))

    def label(self) -> None:
        """Give every cell the marks that it has in the assignment."""
        for index, cell in enumerate(self.cells):
            name = self.found.names.get(index)
            if name:
                self._mark(cell, name)
            else:
                self._unmark(cell, again=index in self.found.again)
        for name in sorted(set(self.found.again.values()) - self.found.pieces.keys()):
            self.say("duplicate", name)
        self._join()

    def put_back(self) -> None:
        """Put back locked cells that are missing; say which answers are not there."""
        there = set(self.found.names.values())
        for place in [place for place in self.places if place.name and place.name not in there]:
            source = self.known[place.name]
            if source.is_test or source.task or (source.locked and source.cell_type == CODE):
                self.cells.insert(self._where(place), _marked(place, source))
                self.say("put_back", place.name)
            elif source.grade:
                self.say("not_found", place.name)

    def put_in_order(self) -> None:
        """Move tests that stand above the answers they test to below them."""
        for name, after in list(_moves(self._names(), self.places, self.expected)):
            names = self._names()
            cell = self.cells.pop(names.index(name))
            self.cells.insert(self._names().index(after) + 1, cell)
            self.say("moved", name)

    def _names(self) -> list[str]:
        return [name_of(marks_of(cell)) for cell in self.cells]

    def _where(self, place: Place) -> int:
        """Return the index behind all that comes before a cell, and before the next that comes after it."""
        if not is_ordered(self.places, self.expected):
            return len(self.cells)
        order = [each.name for each in self.places]
        before = {name for name in order[: order.index(place.name)] if name}
        after = {name for name in order[order.index(place.name) + 1 :] if name}
        names = self._names()
        first = max((i for i, name in enumerate(names) if name in before), default=-1) + 1
        return next((i for i in range(first, len(names)) if names[i] in after), len(names))

    def _mark(self, cell: dict[str, Any], name: str) -> None:
        source, marks = self.known[name], marks_of(cell)
        place = next(place for place in self.places if place.name == name)
        fault = "" if marks == marks_of(place.cell) else _fault(marks, source)
        if name in self.found.recognised:
            self.say("recognised", name)
        elif fault:
            self.say(fault, name)
        if cell["cell_type"] != source.cell_type:
            turn_into(cell, source.cell_type)
            self.say("retyped", name)
        cell["metadata"]["nbgrader"] = _marks(source)
        if (source.locked or source.is_test) and is_skipped(cell) and not is_skipped(place.cell):
            cell["metadata"]["tags"] = [tag for tag in cell["metadata"]["tags"] if tag != SKIP]
            self.say("skip", name)

    def _unmark(self, cell: dict[str, Any], *, again: bool) -> None:
        marks = cell["metadata"].pop("nbgrader", None)
        if is_flagged(marks) and not again:
            self.say("stranger")

    def _join(self) -> None:
        """Put the pieces of written answers together, in the cell that counts."""
        gone: set[int] = set()
        for name, indices in self.found.pieces.items():
            kept = self.found.at[name]
            texts = [self.cells[index]["source"] for index in indices]
            self.cells[kept]["source"] = "\n".join(texts)
            gone |= set(indices) - {kept}
            self.say("joined", name)
        self.cells = [cell for index, cell in enumerate(self.cells) if index not in gone]


def _moves(
    names: Sequence[str], places: Sequence[Place], expected: Expected
) -> Iterator[tuple[str, str]]:
    """Yield tests that stand above every answer they belong to, and the last of those answers."""
    known = {cell.name: cell for cell in expected.cells}
    at = {name: index for index, name in enumerate(names) if name in known}
    answers: list[str] = []
    ordered = places if is_ordered(places, expected) else []
    for source in (known[place.name] for place in ordered if place.name):
        if source.solution:
            answers.append(source.name)
        elif source.is_test:
            there = [at[name] for name in answers if name in at]
            if there and source.name in at and at[source.name] < min(there):
                yield source.name, names[max(there)]
            answers = []


def _fault(marks: object, source: SourceCell) -> str:
    """Return what is wrong with a cell's marks: `flags` where they ask for another way of grading."""
    if not isinstance(marks, dict):
        return "marks"
    wanted = _marks(source)
    flags = ("grade", "solution", "task")
    if any(
        bool(marks.get(flag)) != wanted[flag]
        for flag in flags
        if source.grade or marks.get("grade")
    ):
        return "flags"
    fixed = {"schema_version": SCHEMA, "grade": False, "solution": False, "locked": False}
    same = all(marks.get(key, default) == wanted[key] for key, default in fixed.items())
    whole = fixed.keys() <= marks.keys() <= {*wanted, "points"}
    return "" if same and whole and (not source.grade or "points" in marks) else "marks"


def _marks(source: SourceCell) -> dict[str, Any]:
    marks: dict[str, Any] = {
        "schema_version": SCHEMA,
        "grade_id": source.name,
        "grade": source.grade,
        "solution": source.solution,
        "locked": source.locked,
        "task": source.task,
        "cell_type": source.cell_type,
    }
    if source.points is not None and (source.grade or source.task):
        marks["points"] = source.points
    if source.checksum:
        marks["checksum"] = source.checksum
    return marks


def _marked(place: Place, source: SourceCell) -> dict[str, Any]:
    """Return a cell as released, to be put back."""
    cell = copy.deepcopy(place.cell)
    turn_into(cell, source.cell_type)
    cell["metadata"]["nbgrader"] = _marks(source)
    return cell


def _metadata(book: Mapping[str, Any], expected: Expected) -> dict[str, Any]:
    kept = plain_metadata(book)
    for key in ("kernelspec", "language_info", "title", "authors"):
        if key in kept and not is_plain_metadata({key: kept[key]}):
            del kept[key]
    kernel = kept.get("kernelspec")
    if expected.kernelspec:
        kept["kernelspec"] = dict(expected.kernelspec)
    elif kernel and kernel["name"] not in expected.kernels:
        del kept["kernelspec"]
    kept.pop("orig_nbformat", None)
    return kept
