"""The consent ledger, numbers that were joined, visits that are somebody else's."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    _add_consents()
    _add_joins()
    op.execute("RESET ROLE")


def _add_consents() -> None:
    op.create_table(
        "consent_text",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("text_vi", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "version", name="consent_text_pkey"),
        schema="auth",
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("about_id", sa.UUID(), nullable=True),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("given_by", sa.UUID(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("withdrawn_by", sa.UUID(), nullable=True),
        sa.CheckConstraint("confirmed_by IN ('SIGNED_IN', 'SECOND_FACTOR')", name="consent_confirmed_by_check"),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="consent_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="consent_pkey"),
        schema="auth",
    )
    op.create_index(
        "consent_live_key",
        "consent",
        ["citizen_id", "purpose"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("withdrawn_at IS NULL AND about_id IS NULL"),
    )
    op.create_index("consent_citizen_idx", "consent", ["citizen_id", "given_at", "id"], schema="auth")
    op.create_index(
        "consent_about_idx",
        "consent",
        ["about_id"],
        schema="auth",
        postgresql_where=sa.text("about_id IS NOT NULL"),
    )


def _add_joins() -> None:
    op.create_table(
        "identifier_join",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("other_id", sa.UUID(), nullable=False),
        sa.Column("identifier_ids", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("message_ids", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.Column("undone_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="identifier_join_citizen_id_fkey"),
        sa.ForeignKeyConstraint(["other_id"], ["auth.citizen.id"], name="identifier_join_other_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="identifier_join_pkey"),
        schema="auth",
    )
    op.create_index("identifier_join_citizen_idx", "identifier_join", ["citizen_id"], schema="auth")
    op.create_index(
        "identifier_join_other_key",
        "identifier_join",
        ["other_id"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "disowned_visit",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("disowned_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="disowned_visit_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", "facility_code", "source_id", name="disowned_visit_pkey"),
        schema="auth",
    )
