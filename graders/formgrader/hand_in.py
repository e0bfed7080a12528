"""Know which hand-in a page shows, and which one the gradebook holds now.

Law: points belong to the hand-in that was read. A page names it by its time, as
nbgrader's `timestamp.txt` beside the notebook has it; the row in the gradebook is the
same for all hand-ins of a learner and says by its time which one it stands for.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioskills.graders.workshop import TIMESTAMP, TIMESTAMP_FORMAT

HEADER = "X-Bioskills-Hand-In"
"""What a page's own script sends with everything that it saves."""
_MOST_CHARS = 64


def time_of(folder: Path) -> str:
    """Return the time of the hand-in in a folder; empty where it says none."""
    try:
        with (folder / TIMESTAMP).open(encoding="ascii") as file:
            found = datetime.strptime(file.read(_MOST_CHARS).strip(), TIMESTAMP_FORMAT)  # noqa: DTZ007 - UTC by the format
    except (OSError, ValueError):
        return ""
    return found.strftime(TIMESTAMP_FORMAT)


def held_time(submission: Any) -> datetime | None:
    """Return the time of the hand-in that a gradebook's row stands for."""
    return submission.timestamp.replace(tzinfo=UTC) if submission.timestamp else None


def is_shown(submission: Any, named: str) -> bool:
    """Say whether the hand-in that a page named is the one in the gradebook."""
    held = held_time(submission)
    return held is not None and held.strftime(TIMESTAMP_FORMAT) == named
