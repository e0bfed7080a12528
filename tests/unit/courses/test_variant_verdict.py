"""When a wrong answer ended as its author says, and when not."""

import pytest

from bioskills.courses.grading_notes import Variant
from bioskills.graders.solutions import CellResult
from bioskills.graders.trial_worker import variant_faults

PASSED = CellResult(2, 2)
BY_PERSON = CellResult(None, 3)
HIDDEN = CellResult(0, 2, "hidden", "AssertionError: [gaps] x")
VISIBLE = CellResult(0, 2, "visible", "AssertionError: [seen] x")


@pytest.mark.parametrize(
    ("passes_visible", "results", "keys"),
    [
        pytest.param(True, {"a": HIDDEN, "b": PASSED, "c": BY_PERSON}, [], id="stopped_as_said"),
        pytest.param(False, {"a": VISIBLE, "b": PASSED}, [], id="stopped_early_as_said"),
        pytest.param(True, {"a": PASSED, "b": PASSED}, ["fails"], id="not_stopped"),
        pytest.param(True, {"a": HIDDEN, "b": HIDDEN}, ["fails"], id="fails_elsewhere_too"),
        pytest.param(True, {"a": VISIBLE, "b": PASSED}, ["passes_visible"], id="stopped_early"),
        pytest.param(False, {"a": HIDDEN, "b": PASSED}, ["passes_visible"], id="stopped_late"),
    ],
)
def test_a_wrong_answer_must_end_as_its_author_says(
    passes_visible: bool, results: dict[str, CellResult], keys: list[str]
) -> None:
    variant = Variant(cell="x", source="y", fails=("a",), passes_visible=passes_visible)

    assert [fault.key for fault in variant_faults("v.yml", variant, results)] == keys
