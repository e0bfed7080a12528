"""A ledger with a learner's evidence in it, made the way the product makes it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from bioskills.base.store import Store, ensure_schema
from bioskills.base.tables import (
    Assignment,
    AssignmentVersion,
    Cohort,
    CourseVersion,
    Evidence,
    LedgerRow,
    Person,
    Result,
    Run,
    Submission,
)
from bioskills.competence.ledger import evidence_of, read
from bioskills.hub.campus.passport import record_of
from bioskills.hub.ledger_check import EVIDENCE_KINDS, examine
from bioskills.hub.ledger_rows import append_evidence, entry_of

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
GUARDED = ("ledger", "evidence", "ledger_checkpoint")


def planted(url: str) -> Store:
    """Return a database with one learner, who handed one thing in."""
    ensure_schema(url)
    store = Store(url)
    with store.transaction() as session:
        session.add_all(
            [
                Person(id=1, name="ada", pseudonym="p-000001", display_name="Ada"),
                Person(id=2, name="ines", pseudonym="p-000002", display_name="Ines"),
                Cohort(id=1, slug="spring", title="Spring"),
                CourseVersion(
                    id=1, course="seqs", version="1", sha256="0" * 64, manifest={}, mapping={},
                    notes={},
                ),
            ]
        )  # fmt: skip
        session.flush()
        run = {"slug": "seqs-spring", "course_version_id": 1, "cohort_id": 1, "time_zone": "UTC"}
        session.add(Run(id=1, opens_at=NOON, closes_at=NOON, **run))
        session.flush()
        session.add(Assignment(id=1, run_id=1, name="p1", position=1, release_policy="automatic"))
        session.flush()
        session.add(
            AssignmentVersion(
                id=1, assignment_id=1, number=1, tree_sha256="0" * 64, files=[], released_by="x"
            )
        )
        session.flush()
        session.add(
            Submission(
                id=1, assignment_id=1, assignment_version_id=1, person_id=1, attempt=1,
                receipt="R-1", tree_sha256="0" * 64, files=[],
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Result(id=1, submission_id=1, verdict="graded", cells=[], hashes={}, state="published")
        )
    return store


def evidence(number: int, **more: Any) -> Evidence:
    """Return a row of evidence, not yet stored."""
    columns = {
        "kind": "grade", "at": NOON + timedelta(seconds=number), "actor": "grader",
        "learner": "p-000001", "outcome": "BSH-U04-S1", "task": "p1", "attempt": 1,
        "score": "0.8200", "raw": "8.2000", "max": "10.0000", "pending": False,
        "submitted_at": NOON, "framework": "BSH@1.0.0", "mapping": "seqs@1", "rule": "BSH-MR-1",
        "notebook_sha256": "a" * 64, "notebook_src_sha256": "b" * 64, "cells_sha256": "c" * 64,
        "feedback_sha256": "d" * 64, "image": "course@1", "released_by": "automatic",
        "supersedes": None, "run_id": 1, "result_id": 1,
    }  # fmt: skip
    return Evidence(**{**columns, **more})


def grow(store: Store, records: int, **more: Any) -> None:
    """Append so many records, each in a transaction of its own."""
    for number in range(records):
        with store.transaction() as session:
            append_evidence(session, [evidence(number, **more)], "seqs-spring")


def by_hand(store: Store, *statements: str) -> None:
    """Change the tables as somebody with all rights on the database could."""
    with store.engine.begin() as connection:
        if store.engine.dialect.name == "sqlite":
            known = "select name, sql from sqlite_master where type = 'trigger'"
            found = connection.exec_driver_sql(known).all()
            off = [f"drop trigger {name}" for name, _sql in found]
            again = [sql for _name, sql in found]
        else:
            off = [f"alter table {table} disable trigger user" for table in GUARDED]
            again = [f"alter table {table} enable trigger user" for table in GUARDED]
        for statement in (*off, *statements, *again):
            connection.exec_driver_sql(statement)


def check_ledger(store: Store) -> None:
    """Hold that the ledger is sound, and says to the evaluator what the pages' table says."""
    with store.reading() as session:
        found = examine(session).findings
        assert found == [], found
        of_pages = [record_of(row) for row in session.scalars(select(Evidence))]
        rows = session.scalars(select(LedgerRow).where(LedgerRow.kind.in_(EVIDENCE_KINDS)))
        of_ledger = [evidence_of(read(entry_of(row))) for row in rows]
    assert sorted(of_ledger, key=lambda one: one.seq) == sorted(of_pages, key=lambda one: one.seq)
