"""More time is ended and never erased; a resit may be another assignment."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("extension") as batch:
        batch.add_column(sa.Column("ended_by", sa.String(64)))
        batch.add_column(sa.Column("ended_at", sa.DateTime(timezone=True)))
        # One that was ended stays beside the one that holds.
        batch.drop_constraint("uq_extension_assignment_id", type_="unique")
        batch.create_index("ix_extension_assignment_id", ["assignment_id"])
    with op.batch_alter_table("resit") as batch:
        batch.add_column(sa.Column("by_assignment_id", sa.Integer()))
        batch.create_foreign_key(
            "fk_resit_by_assignment_id_assignment", "assignment", ["by_assignment_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("resit") as batch:
        batch.drop_constraint("fk_resit_by_assignment_id_assignment", type_="foreignkey")
        batch.drop_column("by_assignment_id")
    op.execute("DELETE FROM extension WHERE ended_at IS NOT NULL")
    with op.batch_alter_table("extension") as batch:
        batch.drop_index("ix_extension_assignment_id")
        batch.create_unique_constraint("uq_extension_assignment_id", ["assignment_id", "person_id"])
        batch.drop_column("ended_at")
        batch.drop_column("ended_by")
