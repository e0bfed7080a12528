"""What a funder reads leaves five possible values for every number of people."""

from collections import defaultdict
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioskills.hub.campus.suppression import STEP, Sheet, merged, suppress

ROW = st.integers(0, 40).flatmap(
    lambda whole: st.tuples(st.just(whole), st.integers(0, whole), st.integers(0, whole))
)
ROWS = st.lists(ROW, min_size=1, max_size=5)
Table = tuple[tuple[int, int], ...]


def tables_by_sheet(rows: int, most: int) -> dict[Sheet, list[Table]]:
    """Return every table of wholes and parts by what a reader sees of it."""
    row = [(whole, part) for whole in range(most) for part in range(whole + 1)]
    found: dict[Sheet, list[Table]] = defaultdict(list)
    for table in product(row, repeat=rows):
        found[suppress(table)].append(table)
    return found


def values_left(tables: list[Table]) -> int:
    """Return how many values are left of what is known best: whole, part, or their difference."""
    known = []
    for cohort in zip(*tables, strict=True):
        wholes, parts = zip(*cohort, strict=True)
        known += [set(wholes), set(parts), {whole - part for whole, part in cohort}]
    return min(map(len, known))


@given(ROWS)
def test_no_small_number_and_no_small_difference_is_shown(rows: list[tuple[int, ...]]) -> None:
    sheet = suppress(rows)
    for line in (*sheet.rows, sheet.total):
        shown = [item for item in line if item is not None]
        assert all(item >= STEP and item % STEP == 0 for item in shown)
        assert all(a == b or abs(a - b) >= STEP for a, b in combinations(shown, 2))


@given(ROWS)
def test_what_is_shown_of_a_cohort_is_true_to_four_and_never_too_much(
    rows: list[tuple[int, ...]],
) -> None:
    for line, numbers in zip(suppress(rows).rows, rows, strict=True):
        assert all(
            0 <= number - (item or 0) < STEP for item, number in zip(line, numbers, strict=True)
        )


@given(ROWS)
def test_the_total_says_no_more_than_the_rows(rows: list[tuple[int, ...]]) -> None:
    sheet = suppress(rows)
    added = [sum(item or 0 for item in column) for column in zip(*sheet.rows, strict=True)]
    assert [item or 0 for item in sheet.total] == added


@pytest.mark.parametrize(("rows", "most"), [(1, 30), (2, 15), (3, 10)])
def test_five_values_are_left_however_one_reckons(rows: int, most: int) -> None:
    for sheet, tables in tables_by_sheet(rows, most).items():
        assert values_left(tables) >= STEP, (sheet, tables[:5])


def test_many_large_numbers_are_not_known_from_their_total() -> None:
    assert suppress([[20, 16]] * 3) == Sheet(((20, 15),) * 3, (60, 45))
    assert suppress([[10, 4], [10, 10]]) == Sheet(((10, None), (10, 10)), (20, 10))


def test_rows_about_few_people_are_merged_until_they_are_not() -> None:
    assert merged([10, 20]) == set()
    assert merged([10, 2]) == {0, 1}, "two of twelve would follow from ten"
    assert merged([10, 20, 2, 1]) == {2, 3, 0}
    assert merged([10, 20, 3, 4]) == {2, 3}
