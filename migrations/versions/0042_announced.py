"""An announcement holds what the reading is compared with, so that the line need not be looked at again."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Xid8

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column("announcement", sa.Column("practitioner_id", sa.Uuid()), schema="auth")
    op.add_column("announcement", sa.Column("grant_id", sa.Uuid()), schema="auth")
    op.add_column("announcement", sa.Column("operation", sa.Text()), schema="auth")
    op.add_column("announcement", sa.Column("transaction", Xid8()), schema="auth")
    op.execute("RESET ROLE")
