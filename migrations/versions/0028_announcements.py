"""An announced line opens one book once."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "announcement",
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "n", name="announcement_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.execute("RESET ROLE")
