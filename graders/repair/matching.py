"""Find out which cell of a hand-in is which cell of the assignment.

Law: pure. A cell has the name that its own marks say. A cell without marks is
given one only where there is no second possibility: by its id, by its text, or,
for answers, by its place between cells that are known. In doubt it has none.
A wrong guess could not win points either: locked text is put back whatever the
cell says, and other answers are read by a person.
"""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioskills.graders.repair.cells import plain_cells
from bioskills.graders.repair.model import Expected, SourceCell
from bioskills.graders.repair.reading import read
from bioskills.graders.repair.stock import is_flagged, marks_of, name_of

MOST_CELLS = 5000
"""A notebook with more cells is no learner's work: nothing is searched in it."""
_HIDDEN = re.compile(
    r"^[^\n]*### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*\n?", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Place:
    """One cell of the assignment as a learner gets it.

    Attributes:
        name: grade_id; empty where nbgrader has no interest in the cell.
        cell: As released; without released notebook, made from the gradebook.
        released: Whether it comes from the released notebook.
    """

    name: str
    cell: dict[str, Any]
    released: bool = False

    @property
    def text(self) -> str:
        """Return its text as `bare` gives it."""
        return bare(self.cell["source"])


@dataclass
class Found:
    """Which cell is which.

    Attributes:
        names: By index of the hand-in, the name; only cells that have one.
        again: Indices of further cells of a name that another cell has.
        recognised: Names that were given to cells without marks.
        pieces: By name, the indices of an answer that was split, in order.
    """

    names: dict[int, str] = field(default_factory=dict)
    again: dict[int, str] = field(default_factory=dict)
    recognised: set[str] = field(default_factory=set)
    pieces: dict[str, list[int]] = field(default_factory=dict)

    @property
    def at(self) -> dict[str, int]:
        """Return the indices by name."""
        return {name: index for index, name in self.names.items()}


def template(expected: Expected) -> list[Place]:
    """Return the assignment's cells as a learner gets them, in order."""
    known = {cell.name: cell for cell in expected.cells}
    book = read(expected.released).book if expected.released else None
    places = [] if book is None else list(_released(plain_cells(book), known))
    there = {place.name for place in places}
    return places + [_made(cell) for cell in expected.cells if cell.name not in there]


def is_ordered(places: Sequence[Place], expected: Expected) -> bool:
    """Say whether the places stand in the order of the notebook."""
    released = {place.name for place in places if place.released}
    return expected.in_order or all(cell.name in released for cell in expected.cells)


def bare(text: str) -> str:
    """Return a text without what editors change by themselves."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def match(
    cells: Sequence[Mapping[str, Any]],
    places: Sequence[Place],
    expected: Expected,
    *,
    search: bool = True,
) -> Found:
    """Return which cell of a hand-in is which.

    Args:
        cells: As `plain_cells` gives them.
        places: As `template` gives them.
        expected: The assignment's notebook.
        search: Whether cells without marks are looked at.
    """
    known = {cell.name: cell for cell in expected.cells}
    ordered = is_ordered(places, expected)
    found = _by_marks(cells, places, known, _tests_of(places, known) if ordered else {})
    if not search or len(cells) > MOST_CELLS:
        return found
    by = _Searcher(cells, [p for p in places if p.name], found, known)
    by.ids()
    by.texts()
    if ordered:
        _by_place(by, places)
    return found


def _released(cells: Iterable[dict[str, Any]], known: Mapping[str, SourceCell]) -> Iterator[Place]:
    for cell in cells:
        name = name_of(marks_of(cell))
        yield Place(name if name in known else "", cell, released=True)


def _made(source: SourceCell) -> Place:
    visible = _HIDDEN.sub("", source.source).rstrip("\n")
    return Place(
        source.name,
        {"cell_type": source.cell_type, "id": "", "metadata": {}, "source": visible},
    )


def _by_marks(
    cells: Sequence[Mapping[str, Any]],
    places: Sequence[Place],
    known: Mapping[str, SourceCell],
    tests: Mapping[str, str],
) -> Found:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, cell in enumerate(cells):
        name = name_of(marks_of(cell))
        if name in known:
            groups[name].append(index)
    by_name = {place.name: place for place in places}
    found = Found()
    for name, indices in groups.items():
        # The copy above the test is the one that the test was written for.
        test = groups.get(tests.get(name, ""), [len(cells)])[-1]
        above = [index for index in indices if index < test] or indices
        kept = _the_one(above, cells, by_name[name], known[name])
        found.names[kept] = name
        found.again |= {index: name for index in indices if index != kept}
        pieces = _pieces(indices, cells, by_name[name], known[name])
        if pieces:
            found.pieces[name] = pieces
    return found


def _tests_of(places: Sequence[Place], known: Mapping[str, SourceCell]) -> dict[str, str]:
    """Return by name of an ungraded answer the test that comes next."""
    tests: dict[str, str] = {}
    answers: list[str] = []
    for source in (known[place.name] for place in places if place.name):
        if source.is_test:
            tests |= dict.fromkeys(answers, source.name)
            answers = []
        elif source.solution and not source.grade:
            answers.append(source.name)
    return tests


def _the_one(
    indices: list[int], cells: Sequence[Mapping[str, Any]], place: Place, source: SourceCell
) -> int:
    """Return which of several cells of a name counts: the last that nbgrader looks at and that was worked on."""
    flagged = [index for index in indices if is_flagged(marks_of(cells[index]))] or indices
    if source.locked:
        return flagged[-1]
    worked = [index for index in flagged if bare(cells[index]["source"]) not in {"", place.text}]
    return (worked or flagged)[-1]


def _pieces(
    indices: list[int], cells: Sequence[Mapping[str, Any]], place: Place, source: SourceCell
) -> list[int]:
    """Return the cells of a written answer that was split; none where it is another kind of doubling."""
    texts = [bare(cells[index]["source"]) for index in indices]
    together = indices == list(range(indices[0], indices[-1] + 1))
    whole = place.text not in texts and len(set(texts)) == len(texts) and all(texts)
    written = source.solution and source.cell_type == "markdown"
    flagged = all(is_flagged(marks_of(cells[index])) for index in indices)
    return indices if len(indices) > 1 and together and whole and written and flagged else []


class _Searcher:
    """Looks for cells of the assignment among those of a hand-in that have no name."""

    def __init__(
        self,
        cells: Sequence[Mapping[str, Any]],
        places: Sequence[Place],
        found: Found,
        known: Mapping[str, SourceCell],
    ) -> None:
        self.cells = cells
        self.places = places
        self.found = found
        self.known = known

    @property
    def missing(self) -> list[Place]:
        """Return the cells of the assignment that were not found so far."""
        there = set(self.found.names.values())
        return [place for place in self.places if place.name not in there]

    @property
    def free(self) -> list[int]:
        """Return the cells that nothing is known about."""
        taken = self.found.names.keys() | self.found.again.keys()
        return [index for index in range(len(self.cells)) if index not in taken]

    def give(self, index: int, name: str) -> None:
        """Give a cell a name."""
        self.found.names[index] = name
        self.found.recognised.add(name)

    def ids(self) -> None:
        """Find cells by their id, which Jupyter keeps."""
        free = {str(self.cells[index]["id"]): index for index in self.free}
        for place in self.missing:
            index = free.get(place.cell["id"] or "-")
            if index is not None and self._fits(index, place):
                self.give(index, place.name)

    def texts(self) -> None:
        """Find cells by a text that nothing else has."""
        counts = Counter(place.text for place in self.places)
        free: dict[str, list[int]] = defaultdict(list)
        for index in self.free:
            free[bare(self.cells[index]["source"])].append(index)
        for place in self.missing:
            there = free.get(place.text, []) if place.text and counts[place.text] == 1 else []
            if len(there) == 1:
                self.give(there[0], place.name)

    def _fits(self, index: int, place: Place) -> bool:
        """An answer may say anything; a locked cell of the same id must still look like itself."""
        text = bare(self.cells[index]["source"])
        return not self.known[place.name].locked or _first_line(text) == _first_line(place.text)


def _first_line(text: str) -> str:
    lines = text.splitlines()
    return next(
        (line for line in lines if line.startswith(("def ", "class "))), "\n".join(lines[:1])
    )


def _by_place(by: _Searcher, places: Sequence[Place]) -> None:
    """Find answers between two cells that are known."""
    anchors = _anchors(by, places)
    for (place_from, cell_from), (place_to, cell_to) in itertools.pairwise(anchors):
        there = places[place_from + 1 : place_to]
        free = [index for index in by.free if cell_from < index < cell_to]
        for place in there:
            answer = place.name in {missing.name for missing in by.missing}
            if answer and by.known[place.name].solution:
                _give_only_one(by, place, there, free)


def _give_only_one(
    by: _Searcher, place: Place, there: Sequence[Place], free: Sequence[int]
) -> None:
    """Name the cell that must be this answer, where only one can be."""
    kind = place.cell["cell_type"]
    left = [index for index in free if index in by.free and by.cells[index]["cell_type"] == kind]
    like = [i for i in left if _first_line(bare(by.cells[i]["source"])) == _first_line(place.text)]
    named = {missing.name for missing in by.missing}
    wanted = [p for p in there if p.cell["cell_type"] == kind and (not p.name or p.name in named)]
    if len(like) == 1:
        by.give(like[0], place.name)
    elif len(left) == len(wanted):
        by.give(left[wanted.index(place)], place.name)


def _anchors(by: _Searcher, places: Sequence[Place]) -> list[tuple[int, int]]:
    """Return pairs of indices, assignment and hand-in, that are sure and in the same order."""
    at = by.found.at
    free = {bare(by.cells[index]["source"]): index for index in by.free}
    texts = Counter(place.text for place in places)
    anchors = [(-1, -1)]
    for number, place in enumerate(places):
        alone = place.text and texts[place.text] == 1
        index = at.get(place.name) if place.name else free.get(place.text) if alone else None
        if index is not None and index > anchors[-1][1]:
            anchors.append((number, index))
    return [*anchors, (len(places), len(by.cells))]
