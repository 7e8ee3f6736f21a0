"""Questions that citizens ask about lines of their visitors' book."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "question",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("asked_by", sa.UUID(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["citizen_id", "n"], ["audit.leaf.citizen_id", "audit.leaf.n"], name="question_citizen_id_n_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="question_pkey"),
        schema="audit",
    )
    op.create_index("question_line_key", "question", ["citizen_id", "n"], unique=True, schema="audit")
    is_open = sa.text("state = 'OPEN'")
    op.create_index("question_due_idx", "question", ["due_on"], schema="audit", postgresql_where=is_open)
    op.execute("RESET ROLE")
