"""Cohorts have options and tags, and each change of a cohort can be taken back."""

import sqlalchemy as sa
from alembic import op

import bioskills.base.tables

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cohort_options",
        sa.Column("cohort_id", sa.Integer(), nullable=False),
        sa.Column("seats", sa.Integer()),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id"], ["cohort.id"], name="fk_cohort_options_cohort_id_cohort"
        ),
        sa.PrimaryKeyConstraint("cohort_id", name="pk_cohort_options"),
    )
    _create_tags()
    _create_changes()


def downgrade() -> None:
    for table in ("cohort_change", "seat_tags", "cohort_options"):
        op.drop_table(table)


def _create_tags() -> None:
    op.create_table(
        "seat_tags",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("cohort_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name="fk_seat_tags_cohort_id_cohort"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_seat_tags_person_id_person"),
        sa.PrimaryKeyConstraint("id", name="pk_seat_tags"),
        sa.UniqueConstraint("cohort_id", "person_id", name="uq_seat_tags_cohort_id"),
    )
    for column in ("cohort_id", "person_id"):
        op.create_index(f"ix_seat_tags_{column}", "seat_tags", [column])


def _create_changes() -> None:
    time = bioskills.base.tables.UtcTime(timezone=True)
    op.create_table(
        "cohort_change",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", time, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("cohort", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("undone_at", time),
        sa.Column("undone_by", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_cohort_change"),
    )
    op.create_index("ix_cohort_change_cohort", "cohort_change", ["cohort"])
