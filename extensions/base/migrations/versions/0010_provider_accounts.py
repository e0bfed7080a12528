"""An account at an identity provider is bound to a person."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_provider_account_person_id_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_provider_account"),
        sa.UniqueConstraint("issuer", "subject", name="uq_provider_account_issuer"),
        sa.UniqueConstraint("issuer", "person_id", name="uq_provider_account_person"),
    )
    op.create_index("ix_provider_account_person_id", "provider_account", ["person_id"])


def downgrade() -> None:
    op.drop_table("provider_account")
