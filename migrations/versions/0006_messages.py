"""Messages as they came, sealed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "message",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", postgresql.JSONB(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "status IN ('received', 'filed', 'partly', 'quarantined', 'rejected')", name="message_status_check"
        ),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="message_facility_code_fkey"),
        sa.PrimaryKeyConstraint("id", name="message_pkey"),
        sa.UniqueConstraint("facility_code", "digest", name="message_facility_code_digest_key"),
        sa.UniqueConstraint("facility_code", "idempotency_key", name="message_facility_code_idempotency_key_key"),
        schema="intake",
    )
    op.create_index(
        "message_facility_received_idx",
        "message",
        ["facility_code", "received_at", "id"],
        unique=False,
        schema="intake",
    )
    op.create_index(
        "message_waiting_idx",
        "message",
        ["facility_code"],
        unique=False,
        schema="intake",
        postgresql_where=sa.text("status = 'received'"),
    )
    op.create_index(
        "message_unfiled_idx",
        "message",
        ["received_at"],
        unique=False,
        schema="intake",
        postgresql_where=sa.text("status IN ('partly', 'quarantined', 'rejected')"),
    )
    op.execute("RESET ROLE")
