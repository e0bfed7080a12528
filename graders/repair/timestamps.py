"""Say whether nbgrader can read the time of a hand-in.

Law: pure, and never an error. nbgrader loses the whole hand-in where it cannot.
Time zones are names and numbers here: what looks like a path is no zone.
"""

import re

from dateutil import parser, tz  # type: ignore[import-untyped]

TIMESTAMP = "timestamp.txt"
_LONGEST = 200
_PARTS = 3
_PATH = re.compile(r"[/.~]|.*\.\.")


def is_time(data: bytes) -> bool:
    """Say whether the content of a `timestamp.txt` is a time, or nothing at all."""
    try:
        text = data.decode("utf-8").strip()
        return not text or (len(text) <= _LONGEST and _is_parsed(text))
    except (ValueError, OverflowError, TypeError, AttributeError):
        return False


def _is_parsed(text: str) -> bool:
    """Read the time as nbgrader does: a third part is its zone."""
    parts = text.split(" ")
    if len(parts) != _PARTS:
        moment = parser.parse(text)
    else:
        zone = {"TZ": _zone(parts[2])}
        moment = parser.parse(" ".join([*parts[:2], "TZ"]), tzinfos=zone)
    return moment.tzinfo is None or (moment - (moment.utcoffset() or moment.resolution)) is not None


def _zone(name: str) -> object:
    """Return a zone.

    Raises:
        ValueError: The name is a path, which would be opened.
    """
    try:
        return int(name)
    except ValueError:
        if _PATH.match(name):
            raise
        return tz.gettz(name)
