"""People are shown who runs this and what is stored, and choose their time zone."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("person") as batch:
        batch.add_column(sa.Column("time_zone", sa.String(64), nullable=True))
    time = sa.DateTime(timezone=True)
    op.create_table(
        "paper_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paper", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("since", time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_paper_version"),
    )
    op.create_index("ix_paper_version_paper", "paper_version", ["paper"])
    op.create_table(
        "paper_seen",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("paper_version_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("seen_at", time, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_paper_seen_person_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["paper_version_id"],
            ["paper_version.id"],
            name="fk_paper_seen_paper_version_id_paper_version",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_paper_seen"),
        sa.UniqueConstraint("person_id", "paper_version_id", name="uq_paper_seen_person_id"),
    )
    op.create_index("ix_paper_seen_person_id", "paper_seen", ["person_id"])


def downgrade() -> None:
    op.drop_table("paper_seen")
    op.drop_table("paper_version")
    with op.batch_alter_table("person") as batch:
        batch.drop_column("time_zone")
