"""When a book was brought back from an older copy of the database: no copy on a phone goes on from before."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column("book", sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True), schema="auth")
    op.execute("RESET ROLE")
