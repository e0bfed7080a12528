"""Keep dates that a person types within years that can be meant.

Law: a year far away is a slip of the keys, and no zone of the world can shift such a date
out of the calendar. Pure.
"""

from datetime import date

from bioskills.base.text import _

FIRST, LAST = 2000, 2199


def is_meant(day: date) -> bool:
    """Say whether a date can be meant."""
    return FIRST <= day.year <= LAST


def rule() -> str:
    """Return the rule, for who typed another year."""
    return _("A year lies between {first} and {last}.").format(first=FIRST, last=LAST)
