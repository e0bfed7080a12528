"""A person's judgement in formgrader is kept, and makes a result of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("result") as batch:
        batch.alter_column("job_id", existing_type=sa.Integer(), nullable=True)
        batch.add_column(sa.Column("judged", sa.JSON(), nullable=True))
    _create()
    op.create_index("ix_judgement_submission_id", "judgement", ["submission_id"])


def downgrade() -> None:
    op.drop_table("judgement")
    # Where a person judged, this fails: an older version cannot hold it, and no evidence is deleted.
    with op.batch_alter_table("result") as batch:
        batch.drop_column("judged")
        batch.alter_column("job_id", existing_type=sa.Integer(), nullable=False)


def _create() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "judgement",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("cell", sa.String(300), nullable=False),
        sa.Column("points", sa.String(32)),
        sa.Column("extra_credit", sa.String(32)),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("settled_at", time),
        sa.Column("settled_by", sa.String(16)),
        sa.Column("result_id", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_judgement_submission_id_submission"
        ),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name="fk_judgement_result_id_result"),
        sa.PrimaryKeyConstraint("id", name="pk_judgement"),
    )
