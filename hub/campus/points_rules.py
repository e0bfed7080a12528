"""Say what is wrong with points that were told to the campus, by a machine or a person.

Law: pure. Points are decimal text within the bounds of their cell; what was sent is
shown short and plain, since anybody may have sent it.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from bioskills.base.text import _

# Written out: an exponent can ask for more memory than there is.
_POINTS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?", re.ASCII)
_MOST_CELL, _MOST_TEXT = 80, 40


def points_of(text: str) -> Decimal | None:
    """Return points from decimal text; None where it is none."""
    return Decimal(text) if _POINTS.fullmatch(text) else None


def points_faults(cell: str, given: str | None, most: Decimal | None) -> Iterator[str]:
    """Find points that their cell cannot give.

    Args:
        cell: `<notebook>/<grade_id>`.
        given: The points; None where there are none.
        most: What the cell can give; None where that is not known.
    """
    if given is None:
        return
    points = points_of(given)
    if points is None:
        text = _("{cell} has {text}, which is no number of points")
        yield text.format(cell=shown(cell), text=ascii(given[:_MOST_TEXT]))
    elif most is not None and points > most:
        text = _("{cell} has {given} of {most} points")
        yield text.format(cell=shown(cell), given=given, most=f"{most:f}")


def shown(cell: str) -> str:
    """Return a cell's name as it may stand in a message."""
    return ascii(cell[:_MOST_CELL])[1:-1]
