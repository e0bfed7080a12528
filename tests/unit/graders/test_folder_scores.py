"""The table of scores is one that programs and spreadsheets read alike."""

from pathlib import Path

import pytest

from bioskills.graders.folder_gradebook import Row
from bioskills.graders.folder_record import Done, Record, alone
from bioskills.graders.folder_scores import write_scores


def table(path: Path, student: str, row: Row) -> str:
    write_scores(path, "ps1", {student: [row]}, {student: "graded"})
    return path.read_text(encoding="utf-8").splitlines()[1]


@pytest.mark.parametrize(
    ("student", "shown"),
    [
        ("ada", "ada"),
        ("=1+1", "'=1+1"),
        (" @sum", "' @sum"),
        ("-3", "'-3"),
        ("zoë, núñez", '"zoë, núñez"'),
    ],
)
def test_no_name_becomes_a_formula(tmp_path: Path, student: str, shown: str) -> None:
    row = Row("p", "one", 1.0, None, 2.0, needs_manual_grade=False)

    assert table(tmp_path / "s.csv", student, row) == f"ps1,p,{shown},one,1,,2,false,graded"


@pytest.mark.parametrize(
    ("score", "shown"), [(None, ""), (0.0, "0"), (-0.5, "-0.5"), (1 / 3, "0.333333333333333")]
)
def test_numbers_are_short_and_nothing_is_empty(
    tmp_path: Path, score: float | None, shown: str
) -> None:
    row = Row("p", "one", score, 1.5, 2.0, needs_manual_grade=True)

    assert table(tmp_path / "s.csv", "ada", row) == f"ps1,p,ada,one,{shown},1.5,2,true,graded"


def test_a_file_is_replaced_whole_and_no_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "far").write_text("mine")
    (tmp_path / ".s.csv.new").symlink_to(tmp_path / "far")
    (tmp_path / "s.csv").symlink_to(tmp_path / "far")
    write_scores(tmp_path / "s.csv", "ps1", {}, {})

    assert (tmp_path / "far").read_text() == "mine"
    assert not (tmp_path / "s.csv").is_symlink()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_graded_is_remembered_and_broken_notes_are_empty_ones(tmp_path: Path) -> None:
    own = tmp_path / ".bioskills"
    with alone(own):
        Record.read(own / "graded", "ps1").note("zoë", Done("key", "graded", parts={"cells": 0.3}))

    assert Record.read(own / "graded", "ps1").done == {
        "zoë": Done("key", "graded", "", {"cells": 0.3})
    }
    (own / "graded" / "ps1.json").write_text('{"zoë": [1]}')
    assert Record.read(own / "graded", "ps1").done == {}
