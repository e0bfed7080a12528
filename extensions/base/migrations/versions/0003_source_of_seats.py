"""A seat from a cohort file names the file's cohort, so that leaving the file ends it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME_COHORT = """
update membership set source = 'file:' || (select slug from cohort where cohort.id = cohort_id)
where source = 'file'
"""
"""Seats of the platform become those of no file: which one gave them was not kept."""


def upgrade() -> None:
    _resize(40, 60)
    op.execute(NAME_COHORT)


def downgrade() -> None:
    op.execute("update membership set source = 'file' where source like 'file:%'")
    _resize(60, 40)


def _resize(old: int, new: int) -> None:
    with op.batch_alter_table("membership") as batch:
        batch.alter_column("source", existing_type=sa.String(old), type_=sa.String(new))
