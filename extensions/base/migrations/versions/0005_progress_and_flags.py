"""A job says how far it is; a result keeps what a person should look at."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JOB: dict[str, Any] = {
    "step": sa.String(16),
    "done": sa.Integer(),
    "of": sa.Integer(),
    "started_at": sa.DateTime(timezone=True),
}
RESULT: dict[str, Any] = {"flags": sa.JSON(), "mended": sa.JSON(), "shown": sa.JSON()}


def upgrade() -> None:
    for table, columns in (("job", JOB), ("result", RESULT)):
        with op.batch_alter_table(table) as batch:
            for name, kind in columns.items():
                batch.add_column(sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for table, columns in (("job", JOB), ("result", RESULT)):
        with op.batch_alter_table(table) as batch:
            for name in columns:
                batch.drop_column(name)
