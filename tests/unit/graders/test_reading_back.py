"""What is read from a graded notebook: names, never texts."""

from pathlib import Path
from typing import Any

import pytest

from bioskills.base.wire import CellScore
from bioskills.competence.hashes import scores_sha256
from bioskills.graders.reading_back import (
    answers,
    failed_checks,
    notebook,
    notebooks_in,
    sources_sha256,
    why_no_points,
)


def graded_cell(*outputs: Any) -> dict[str, Any]:
    metadata = {"nbgrader": {"grade_id": "gc", "grade": True}}
    return {"cell_type": "code", "source": "", "metadata": metadata, "outputs": list(outputs)}


def error(kind: str, value: str = "") -> dict[str, Any]:
    return {"output_type": "error", "ename": kind, "evalue": value, "traceback": ["secret"]}


def book(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells)}


def test_a_failed_check_is_known_by_its_id() -> None:
    graded = book(graded_cell(error("AssertionError", "[lower_case] gave 17, expected 42")))

    assert failed_checks(graded, {"gc": {"lower_case"}}) == {"gc": ["lower_case"]}


def test_an_id_that_the_notes_do_not_list_is_no_check() -> None:
    graded = book(graded_cell(error("AssertionError", "[made_up] look here")))

    assert failed_checks(graded, {"gc": {"lower_case"}}) == {}


@pytest.mark.parametrize(
    ("outputs", "word"),
    [
        ([error("NameError", "name 'my_secret' is not defined")], "NameError"),
        ([error("KeyboardInterrupt"), error("CellTimeoutError")], "without end"),
        ([{"output_type": "stream", "name": "stderr", "text": "my_secret"}], "warning"),
        ([error("MySecretError", "my_secret")], ""),
        ([error("AssertionError", "[lower_case] my_secret")], ""),
        ([], ""),
    ],
)
def test_a_learner_reads_why_there_are_no_points(outputs: list[Any], word: str) -> None:
    said = why_no_points(book(graded_cell(*outputs)), ["gc"]).get("gc", "")

    assert (word in said) if word else said == ""
    assert "my_secret" not in said.lower().replace(" ", "_")


def test_a_grade_cell_that_is_not_there_is_named() -> None:
    assert list(why_no_points(book(graded_cell()), ["gc", "table"])) == ["table"]


def test_answers_are_whole_characters() -> None:
    cell = {
        "metadata": {"nbgrader": {"grade_id": "a", "solution": True}},
        "source": ["x = ", "'\ud83d'"],
    }

    assert answers(book(cell)) == {"a": "x = '?'"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"cells": 1}', '{"cells": ["x"]}', "[" * 100_000, '{"cells": [1]}']
)
def test_what_is_no_notebook_is_none(text: str) -> None:
    assert notebook(text) is None


def test_unreadable_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text('{"cells": []}')
    (tmp_path / "b.ipynb").write_bytes(b"\xff\xfe")
    (tmp_path / "c.ipynb").mkdir()

    assert list(notebooks_in(tmp_path)) == ["a"]


def test_odd_sources_and_scores_have_no_hash_but_do_no_harm() -> None:
    cell = CellScore(cell="a/b", max_points="1", auto_points="nan", needs_person=False)

    assert isinstance(sources_sha256({"a": {"cells": [{"source": "\ud83d"}]}}), str)
    assert scores_sha256([cell]) == ""
