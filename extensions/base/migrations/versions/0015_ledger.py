"""Evidence becomes a hash-chained ledger that the database itself keeps append-only.

Each row of evidence there is gets a record, in its order; numbers that a rolled back
transaction had used up are closed. Frozen here, as every migration: how version 1 of a
record is written (`bioskills.competence.ledger` says it for today).
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

GENESIS = "0" * 64
NOBODY = {"grader", "automatic"}
SAME = (
    *("kind", "learner", "outcome", "task", "attempt", "score", "raw", "max", "pending"),
    *("framework", "mapping", "rule", "notebook_sha256", "notebook_src_sha256", "cells_sha256"),
    *("feedback_sha256", "image"),
)
APPEND_ONLY = ("ledger", "evidence", "ledger_checkpoint")


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("learner", sa.String(16), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("prev", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_ledger"),
        sa.UniqueConstraint("prev", name="uq_ledger_prev"),
        sa.UniqueConstraint("hash", name="uq_ledger_hash"),
    )
    op.create_index("ix_ledger_learner", "ledger", ["learner"])
    op.create_table(
        "ledger_checkpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_checkpoint"),
        sa.UniqueConstraint("jws", name="uq_ledger_checkpoint_jws"),
    )
    op.create_table(
        "learner_key",
        sa.Column("learner", sa.String(16), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("made_at", time, nullable=False),
        sa.ForeignKeyConstraint(
            ["learner"], ["person.pseudonym"], name="fk_learner_key_learner_person"
        ),
        sa.PrimaryKeyConstraint("learner", name="pk_learner_key"),
    )
    _carry_over(op.get_bind())
    with op.batch_alter_table("evidence") as batch:
        batch.drop_column("prev")
        batch.drop_column("hash")
        batch.create_foreign_key("fk_evidence_seq_ledger", "ledger", ["seq"], ["seq"])
    for statement in _triggers(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in APPEND_ONLY:
        for name in _names(table, truncate=postgresql):
            op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if postgresql else ""))
    if postgresql:
        op.execute("DROP FUNCTION bioskills_append_only()")
        op.execute("DROP FUNCTION bioskills_ledger_next()")
    with op.batch_alter_table("evidence") as batch:
        batch.drop_constraint("fk_evidence_seq_ledger", type_="foreignkey")
        batch.add_column(sa.Column("prev", sa.String(64), nullable=True))
        batch.add_column(sa.Column("hash", sa.String(64), nullable=True))
    op.drop_table("learner_key")
    op.drop_table("ledger_checkpoint")
    op.drop_table("ledger")


def _carry_over(connection: sa.Connection) -> None:
    """Write a record for each row of evidence, and give the row the record's number."""
    tables = sa.MetaData()
    tables.reflect(connection, only=["evidence", "ledger", "person", "run"])
    evidence, ledger, person, run = (
        tables.tables[name] for name in ("evidence", "ledger", "person", "run")
    )
    found = connection.execute(sa.select(evidence).order_by(evidence.c.seq)).mappings().all()
    people = {row.name: row.pseudonym for row in connection.execute(sa.select(person))}
    slugs = {row.id: row.slug for row in connection.execute(sa.select(run))}
    numbers = {row["seq"]: number for number, row in enumerate(found, start=1)}
    # A row that is referred to cannot change its number.
    connection.execute(evidence.update().values(supersedes=None))
    for row, entry in zip(found, _chained(found, numbers, people, slugs), strict=True):
        connection.execute(ledger.insert(), [entry])
        own = json.loads(entry["record"])
        chosen = evidence.update().where(evidence.c.seq == row["seq"])
        changed = {name: own[name] for name in ("seq", "actor", "released_by", "supersedes")}
        connection.execute(chosen.values(changed))


def _chained(
    found: Any, numbers: dict[int, int], people: dict[str, str], slugs: dict[int, str]
) -> Iterator[dict[str, Any]]:
    known, prev = {*people.values(), *NOBODY}, GENESIS
    for row in found:
        record = {
            **{name: row[name] for name in SAME},
            "v": 1,
            "seq": numbers[row["seq"]],
            "at": _time(row["at"]),
            "submitted_at": _time(row["submitted_at"]),
            "actor": _who(row["actor"], known, people),
            "released_by": _who(row["released_by"], known, people),
            "supersedes": numbers.get(row["supersedes"]),
            "run": slugs[row["run_id"]],
            "result": row["result_id"],
            "prev": prev,
        }
        record["pending"] = bool(row["pending"])
        # RFC 8785 of text, whole numbers, booleans and null under ASCII names.
        text = json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        own = hashlib.sha256(text.encode()).hexdigest()
        yield {
            "seq": record["seq"],
            "at": row["at"],
            "kind": row["kind"],
            "learner": row["learner"],
            "record": text,
            "prev": prev,
            "hash": own,
        }
        prev = own


def _who(said: str, known: set[str], people: dict[str, str]) -> str:
    return said if said in known else people.get(said, "unknown")


def _time(value: datetime) -> str:
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return aware.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _names(table: str, *, truncate: bool) -> list[str]:
    verbs = ["update", "delete", *(["truncate"] if truncate else [])]
    return [*(f"{table}_no_{verb}" for verb in verbs), *(["ledger_next"] * (table == "ledger"))]


def _triggers(dialect: str) -> Iterator[str]:
    yield from _on_postgresql() if dialect == "postgresql" else _on_sqlite()


def _on_sqlite() -> Iterator[str]:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    yield (
        "CREATE TRIGGER ledger_next BEFORE INSERT ON ledger "  # noqa: S608 - constants
        "WHEN NEW.seq <> COALESCE((SELECT MAX(seq) FROM ledger), 0) + 1 "
        "OR NEW.prev <> COALESCE((SELECT hash FROM ledger ORDER BY seq DESC LIMIT 1), "
        f"'{GENESIS}') "
        "BEGIN SELECT RAISE(ABORT, 'a record of the ledger must follow the last one'); END"
    )


def _on_postgresql() -> Iterator[str]:
    yield (
        "CREATE FUNCTION bioskills_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$"
    )
    yield (
        "CREATE FUNCTION bioskills_ledger_next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608
        "IF NEW.seq <> COALESCE((SELECT MAX(seq) FROM ledger), 0) + 1 "
        "OR NEW.prev <> COALESCE((SELECT hash FROM ledger ORDER BY seq DESC LIMIT 1), "
        f"'{GENESIS}') "
        "THEN RAISE EXCEPTION 'a record of the ledger must follow the last one'; END IF; "
        "RETURN NEW; END $$"
    )
    for table in APPEND_ONLY:
        for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            yield (
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION bioskills_append_only()"
            )
    yield (
        "CREATE TRIGGER ledger_next BEFORE INSERT ON ledger "
        "FOR EACH ROW EXECUTE FUNCTION bioskills_ledger_next()"
    )
