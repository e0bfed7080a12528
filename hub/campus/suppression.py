"""Show numbers of people so that none of them, and no difference, is known exactly.

Law: what is shown of a number follows from that number alone, which is rounded down to a
multiple of five and left out where nothing remains. What is shown of a total follows from
what its rows show, and never from the true sum: so rows and total together say no more
than the rows. Whoever knows this code, and that a part is at most its whole, is left with
five possible values for each number and for each difference between whole and part. Pure.

Rounding does not hide the moment in which a number passes a multiple of five.
"""

from collections.abc import Sequence
from dataclasses import dataclass

STEP = 5

Shown = int | None
"""A multiple of five, or None where nothing is shown."""


@dataclass(frozen=True)
class Sheet:
    """A table of counts as it may be shown: rows, and what they show added up."""

    rows: tuple[tuple[Shown, ...], ...]
    total: tuple[Shown, ...]


def suppress(rows: Sequence[Sequence[int]]) -> Sheet:
    """Return what may be shown of these rows, and of all together.

    Args:
        rows: Counts of people; the first of a row is everybody, the others are parts.
    """
    steps = [[number // STEP * STEP for number in row] for row in rows]
    total = [sum(column) for column in zip(*steps, strict=True)]
    return Sheet(tuple(map(_shown, steps)), _shown(total))


def merged(sizes: Sequence[int]) -> set[int]:
    """Return which rows are to be one row without a name: the small, and one more where needed.

    Args:
        sizes: How many people each row is about.
    """
    small = {place for place, size in enumerate(sizes) if size < STEP}
    named = sorted(set(range(len(sizes))) - small, key=lambda place: sizes[place])
    # Alone it would be named by all the others; still about few, it would show nothing.
    while small and named and (len(small) < 2 or _sum(sizes, small) < STEP):  # noqa: PLR2004
        small.add(named.pop(0))
    return small


def _sum(sizes: Sequence[int], places: set[int]) -> int:
    return sum(sizes[place] for place in places)


def _shown(line: Sequence[int]) -> tuple[Shown, ...]:
    return tuple(number or None for number in line)
