"""Appointments know of which sensitive classes they are."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column(
        "appointment",
        sa.Column("sensitive", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="care",
    )
    op.execute("RESET ROLE")
