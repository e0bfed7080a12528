"""Repair what was handed in: the notebooks that nbgrader would lose, and no others.

Law: pure, and never an error, whatever the bytes are. What stock nbgrader
grades keeps its bytes, so that it keeps its scores; the exceptions, all in
favour of grading what is there, are said to `change the score`: a locked cell
that was lost is put back and run, a test is not left above its answer, a file
of another name is graded, and a test that says it shall not be run is run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bioskills.graders.repair import words
from bioskills.graders.repair.matching import Place, template
from bioskills.graders.repair.mending import is_whole, mended, skipped
from bioskills.graders.repair.model import Expected, Mended, Repaired
from bioskills.graders.repair.names import ENDING, choose, instead
from bioskills.graders.repair.reading import Reading, read, written
from bioskills.graders.repair.stock import grades
from bioskills.graders.repair.timestamps import TIMESTAMP, is_time

_MATTERS = {"put_back", "moved", "skip", "recognised"}
"""Repairs for whose sake a notebook that nbgrader grades is changed all the same."""


SETTLED = {"not_found", "recognised", "timestamp"}
"""What is said again of files in which nothing is left to do."""
MOST_ROUNDS = 3


def repair(
    files: Mapping[str, bytes], expected: Mapping[str, Expected], *, restore: bool = True
) -> Repaired:
    """Return the files to grade, and what was put right in them.

    What is put right can let more be seen: it is looked at again until nothing is left.

    Args:
        files: What was handed in, by path.
        expected: The assignment's notebooks, by name without ending.
        restore: Whether a notebook that stock nbgrader grades with a loss (a deleted
            test, a file of another name among others) is put right as well. Without it no
            cell is put back, moved or recognised, and every score that stock nbgrader
            gives is the same, except that no test is left out by its tag.
    """
    found = _once(files, expected, restore=restore)
    for _round in range(MOST_ROUNDS if found.mended else 0):
        there = {n: book for n, book in expected.items() if f"{n}{ENDING}" in found.files}
        books = {f"{name}{ENDING}": found.files[f"{name}{ENDING}"] for name in there}
        again = _once(books, there, restore=restore)
        more = tuple(note for note in again.mended if note.code not in SETTLED)
        if not more:
            break
        found = replace(found, files={**found.files, **again.files}, mended=(*found.mended, *more))
    return found


def _once(
    files: Mapping[str, bytes], expected: Mapping[str, Expected], *, restore: bool
) -> Repaired:
    found = _with_time(files)
    free = dict(files)
    for name in expected:
        chosen = choose(name, free, expected)
        beside = any(f"{other}{ENDING}" in files for other in expected if other != name)
        if chosen is None or (beside and not restore and chosen.path != f"{name}{ENDING}"):
            code = instead(files) or ("others" if beside else "")
            found.missing[name] = words.missing(name, code)
            continue
        del free[chosen.path]  # No file is two notebooks.
        found = _with_notebook(found, name, files[chosen.path], expected[name], restore=restore)
        if chosen.path != f"{name}{ENDING}" and name not in found.unreadable:
            sentence = words.renamed(name, chosen.path, chosen.others)
            note = Mended("renamed", name, "", sentence, beside, bool(chosen.others))
            found = replace(found, mended=(*found.mended, note))
    return found


def _with_time(files: Mapping[str, bytes]) -> Repaired:
    if is_time(files.get(TIMESTAMP, b"")):
        return Repaired(dict(files))
    kept = {path: data for path, data in files.items() if path != TIMESTAMP}
    note = Mended("timestamp", "", "", words.timestamp(), flagged=True)
    return Repaired(kept, (note,))


def _with_notebook(
    found: Repaired, name: str, data: bytes, expected: Expected, *, restore: bool
) -> Repaired:
    files = {path: data for path, data in found.files.items() if path != f"{name}{ENDING}"}
    reading = read(data)
    if reading.book is None:
        unreadable = {**found.unreadable, name: words.unreadable(reading.fault, name)}
        return replace(found, files=files, unreadable=unreadable)
    files[f"{name}{ENDING}"], notes = _repaired(data, reading, name, expected, restore=restore)
    return replace(found, files=files, mended=(*found.mended, *notes), found=found.found + 1)


def _repaired(
    data: bytes, reading: Reading, name: str, expected: Expected, *, restore: bool
) -> tuple[bytes, list[Mended]]:
    book: dict[str, Any] = reading.book or {}
    graded = reading.as_is and grades(book, expected)
    places = template(expected)
    if graded and not _is_worth(book, places, expected, restore=restore):
        return data, []
    made, notes = mended(book, name, places, expected, restore=restore)
    notes = [_weighed(note, expected) for note in notes]
    if graded and not any(_matters(note, expected) for note in notes):
        return data, [note for note in notes if note.flagged]
    return written(made), [*_about_text(reading, name, notes, graded=graded), *notes]


def _is_worth(
    book: dict[str, Any], places: Sequence[Place], expected: Expected, *, restore: bool
) -> bool:
    if restore:
        return not is_whole(book, places, expected)
    return bool(skipped(book, places, expected))


def _matters(note: Mended, expected: Expected) -> bool:
    """Say whether a notebook that nbgrader grades is changed for this."""
    graded = {cell.name for cell in expected.cells if cell.grade or cell.task}
    return note.code in _MATTERS and (note.code != "recognised" or note.cell in graded)


def _weighed(note: Mended, expected: Expected) -> Mended:
    """Say whether stock nbgrader may have graded this cell in another way, had it graded it."""
    cell = next((cell for cell in expected.cells if cell.name == note.cell), None)
    by_itself = cell is not None and cell.grade and cell.solution and cell.cell_type == "code"
    scored = cell is not None and not cell.task
    changes = (scored and note.code in _MATTERS) or (note.code == "flags" and by_itself)
    return replace(note, changes_score=changes)


def _about_text(
    reading: Reading, name: str, notes: Sequence[Mended], *, graded: bool
) -> list[Mended]:
    codes = list(reading.mended)
    if not codes and not notes and not graded:
        codes = ["shape"]
    return [Mended(code, name, "", words.text(code, name)) for code in codes]
