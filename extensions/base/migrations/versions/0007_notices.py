"""An instructor writes a message that the whole cohort reads."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("cohort_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("shown_from", time, nullable=False),
        sa.Column("shown_until", time, nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("ended_at", time),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name="fk_notice_cohort_id_cohort"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_index("ix_notice_cohort_id", "notice", ["cohort_id"])


def downgrade() -> None:
    op.drop_table("notice")
