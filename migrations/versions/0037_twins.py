"""One appointment may be told by several: a paper, a message, a booking."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column(
        "appointment",
        sa.Column("told_too", sa.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")),
        schema="care",
    )
    op.execute("RESET ROLE")
