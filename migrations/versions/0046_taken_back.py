"""What a facility takes back before it has come is remembered by its names."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "taken_back",
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("rank", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"]),
        sa.PrimaryKeyConstraint("facility_code", "lookup"),
        schema="intake",
    )
    op.execute("RESET ROLE")
