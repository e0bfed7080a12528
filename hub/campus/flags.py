"""Keep what a person should look at before a result counts.

Law: a flag is a question to an instructor, never fewer points and never read by the
learner, who is told only that a person looks at it. What an instructor has looked at
stays looked at, also when the same hand-in is graded again and flagged for the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import Result
from bioskills.base.text import _
from bioskills.base.wire import Flag

MOST = 50
"""Flags that are kept of one result; as many are looked at as one."""
MOST_CHARS = 500

_BY, _AT = "looked_at_by", "looked_at"


def open_flags(result: Result) -> list[Flag]:
    """Return what nobody has looked at yet."""
    return [Flag.model_validate(row) for row in result.flags or [] if not row.get(_AT)]


def looked_at(result: Result) -> list[tuple[Flag, str]]:
    """Return what was looked at, each with the pseudonym of who did."""
    rows = [row for row in result.flags or [] if row.get(_AT)]
    return [(Flag.model_validate(row), str(row.get(_BY, ""))) for row in rows]


def to_store(session: Session, submission_id: int, flags: Sequence[Flag]) -> list[Any]:
    """Return new flags as they are stored; what was looked at before stays so."""
    rows = [_clipped(flag) for flag in flags[:MOST]]
    if not rows:
        return []
    earlier = session.scalars(select(Result.flags).where(Result.submission_id == submission_id))
    seen = {_key(row): row for kept in earlier for row in kept or [] if row.get(_AT)}
    return [{**row, **_looks(seen.get(_key(row)))} for row in rows]


def mark(result: Result, by: str, at: datetime) -> list[str]:
    """Note that a person has looked at everything; return the codes of what was open."""
    codes = [flag.code for flag in open_flags(result)]
    look = {_BY: by, _AT: at.isoformat()}
    # A new list: the store sees no change inside of one.
    result.flags = [row if row.get(_AT) else {**row, **look} for row in result.flags or []]
    return codes


def for_learner(result: Result) -> str:
    """Return what the learner is told of open flags; empty where there is none."""
    if not open_flags(result):
        return ""
    return _("It counts once a person has looked at it. You need not do anything.")


def plain(text: str) -> str:
    """Return a sentence on one line, with a mark for what cannot be printed."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in " ".join(text.split()))


def _clipped(flag: Flag) -> dict[str, Any]:
    return {**flag.model_dump(), "message": plain(flag.message)[:MOST_CHARS]}


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return str(row.get("code")), str(row.get("cell")), str(row.get("message"))


def _looks(row: dict[str, Any] | None) -> dict[str, Any]:
    return {name: row[name] for name in (_BY, _AT) if name in row} if row else {}
