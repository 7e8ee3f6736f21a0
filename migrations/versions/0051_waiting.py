"""What messages wait for that were kept and not filed, so that they are taken up again by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "waiting",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["intake.message.id"]),
        sa.PrimaryKeyConstraint("lookup", "message_id"),
        schema="intake",
    )
    op.create_index("waiting_message_idx", "waiting", ["message_id"], schema="intake")
    op.execute("RESET ROLE")
