"""Activation codes of facilities' desks."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "activation",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="activation_citizen_id_fkey"),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="activation_facility_code_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", name="activation_pkey"),
        sa.UniqueConstraint("lookup", name="activation_lookup_key"),
        schema="auth",
    )
    op.create_table(
        "activation_try",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject", name="activation_try_pkey"),
        schema="auth",
    )
    op.add_column("login", sa.Column("activation", sa.LargeBinary(), nullable=True), schema="auth")
    op.execute("RESET ROLE")
