"""What a learner reads after *Check my work*."""

from typing import Any

import pytest
from bioskills_lab.checking import check_result
from bioskills_lab.notebook import cells_of, released_note, source_digest, untouched
from bioskills_lab.running import Fault, Run

from .conftest import cell, notebook, released_notebook


def written(answer: str, text: str = "Because it is on the disk.") -> dict[str, Any]:
    found = released_notebook()
    found["cells"][1]["source"] = answer
    found["cells"][4]["source"] = text
    return found


RELEASED = released_note(released_notebook())
GOOD = "def gc(seq):\n    return 100"


def check(found: dict[str, Any], *faults: tuple[int, Fault], stopped: str = "") -> dict[str, Any]:
    run = Run(faults=dict(faults), reached=len(found["cells"]), stopped=stopped)
    return check_result(cells_of(found), RELEASED, run)


def test_a_run_without_errors_passes() -> None:
    result = check(written(GOOD))
    assert result["passed"]
    assert result["untouched"] == []


def test_a_failing_check_is_told_in_the_words_of_the_course() -> None:
    fault = Fault(
        "AssertionError", "[upper_case] a plain sequence gave a wrong value", "Traceback…"
    )
    (test,) = check(written(GOOD), (2, fault))["tests"]
    assert test["message"] == "A plain sequence gave a wrong value."
    assert test["check"] == "upper_case"
    assert test["title"] == "GC percentage"
    assert not test["passed"]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("NotImplementedError", "", "The answer that this test looks at is not written yet."),
        ("AssertionError", "", "A check of this test did not hold."),
        ("ZeroDivisionError", "division by zero\nmore", "The code ended with ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_every_error_begins_with_a_sentence(name: str, text: str, sentence: str) -> None:
    (test,) = check(written(GOOD), (2, Fault(name, text, "Traceback")))["tests"]
    assert test["message"] == sentence
    assert test["traceback"] == "Traceback"


def test_an_error_in_the_answer_itself_is_named() -> None:
    result = check(written("def gc(:"), (1, Fault("SyntaxError", "invalid syntax", "…")))
    assert [fault["message"] for fault in result["faults"]] == [
        "Python cannot read this cell (SyntaxError: invalid syntax)."
    ]


def test_an_answer_as_received_counts_as_untouched() -> None:
    found = released_notebook()
    assert [place["cell"] for place in untouched(cells_of(found), RELEASED)] == ["gc_answer", "why"]


@pytest.mark.parametrize(
    "source", ["", "  \n", "YOUR ANSWER HERE", "x\nraise NotImplementedError()"]
)
def test_an_empty_answer_is_untouched_also_without_a_note(source: str) -> None:
    found = written(GOOD, source)
    assert [place["cell"] for place in untouched(cells_of(found), {})] == ["why"]


def test_an_answer_equal_to_the_released_source_is_untouched_without_any_marker() -> None:
    found = notebook(cell("code", "answer = None", "a", solution=True))
    assert untouched(cells_of(found), released_note(found))
    found["cells"][0]["source"] = "answer = 3"
    assert not untouched(cells_of(found), released_note(notebook(cell("code", "answer = None", "a", solution=True))))  # fmt: skip


def test_a_changed_test_does_not_pass() -> None:
    found = written(GOOD)
    found["cells"][2]["source"] = "assert True"
    (test,) = check(found)["tests"]
    assert not test["passed"]
    assert "original" in test["note"]


def test_a_deleted_test_is_missed() -> None:
    found = written(GOOD)
    del found["cells"][2]
    result = check(found)
    assert not result["passed"]
    assert [test["cell"] for test in result["tests"]] == ["gc"]


def test_a_copied_cell_is_named() -> None:
    found = written(GOOD)
    found["cells"].append(dict(found["cells"][1]))
    assert "twice" in check(found)["tests"][-1]["message"]


def test_a_stopped_run_does_not_pass() -> None:
    assert not check(written(GOOD), stopped="too long")["passed"]


def test_outputs_do_not_change_what_was_checked() -> None:
    one, two = written(GOOD), written(GOOD)
    two["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hi"}]
    assert source_digest(cells_of(one)) == source_digest(cells_of(two))


def test_an_odd_notebook_is_read_without_an_error() -> None:
    odd: dict[str, Any] = {
        "cells": [3, {}, {"metadata": 1, "source": 2}, {"metadata": {"nbgrader": []}}]
    }
    assert len(cells_of(odd)) == 4
