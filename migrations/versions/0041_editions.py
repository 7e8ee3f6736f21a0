"""A number that grows when what everybody may know changes: kept answers hold it."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE book_owner")
    op.create_table(
        "edition",
        sa.Column("is_only", sa.Boolean(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("is_only", name="edition_is_only_check"),
        sa.PrimaryKeyConstraint("is_only", name="edition_pkey"),
        schema="code",
    )
    op.execute("INSERT INTO code.edition (is_only, number) VALUES (true, 1)")
    op.execute("RESET ROLE")
