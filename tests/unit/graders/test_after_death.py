"""What a dead kernel leaves earns what it had earned, and nothing more."""

import copy
from typing import Any

import pytest
from nbformat import from_dict
from nbgrader.utils import determine_grade

from bioskills.graders.after_death import mark_unrun, mark_unscorable, why_died

Outputs = list[dict[str, Any]]


def value(text: Any) -> dict[str, Any]:
    data = {} if text is None else {"text/plain": text}
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}


def stream(name: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": "said"}


def cell(name: str, outputs: Outputs, *, grade: bool = True) -> Any:
    marks = {"grade_id": name, "grade": grade, "solution": not grade, "points": 2}
    return from_dict(
        {
            "cell_type": "code",
            "source": "1",
            "metadata": {"nbgrader": marks},
            "outputs": copy.deepcopy(outputs),
            "execution_count": 1,
        }
    )


def points(found: Any) -> Any:
    return determine_grade(found)[0]


def test_what_was_earned_before_stays_and_the_rest_earns_nothing() -> None:
    text = from_dict({"cell_type": "markdown", "source": "", "metadata": {}})
    cells = [cell("a", []), cell("b", [value("1")]), text, cell("c", []), cell("d", [value("1")])]

    assert mark_unrun(cells, 3) == ["c", "d"]
    assert [points(c) for c in cells if c.cell_type == "code"] == [2, 1, 0, 0]


def test_a_value_of_a_test_that_did_not_end_earns_nothing() -> None:
    cells = [cell("a", [stream("stdout"), value("2")])]
    mark_unrun(cells, 0)

    assert points(cells[0]) == 0
    assert [output.output_type for output in cells[0].outputs] == ["error", "stream"]


def test_a_kernel_that_never_ran_a_cell_leaves_no_points() -> None:
    cells = [cell("a", []), cell("answer", [], grade=False)]

    assert mark_unrun(cells, -1) == ["a"]
    assert points(cells[0]) == 0


def test_nothing_is_marked_where_everything_ran() -> None:
    cells = [cell("a", [value("1")])]

    assert mark_unrun(cells, 1) == []
    assert points(cells[0]) == 1


@pytest.mark.parametrize(
    ("outputs", "stops"),
    [
        ([], False),
        ([value("1")], False),
        ([value(["1"])], False),
        ([value("3")], True),
        ([value(["3"])], True),
        ([value("inf")], True),
        ([value(None)], True),
        ([value("")], True),
        ([value("nan")], False),
        ([value("-1")], False),
        ([value("text")], False),
        ([value(["1", "2"])], False),
        ([stream("stderr"), value("3")], False),
        ([stream("stdout"), value("3")], True),
    ],
)
def test_only_a_value_that_stops_nbgrader_is_marked(
    outputs: Outputs,
    stops: bool,
) -> None:
    found = cell("a", outputs)
    try:
        before = points(found)
    except (KeyError, ValueError):
        before = None

    assert (before is None) is stops
    assert mark_unscorable([found]) == (["a"] if stops else [])
    assert points(found) == (0 if stops else before)


def test_the_sentence_names_what_was_not_run() -> None:
    said = why_died("DeadKernelError", ["c", "d"])

    assert "Python itself ended" in said
    assert "c, d" in said
    assert "bash itself ended" in why_died("DeadKernelError", [], "bash")
