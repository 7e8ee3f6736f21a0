"""When a sample was taken, the laboratory's flag, and the rules by which an earlier test stands in for a new one."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE book_owner")
    op.add_column("test_report", sa.Column("sampled_at", sa.DateTime(timezone=True), nullable=True), schema="book")
    op.add_column("test_result", sa.Column("interpretation", sa.Text(), nullable=True), schema="book")
    op.create_table(
        "reuse_rule",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("sure_hours", sa.Integer(), nullable=False),
        sa.Column("longest_hours", sa.Integer(), nullable=False),
        sa.Column("positives_only", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("certainty", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "valid_from", name="reuse_rule_pkey"),
        schema="code",
    )
    op.execute("RESET ROLE")
