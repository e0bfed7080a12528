"""Accounts of the embedded sign-in, and the links by which people set their passwords."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("totp_sealed", sa.Text()),
        sa.Column("totp_step", sa.Integer()),
        sa.Column("recovery", sa.JSON()),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_account_person_id_person"),
        sa.UniqueConstraint("person_id", name="uq_account_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
    )
    op.create_table(
        "join_link",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("issued_by", sa.String(64), nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_join_link_person_id_person"),
        sa.UniqueConstraint("sha256", name="uq_join_link_sha256"),
        sa.PrimaryKeyConstraint("id", name="pk_join_link"),
    )
    op.create_index("ix_join_link_person_id", "join_link", ["person_id"])


def downgrade() -> None:
    op.drop_table("join_link")
    op.drop_table("account")
