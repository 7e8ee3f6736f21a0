"""Who took the bytes of a message that was not wholly filed, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "export",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["intake.message.id"], name="export_message_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="export_pkey"),
        schema="intake",
    )
    op.create_index("export_message_id_idx", "export", ["message_id"], schema="intake")
    op.execute("RESET ROLE")
