"""The database knows the keys it was filled with, by a mark of each."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "key_mark",
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("file", "mark"),
        schema="auth",
    )
    op.execute("RESET ROLE")
