"""Each phone waits by itself: what the push service asks of one is not asked of the others."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column("push", sa.Column("try_at", sa.DateTime(timezone=True)), schema="notice")
    op.execute("RESET ROLE")
