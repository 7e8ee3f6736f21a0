"""What people ask facilities to correct, by when the law wants it answered and done."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "correction",
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("visit_source_id", sa.Text(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("correct_by", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="correction_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="correction_pkey"),
        schema="auth",
    )
    op.create_index(
        "correction_facility_code_requested_at_id_idx",
        "correction",
        ["facility_code", "requested_at", "id"],
        unique=False,
        schema="auth",
    )
    op.execute("RESET ROLE")
