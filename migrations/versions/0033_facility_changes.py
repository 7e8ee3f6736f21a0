"""A facility changes its system, or another one takes over its records: since when, and what it has sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "facility_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("predecessor_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resent_from", sa.Date(), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('SYSTEM', 'MERGER', 'BRANCH')", name="facility_change_kind_check"),
        sa.CheckConstraint("(kind = 'SYSTEM') = (facility_code = predecessor_code)", name="facility_change_who_check"),
        sa.CheckConstraint(
            "resent_from <= begins_on AND (ends_on IS NULL OR begins_on <= ends_on)", name="facility_change_days_check"
        ),
        sa.ForeignKeyConstraint(
            ["facility_code"], ["directory.facility.code"], name="facility_change_facility_code_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["predecessor_code"], ["directory.facility.code"], name="facility_change_predecessor_code_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="facility_change_pkey"),
        schema="directory",
    )
    op.create_index(
        "facility_change_facility_code_idx", "facility_change", ["facility_code"], unique=False, schema="directory"
    )
    op.create_table(
        "resent",
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("home_facility_code", sa.Text(), nullable=False),
        sa.Column("home_source_id", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("message_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("resent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("citizen_id", "kind", "facility_code", "source_id", name="resent_pkey"),
        schema="auth",
    )
    op.create_index("resent_record_idx", "resent", ["citizen_id", "record_id"], unique=False, schema="auth")
    op.create_index("resent_change_idx", "resent", ["change_id"], unique=False, schema="auth")
    op.execute("RESET ROLE")
