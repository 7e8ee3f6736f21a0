"""What is hidden stays hidden when it goes and is sent again: its key is remembered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE book_owner")
    op.add_column(
        "arrival_order",
        sa.Column("hidden", ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")),
        schema="book",
    )
    op.execute("RESET ROLE")
