"""Make tokens that speak for the formgrader of one run, and know them again.

Law (charter, 8): such a token may ask for gradings of its one run and how far they
are, tell what its instructors judge, and ask who teaches it; nothing else, and only until
its time is over. Nothing is
stored: who holds the grader's token makes it, who knows that token's hash checks it.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

PREFIX = "bsf"
LIFETIME = timedelta(days=3)
"""Longer than any formgrader lives: it is stopped when nobody uses it."""
_PARTS = 4


def run_token(grader_sha256: str, run: str, at: datetime) -> str:
    """Return a token for this run.

    Args:
        grader_sha256: SHA-256 of the grader's token, in hexadecimal.
        run: The run's slug.
        at: The present moment; the token ends `LIFETIME` later.
    """
    until = int((at + LIFETIME).timestamp())
    return f"{PREFIX}.{run}.{until}.{_seal(grader_sha256, run, until)}"


def run_of(token: str, grader_sha256: str, at: datetime) -> str | None:
    """Return the run that a token speaks for; None where it is none of ours, or its time is over."""
    parts = token.split(".")
    if len(parts) != _PARTS or parts[0] != PREFIX or not _is_number(parts[2]):
        return None
    run, until, seal = parts[1], int(parts[2]), parts[3]
    right = _seal(grader_sha256, run, until)
    if not grader_sha256 or not hmac.compare_digest(right.encode(), seal.encode()):
        return None
    return run if at.timestamp() < until else None


def _seal(key: str, run: str, until: int) -> str:
    words = f"formgrader {run} {until}"
    return hmac.new(key.encode(), words.encode(), hashlib.sha256).hexdigest()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 12  # noqa: PLR2004
