"""Pairings: a hospital's system acts for a practitioner who let it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "pairing",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("practitioner_id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("paired_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["practitioner_id"], ["auth.practitioner.id"], name="pairing_practitioner_id_fkey"),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="pairing_facility_code_fkey"),
        sa.PrimaryKeyConstraint("id", name="pairing_pkey"),
        schema="auth",
    )
    op.create_index(
        "pairing_live_key",
        "pairing",
        ["practitioner_id", "facility_code"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.execute("RESET ROLE")
