"""Devices, sessions bound to a key, proofs of possession that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "device",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("key_thumbprint", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="device_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="device_pkey"),
        schema="auth",
    )
    op.create_index(
        "device_key_key",
        "device",
        ["citizen_id", "client_id", "key_thumbprint"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("key_thumbprint IS NOT NULL"),
    )
    op.add_column("renewal", sa.Column("device_id", sa.UUID(), nullable=True), schema="auth")
    # The table is as new as the release that this stands in: no row waits for it.
    op.execute(
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE auth.renewal ADD CONSTRAINT renewal_device_id_fkey "
        "FOREIGN KEY (device_id) REFERENCES auth.device (id)"
    )
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX renewal_device_idx ON auth.renewal (device_id)"
    )
    for table in ("login", "handoff"):
        op.add_column(table, sa.Column("key_thumbprint", sa.LargeBinary(), nullable=True), schema="auth")
    op.create_table(
        "seen",
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["auth.session.id"], name="seen_session_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id", name="seen_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "used_proof",
        sa.Column("key_thumbprint", sa.LargeBinary(), nullable=False),
        sa.Column("proof_id", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key_thumbprint", "proof_id", name="used_proof_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.create_index("used_proof_expires_at_idx", "used_proof", ["expires_at"], unique=False, schema="auth")
    op.execute("RESET ROLE")
