"""Which lines an observation gave to its record, so that a report may take in those that it refers to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column("sent_resource", sa.Column("lines", postgresql.ARRAY(sa.LargeBinary())), schema="intake")
    op.execute("RESET ROLE")
