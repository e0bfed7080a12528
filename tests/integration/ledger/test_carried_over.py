"""What was evidence before there was a ledger becomes its first records, in order."""

import pytest
from alembic import command
from bioskills_ledger import NOON, grow
from sqlalchemy import select, text

from bioskills.base.store import Store, ensure_schema, migrations
from bioskills.base.tables import Evidence, LedgerRow
from bioskills.competence.ledger import read
from bioskills.hub.ledger_check import examine
from bioskills.hub.ledger_rows import entry_of

pytestmark = pytest.mark.integration
BEFORE = "0013"

PARENTS = (
    (
        "insert into person (id, name, pseudonym, display_name, created_at) values "
        "(1, 'ada', 'p-000001', 'Ada', :at), (2, 'ines', 'p-000002', 'Ines', :at)"
    ),
    "insert into cohort (id, slug, title) values (1, 'spring', 'Spring')",
    (
        "insert into course_version (id, course, version, sha256, manifest, mapping, notes, "
        "installed_at) values (1, 'seqs', '1', '0', '{}', '{}', '{}', :at)"
    ),
    (
        "insert into run (id, slug, course_version_id, cohort_id, opens_at, closes_at, time_zone) "
        "values (1, 'seqs-spring', 1, 1, :at, :at, 'UTC')"
    ),
    (
        "insert into assignment (id, run_id, name, position, state, release_policy) "
        "values (1, 1, 'p1', 1, 'open', 'automatic')"
    ),
    (
        "insert into assignment_version (id, assignment_id, number, tree_sha256, files, released_at, "
        "released_by) values (1, 1, 1, '0', '[]', :at, 'x')"
    ),
    (
        "insert into submission (id, assignment_id, assignment_version_id, person_id, attempt, "
        "receipt, tree_sha256, files, submitted_at, late) "
        "values (1, 1, 1, 1, 1, 'R-1', '0', '[]', :at, false)"
    ),
    (
        "insert into result (id, submission_id, verdict, reason, cells, hashes, graded_at, state) "
        "values (1, 1, 'graded', '', '[]', '{}', :at, 'published')"
    ),
)
ROW = (
    "insert into evidence (seq, kind, at, actor, learner, outcome, task, attempt, score, raw, "
    "max, pending, submitted_at, framework, mapping, rule, notebook_sha256, notebook_src_sha256, "
    "cells_sha256, feedback_sha256, image, released_by, supersedes, run_id, result_id) values "
    "(:seq, 'grade', :at, :actor, 'p-000001', 'BSH-U04-S1', 'p1', 1, '0.5000', '1.0000', "
    "'2.0000', false, :at, 'BSH@1.0.0', 'seqs@1', 'BSH-MR-1', 'a', 'b', 'c', 'd', 'müsli@1', "
    ":by, :supersedes, 1, 1)"
)


def old_rows(url: str) -> Store:
    """Evidence with a gap in its numbers, a correction, and names where pseudonyms belong."""
    command.upgrade(migrations(url), BEFORE)
    store = Store(url)
    at = NOON.isoformat(sep=" ").removesuffix("+00:00")
    with store.transaction() as session:
        for statement in PARENTS:
            session.execute(text(statement), {"at": at} if ":at" in statement else {})
        for seq, actor, by, supersedes in (
            (1, "grader", "automatic", None),
            (4, "ines", "ines", 1),
            (5, "p-000002", "somebody gone", 4),
        ):
            row = {"seq": seq, "actor": actor, "by": by, "supersedes": supersedes, "at": at}
            session.execute(text(ROW), row)
    return store


def test_each_row_becomes_a_record_without_gaps_and_without_names(database: str) -> None:
    store = old_rows(database)
    ensure_schema(database)

    with store.reading() as session:
        assert examine(session).findings == []
        records = [read(entry_of(row)) for row in session.scalars(select(LedgerRow))]
        rows = list(session.scalars(select(Evidence).order_by(Evidence.seq)))
    assert [(one["seq"], one["supersedes"]) for one in records] == [(1, None), (2, 1), (3, 2)]
    assert [(row.seq, row.supersedes) for row in rows] == [(1, None), (2, 1), (3, 2)]
    assert [(row.actor, row.released_by) for row in rows] == [
        ("grader", "automatic"),
        ("p-000002", "p-000002"),
        ("p-000002", "unknown"),
    ]
    assert [one["at"] for one in records] == ["2027-03-01T12:00:00.000000Z"] * 3
    store.close()


def test_the_ledger_goes_on_from_what_was_carried_over(database: str) -> None:
    store = old_rows(database)
    ensure_schema(database)
    grow(store, 2)

    with store.reading() as session:
        found = examine(session)
    assert (found.count, found.findings) == (5, [])
    store.close()


def test_the_way_back_leaves_the_evidence(database: str) -> None:
    store = old_rows(database)
    ensure_schema(database)

    command.downgrade(migrations(database), BEFORE)
    with store.reading() as session:
        kept = session.execute(text("select seq, score from evidence order by seq")).all()
    assert [tuple(row) for row in kept] == [(1, "0.5000"), (2, "0.5000"), (3, "0.5000")]

    ensure_schema(database)
    with store.reading() as session:
        assert examine(session).findings == []
    store.close()
