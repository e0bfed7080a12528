"""HTML pages that stock nbgrader made as feedback."""

import sqlalchemy as sa
from alembic import op

import bioskills.base.tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("tree_sha256", sa.String(length=64), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("released_at", bioskills.base.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_feedback_files_submission_id_submission"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback_files")),
    )
    op.create_index(
        op.f("ix_feedback_files_submission_id"), "feedback_files", ["submission_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_feedback_files_submission_id"), table_name="feedback_files")
    op.drop_table("feedback_files")
