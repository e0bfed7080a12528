"""R2: grade cells to a score per outcome, exactly."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from bioskills.competence.exact import NotExactError, exact
from bioskills.competence.mapping import Mapping, parse_mapping
from bioskills.competence.scores import GradeCell, MissingCellsError, attempt_scores, to_stored

S1, K1 = "BSH-U04-S1", "BSH-U04-K1"


def a_mapping(gates: str = "[]") -> Mapping:
    return parse_mapping(f"""
framework: BSH@1.0.0
mapping_version: 1
tasks:
  - id: ps4
    assignments: [ps4, ps4-resit]
    kind: summative
    gates: {gates}
    cells:
      - {{cell: ps4/a, outcomes: {{{S1}: "1.0"}}}}
      - {{cell: ps4/b, outcomes: {{{S1}: "0.5", {K1}: "1.0"}}}}
      - {{cell: ps4-resit/a, outcomes: {{{S1}: "1.0"}}}}
""")


def rows(a: dict[str, Any] | None = None, b: dict[str, Any] | None = None) -> list[GradeCell]:
    first = {"name": "ps4/a", "cell_type": "code", "max_score": "10", "auto_score": "6"}
    second = {"name": "ps4/b", "cell_type": "code", "max_score": "5", "auto_score": "5"}
    return [GradeCell(**first | (a or {})), GradeCell(**second | (b or {}))]


def test_the_worked_example_gives_21_of_25() -> None:
    cells = rows(a={"manual_score": "8", "extra_credit": "3"})
    found = attempt_scores(a_mapping(), "ps4", cells)[S1]

    assert (found.score, to_stored(found.score or Fraction(0))) == (Fraction(21, 25), "0.8400")
    assert (to_stored(found.raw), to_stored(found.max)) == ("10.5000", "12.5000")


SCORES: dict[str, tuple[dict[str, Any], Fraction]] = {
    "automatic": ({}, Fraction(17, 25)),
    "a person's score goes before the machine's": ({"manual_score": "10"}, Fraction(1)),
    "a person's 0 is a score": ({"manual_score": "0"}, Fraction(1, 5)),
    "no score at all is 0": ({"auto_score": None}, Fraction(1, 5)),
    "more than the maximum is clipped": ({"auto_score": "14"}, Fraction(1)),
    "less than 0 is clipped": ({"manual_score": "-3"}, Fraction(1, 5)),
    "extra credit stays with the grade": ({"extra_credit": "4"}, Fraction(17, 25)),
    "partial credit is exact": ({"auto_score": "3.3333"}, Fraction(58333, 125000)),
}


@pytest.mark.parametrize(("cell", "score"), SCORES.values(), ids=SCORES)
def test_a_cell_counts_as_the_rule_says(cell: dict[str, Any], score: Fraction) -> None:
    assert attempt_scores(a_mapping(), "ps4", rows(a=cell))[S1].score == score


def test_one_cell_that_waits_makes_only_its_outcomes_wait() -> None:
    found = attempt_scores(a_mapping(), "ps4", rows(a={"needs_manual_grade": True}))

    assert (found[S1].score, found[S1].pending) == (None, True)
    assert (found[K1].score, found[K1].pending) == (Fraction(1), False)


GATES = {
    "just passed": ("0.6", Fraction(17, 25), ()),
    "just failed": ("0.6001", Fraction(0), ("ps4/a",)),
}


@pytest.mark.parametrize(("least", "score", "failed"), GATES.values(), ids=GATES)
def test_a_failed_gate_makes_the_score_nothing(
    least: str, score: Fraction, failed: tuple[str, ...]
) -> None:
    mapping = a_mapping(f'[{{cell: ps4/a, min: "{least}", outcomes: [{S1}]}}]')
    found = attempt_scores(mapping, "ps4", rows())

    assert (found[S1].score, found[S1].failed_gates) == (score, failed)
    assert found[K1].score == Fraction(1)


def test_a_gate_of_one_third_is_met_by_one_point_of_three() -> None:
    mapping = a_mapping(f'[{{cell: ps4/a, min: "0.3333", outcomes: [{S1}]}}]')
    cells = rows(a={"max_score": "3", "auto_score": "1"})

    assert attempt_scores(mapping, "ps4", cells)[S1].failed_gates == ()


def test_a_gate_that_waits_for_a_person_makes_its_outcome_wait() -> None:
    mapping = a_mapping(f'[{{cell: ps4/a, min: "0.5", outcomes: [{K1}]}}]')
    found = attempt_scores(mapping, "ps4", rows(a={"needs_manual_grade": True}))

    assert (found[K1].score, found[K1].pending) == (None, True)


def test_a_resit_is_scored_by_its_own_cells() -> None:
    cells = [GradeCell("ps4-resit/a", "code", "4", "3")]

    found = attempt_scores(a_mapping(), "ps4", cells)
    assert {outcome: score.score for outcome, score in found.items()} == {S1: Fraction(3, 4)}


def test_a_mapped_cell_that_the_gradebook_lacks_is_named() -> None:
    with pytest.raises(MissingCellsError, match="ps4/b"):
        attempt_scores(a_mapping(), "ps4", rows()[:1])


def test_a_cell_without_points_is_named() -> None:
    with pytest.raises(MissingCellsError, match="ps4/a"):
        attempt_scores(a_mapping(), "ps4", rows(a={"max_score": "0"}))


REFUSED = [0.5, True, None, "1/3", "1e3", "nan", "", " 1", "٣", "9" * 40, Decimal("Infinity")]


@pytest.mark.parametrize("value", REFUSED, ids=repr)
def test_what_is_not_exact_is_refused(value: object) -> None:
    with pytest.raises(NotExactError):
        exact(value)


STORED = {
    "half to even, down": (Fraction(5, 100_000), "0.0000"),
    "half to even, up": (Fraction(15, 100_000), "0.0002"),
    "a third": (Fraction(1, 3), "0.3333"),
    "two thirds": (Fraction(2, 3), "0.6667"),
    "all": (Fraction(1), "1.0000"),
    "points": (Fraction(123456789), "123456789.0000"),
}


@pytest.mark.parametrize(("value", "text"), STORED.values(), ids=STORED)
def test_a_score_is_stored_with_four_places(value: Fraction, text: str) -> None:
    assert to_stored(value) == text
