"""An instructor uploads a version of a course, reads the report, and installs it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "course_upload",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("course", sa.String(64), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("compared_with", sa.Integer()),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("installed_at", time),
        sa.Column("installed_by", sa.String(16)),
        sa.ForeignKeyConstraint(
            ["compared_with"],
            ["course_version.id"],
            name="fk_course_upload_compared_with_course_version",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_course_upload"),
    )
    op.create_index("ix_course_upload_course", "course_upload", ["course"])


def downgrade() -> None:
    op.drop_table("course_upload")
