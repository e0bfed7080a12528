"""What instructors decide while a run goes on."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("extension") as batch:
        batch.add_column(sa.Column("reason", sa.String(500), nullable=False, server_default=""))
    _late_rule()
    _decision("excuse", "assignment")
    _decision("resit", "assignment", sa.Column("due_at", TIME, nullable=False))
    _decision("withdrawal", "cohort", sa.Column("seats", sa.JSON(), nullable=False))
    _look()


def downgrade() -> None:
    for name in ("look", "withdrawal", "resit", "excuse", "late_rule"):
        op.drop_table(name)
    with op.batch_alter_table("extension") as batch:
        batch.drop_column("reason")


def _late_rule() -> None:
    op.create_table(
        "late_rule",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.String(16), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("percent_per_day", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.String(16), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name="fk_late_rule_assignment_id_assignment"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_late_rule"),
        sa.UniqueConstraint("assignment_id", name="uq_late_rule_assignment_id"),
    )


def _decision(name: str, about: str, *more: sa.Column[object]) -> None:
    """Make a table of decisions about one learner, which are ended and never erased."""
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(f"{about}_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        *more,
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("given_by", sa.String(16), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.Column("ended_by", sa.String(16)),
        sa.Column("ended_at", TIME),
        sa.ForeignKeyConstraint(
            [f"{about}_id"], [f"{about}.id"], name=f"fk_{name}_{about}_id_{about}"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=f"fk_{name}_person_id_person"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    for column in (f"{about}_id", "person_id"):
        op.create_index(f"ix_{name}_{column}", name, [column])


def _look() -> None:
    op.create_table(
        "look",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(16), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("what", sa.String(24), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("hour", TIME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_look_person_id_person"),
        sa.PrimaryKeyConstraint("id", name="pk_look"),
        sa.UniqueConstraint(
            "person_id", "actor", "what", "subject", "hour", name="uq_look_person_id"
        ),
    )
    op.create_index("ix_look_person_id", "look", ["person_id"])
