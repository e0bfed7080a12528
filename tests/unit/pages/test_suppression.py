"""What a funder reads gives no number away that is about fewer than five people."""

from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from bioskills.hub.campus.suppression import SMALL, Hidden, Sheet, merged, suppress

ROW = st.integers(0, 40).flatmap(
    lambda whole: st.lists(st.integers(0, whole), min_size=2, max_size=4).map(
        lambda parts: [whole, *sorted(parts, reverse=True)][:4]
    )
)
ROWS = st.lists(ROW.filter(lambda row: len(row) == 3), min_size=1, max_size=5)
FEW = range(SMALL)


@given(ROWS)
def test_no_small_number_and_no_small_difference_is_shown(rows: list[list[int]]) -> None:
    sheet = suppress(rows)
    for line in (*sheet.rows, sheet.total):
        shown = [item for item in line if isinstance(item, int)]
        assert all(item >= SMALL for item in shown)
        assert all(a == b or abs(a - b) >= SMALL for a, b in combinations(shown, 2))


@given(ROWS)
def test_what_is_shown_is_true(rows: list[list[int]]) -> None:
    sheet = suppress(rows)
    total = [sum(column) for column in zip(*rows, strict=True)]
    for line, numbers in zip((*sheet.rows, sheet.total), (*rows, total), strict=True):
        for item, number in zip(line, numbers, strict=True):
            assert item is Hidden.KEPT or (item is Hidden.FEW and number < SMALL) or item == number


@given(st.lists(st.integers(0, 9), min_size=2, max_size=3))
def test_a_hidden_number_can_be_one_of_five_however_one_reckons(column: list[int]) -> None:
    sheet = suppress([[number] for number in column])
    for place, line in enumerate(sheet.rows):
        if isinstance(line[0], Hidden):
            possible = {guess[place] for guess in guesses(sheet)}
            assert len(possible) >= SMALL, (column, sheet)


def guesses(sheet: Sheet) -> list[tuple[int, ...]]:
    """Return every column that a reader of the sheet cannot rule out."""

    def values(item: object) -> range:
        if isinstance(item, int):
            return range(item, item + 1)
        return FEW if item is Hidden.FEW else range(30)

    total = values(sheet.total[0])
    return [
        guess for guess in product(*(values(line[0]) for line in sheet.rows)) if sum(guess) in total
    ]


def test_rows_about_few_people_are_merged_until_they_are_not() -> None:
    assert merged([10, 20]) == set()
    assert merged([10, 2]) == {0, 1}, "two of twelve would follow from ten"
    assert merged([10, 20, 2, 1]) == {2, 3, 0}
    assert merged([10, 20, 3, 4]) == {2, 3}


def test_numbers_that_give_nothing_away_stay() -> None:
    assert suppress([[20, 10], [30, 20]]) == Sheet(((20, 10), (30, 20)), (50, 30))


def test_one_small_number_hides_the_smallest_beside_it() -> None:
    sheet = suppress([[20, 3], [30, 10], [40, 20]])

    assert [line[1] for line in sheet.rows] == [Hidden.FEW, Hidden.KEPT, 20]
    assert sheet.total == (90, 33)
