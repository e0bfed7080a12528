"""Append to the ledger, in the caller's transaction.

Law: one writer at a time (`Store.transaction`), so a record follows the last one there is;
the database refuses every other. A record of evidence and its row of columns have one number
and say the same. Where a record cannot be written, the caller's transaction fails.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import Evidence, LedgerRow
from bioskills.competence.ledger import Entry, follow, in_text

SAME = (
    *("kind", "actor", "learner", "outcome", "task", "attempt", "score", "raw", "max", "pending"),
    *("framework", "mapping", "rule", "notebook_sha256", "notebook_src_sha256", "cells_sha256"),
    *("feedback_sha256", "image", "released_by", "supersedes"),
)
"""Columns of evidence that the record holds under the same name."""


def append(
    session: Session, kind: str, learner: str, actor: str, at: datetime, **said: Any
) -> LedgerRow:
    """Append one record that is no evidence: a decision, say.

    Args:
        session: A writing session of `Store.transaction`.
        kind: One of `ledger.KINDS`.
        learner: Pseudonym of whom it is about.
        actor: Pseudonym of who did it.
        at: When.
        said: Further fields; no name and nobody's words, which go where they can be erased.

    Raises:
        LedgerError: The record may not be written like this.
    """
    fields = {"kind": kind, "learner": learner, "actor": actor, "at": in_text(at), **said}
    row = _row(follow(last_entry(session), fields), fields, at)
    session.add(row)
    session.flush()
    return row


def append_evidence(session: Session, rows: Sequence[Evidence], run: str) -> None:
    """Append the records of these rows and store the rows under their numbers.

    Args:
        session: A writing session of `Store.transaction`.
        rows: New rows, not yet stored.
        run: Short name of the run that they come from.

    Raises:
        LedgerError: A record may not be written like this.
    """
    last = last_entry(session)
    for row in rows:
        fields = fields_of(row, run)
        last = follow(last, fields)
        row.seq = last.seq
        session.add(_row(last, fields, row.at))
    session.flush()
    session.add_all(rows)
    session.flush()


def fields_of(row: Evidence, run: str) -> dict[str, Any]:
    """Return what the record of a row of evidence says."""
    return {
        **{name: getattr(row, name) for name in SAME},
        "at": in_text(row.at),
        "submitted_at": in_text(row.submitted_at),
        "run": run,
        "result": row.result_id,
    }


def last_entry(session: Session) -> Entry | None:
    """Return the newest record; None where there is none."""
    row = session.scalar(select(LedgerRow).order_by(LedgerRow.seq.desc()).limit(1))
    return entry_of(row) if row else None


def entry_of(row: LedgerRow) -> Entry:
    """Return a stored record without its columns."""
    return Entry(row.seq, row.record, row.prev, row.hash)


def _row(entry: Entry, fields: Mapping[str, Any], at: datetime) -> LedgerRow:
    return LedgerRow(
        seq=entry.seq,
        at=at,
        kind=fields["kind"],
        learner=fields["learner"],
        record=entry.record,
        prev=entry.prev,
        hash=entry.hash,
    )
