"""A slot whose room or practitioner changed is noted until whoever is booked there knows."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column(
        "slot",
        sa.Column("is_outdated", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        schema="care",
    )
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX slot_outdated_idx ON care.slot (id) WHERE is_outdated"
    )
    op.execute("RESET ROLE")
