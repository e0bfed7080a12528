"""Points that a test does not give by itself are flagged, and stay as they are."""

import sqlite3
from pathlib import Path

import pytest

from bioskills.base.wire import CellScore
from bioskills.graders.odd_points import odd_points, returns_a_number
from bioskills.graders.source_cells import source_cells

ALL_OR_NOTHING = "assert gc('A') == 0\n### BEGIN HIDDEN TESTS\nassert gc('N')\n### END HIDDEN TESTS"
IN_PARTS = "given = gc('A')\n### BEGIN HIDDEN TESTS\ngiven += 1\n### END HIDDEN TESTS\ngiven"


def flagged(points: str | None, test: str, most: str = "2", kind: str = "code") -> bool:
    cell = CellScore(
        cell="p1/gc", cell_type=kind, max_points=most, auto_points=points, needs_person=False
    )
    return bool(odd_points([cell], {"p1/gc": test}))


# Points of 2, whether the test gives parts, and whether somebody should look.
POINTS = {
    "nothing": ("0", ALL_OR_NOTHING, False),
    "not run": (None, ALL_OR_NOTHING, False),
    "all": ("2", ALL_OR_NOTHING, False),
    "a part of all or nothing": ("1", ALL_OR_NOTHING, True),
    "a half": ("1", IN_PARTS, False),
    "a third": ("0.6666666666666666", IN_PARTS, False),
    "a twentieth": ("0.1", IN_PARTS, False),
    "a message": ("1.3718261718750000", IN_PARTS, True),
    "a message hidden behind a half": ("1.0000210000000000", IN_PARTS, True),
    "no number": ("nan", IN_PARTS, True),
    "more than all": ("3", IN_PARTS, True),
    "a cell that the gradebook does not know": ("1", "", False),
}


@pytest.mark.parametrize(("points", "test", "odd"), POINTS.values(), ids=POINTS)
def test_points_are_flagged_where_code_may_have_chosen_them(
    points: str | None, test: str, odd: bool
) -> None:
    assert flagged(points, test) == odd


def test_extra_points_of_a_cell_that_can_give_none_are_flagged() -> None:
    assert flagged("1", IN_PARTS, most="0")
    assert not flagged("0", IN_PARTS, most="0")


@pytest.mark.parametrize(
    ("test", "number"),
    [
        ("assert x", False),
        ("x", True),
        ("f(x)", True),
        ("%time x\nassert x", False),
        ("for i in x:\n    i", False),
        ("", False),
        ("is no Python here", True),
        ("(" * 100_000, True),
    ],
)
def test_a_test_gives_parts_where_its_last_line_is_a_value(test: str, number: bool) -> None:
    assert returns_a_number(test) == number


def test_sources_are_read_from_the_gradebook_of_one_assignment(tmp_path: Path) -> None:
    path = tmp_path / "grade book.db"
    with sqlite3.connect(path) as book:
        book.executescript(
            """
            create table assignment (id, name);
            create table notebook (id, name, assignment_id);
            create table source_cell (name, source, notebook_id);
            insert into assignment values (1, 'p1'), (2, 's1');
            insert into notebook values (1, 'p1', 1), (2, 'more', 1), (3, 's1', 2);
            insert into source_cell values ('gc', 'a', 1), ('gc', null, 2), ('gc', 'c', 3);
            """
        )
    book.close()

    assert source_cells(path, "p1") == {"p1/gc": "a", "more/gc": ""}
