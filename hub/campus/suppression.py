"""Hide numbers about few people, and what would give them away.

Law: no number below five is shown, no two numbers of a row differ by less than five
without being equal, and no hidden number follows from a column and its total more closely
than that it is one of five. Pure.

Vocabulary: *few* is hidden because it is below five; *kept* is hidden because it would
give another number away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf

SMALL = 5


class Hidden(Enum):
    """Why a number is not shown."""

    FEW = "few"
    KEPT = "kept"


Shown = int | Hidden


@dataclass(frozen=True)
class Sheet:
    """A table of counts as it may be shown: rows, and their total."""

    rows: tuple[tuple[Shown, ...], ...]
    total: tuple[Shown, ...]


def suppress(rows: Sequence[Sequence[int]]) -> Sheet:
    """Return what may be shown of these rows and of their total.

    Args:
        rows: Counts of people; the first of a row is everybody, the others are parts.
    """
    total = [sum(column) for column in zip(*rows, strict=True)]
    lines = [*map(_line, rows), _line(total)]
    for place in range(len(total)):
        numbers = [*(row[place] for row in rows), total[place]]
        column = _column([line[place] for line in lines], numbers)
        for line, shown in zip(lines, column, strict=True):
            line[place] = shown
    return Sheet(tuple(map(tuple, lines[:-1])), tuple(lines[-1]))


def merged(sizes: Sequence[int]) -> set[int]:
    """Return which rows are to be one row without a name: the small, and one more where needed.

    Args:
        sizes: How many people each row is about.
    """
    small = {place for place, size in enumerate(sizes) if size < SMALL}
    named = sorted(set(range(len(sizes))) - small, key=lambda place: sizes[place])
    # Alone, or still about few together, they would follow from the total.
    while small and named and (len(small) < 2 or _sum(sizes, small) < SMALL):  # noqa: PLR2004
        small.add(named.pop(0))
    return small


def _sum(sizes: Sequence[int], places: set[int]) -> int:
    return sum(sizes[place] for place in places)


def _line(numbers: Sequence[int]) -> list[Shown]:
    """Return a row in which no number and no difference of two is about few people."""
    line: list[Shown] = []
    for number in numbers:
        near = [n for n in line if isinstance(n, int) and 0 < abs(n - number) < SMALL]
        line.append(Hidden.FEW if number < SMALL else Hidden.KEPT if near else number)
    return line


def _column(column: list[Shown], numbers: Sequence[int]) -> list[Shown]:
    """Hide further numbers of a column, the smallest first, until its sum gives nothing away."""
    shown = list(column)
    while not _is_safe(shown):
        open_ones = [place for place, item in enumerate(shown) if isinstance(item, int)]
        if not open_ones:
            break
        shown[min(open_ones, key=lambda place: (numbers[place], place))] = Hidden.KEPT
    return shown


def _is_safe(column: Sequence[Shown]) -> bool:
    """Say whether nothing hidden follows from the rest: rows, and last their total."""
    return all(
        _width(column, place) >= SMALL - 1
        for place, item in enumerate(column)
        if isinstance(item, Hidden)
    )


def _width(column: Sequence[Shown], place: int) -> float:
    """Return how far apart the least and the most are that a hidden number can be."""
    *rows, total = [(_low(item), _high(item)) for item in column]
    low, high = _low(column[place]), _high(column[place])
    if place == len(rows):
        return min(high, sum(h for _l, h in rows)) - max(low, sum(one for one, _h in rows))
    others = rows[:place] + rows[place + 1 :]
    most = min(high, total[1] - sum(one for one, _h in others))
    return most - max(low, total[0] - sum(h for _l, h in others))


def _low(item: Shown) -> float:
    return item if isinstance(item, int) else 0


def _high(item: Shown) -> float:
    return item if isinstance(item, int) else SMALL - 1 if item is Hidden.FEW else inf
