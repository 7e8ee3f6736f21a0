"""Facilities, citizens, identifiers and sessions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "facility",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("code ~ '^[0-9A-Z]{5}$'", name="facility_code_check"),
        sa.CheckConstraint("level IN ('CENTRAL', 'PROVINCIAL', 'PRIMARY')", name="facility_level_check"),
        sa.PrimaryKeyConstraint("code", name="facility_pkey"),
        schema="directory",
    )
    op.create_table(
        "citizen",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("birth_on", sa.Date(), nullable=False),
        sa.Column("birth_precision", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("ethnic_code", sa.Text(), nullable=True),
        sa.Column("nationality_code", sa.Text(), nullable=True),
        sa.Column("occupation_code", sa.Text(), nullable=True),
        sa.Column("blood_group", sa.Text(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("birth_precision IN ('YEAR', 'DAY', 'MINUTE')", name="citizen_birth_precision_check"),
        sa.CheckConstraint("sex IN ('MALE', 'FEMALE', 'UNDETERMINED')", name="citizen_sex_check"),
        sa.PrimaryKeyConstraint("id", name="citizen_pkey"),
        schema="auth",
    )
    op.create_table(
        "identifier",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source_message_id", sa.UUID(), nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="identifier_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="identifier_pkey"),
        schema="auth",
    )
    op.create_index("identifier_citizen_idx", "identifier", ["citizen_id", "kind"], unique=False, schema="auth")
    op.create_index(
        "identifier_live_key",
        "identifier",
        ["kind", "lookup"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("valid_until IS NULL"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=True),
        sa.Column("key_thumbprint", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("num_nonnulls(citizen_id, facility_code) = 1", name="session_one_principal_check"),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="session_citizen_id_fkey"),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="session_facility_code_fkey"),
        sa.PrimaryKeyConstraint("id", name="session_pkey"),
        sa.UniqueConstraint("token_hash", name="session_token_hash_key"),
        schema="auth",
    )
    op.create_index(
        "session_citizen_idx",
        "session",
        ["citizen_id"],
        unique=False,
        schema="auth",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "client_key",
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("jwk", postgresql.JSONB(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="client_key_facility_code_fkey"),
        sa.PrimaryKeyConstraint("facility_code", "kid", name="client_key_pkey"),
        schema="auth",
    )
    op.create_table(
        "used_assertion",
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("assertion_id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("facility_code", "assertion_id", name="used_assertion_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.create_index("used_assertion_expires_at_idx", "used_assertion", ["expires_at"], unique=False, schema="auth")
    op.execute("RESET ROLE")
