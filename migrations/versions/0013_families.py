"""Families: who represents whom, and what the law lets a representative see at which age."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    _add_bands()
    _add_representations()
    op.execute("RESET ROLE")


def _add_bands() -> None:
    op.create_table(
        "extent",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sections", sa.Integer(), nullable=False),
        sa.Column("law", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="extent_pkey"),
        schema="auth",
    )
    op.create_table(
        "age_band",
        sa.Column("from_age", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("extent", sa.Text(), nullable=False),
        sa.Column("unmasked", sa.Boolean(), nullable=False),
        sa.Column("may_share", sa.Boolean(), nullable=False),
        sa.Column("child_agrees", sa.Boolean(), nullable=False),
        sa.Column("law", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["extent"], ["auth.extent.code"], name="age_band_extent_fkey"),
        sa.PrimaryKeyConstraint("from_age", "valid_from", name="age_band_pkey"),
        schema="auth",
    )


def _add_representations() -> None:
    op.create_table(
        "representation",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("dependant_id", sa.UUID(), nullable=False),
        sa.Column("representative_id", sa.UUID(), nullable=True),
        sa.Column("representative_lookup", sa.LargeBinary(), nullable=True),
        sa.Column("representative_key", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("extent", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("added_by", sa.UUID(), nullable=True),
        sa.Column("accepted_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_by", sa.UUID(), nullable=True),
        sa.CheckConstraint("kind IN ('PARENT', 'GUARDIAN', 'COURT', 'MANDATE')", name="representation_kind_check"),
        sa.CheckConstraint(
            "evidence IN ('BIRTH_CERTIFICATE', 'PAPER', 'COURT_DECISION', 'REPRESENTATIVE', 'DEPENDANT')",
            name="representation_evidence_check",
        ),
        sa.CheckConstraint("representative_id <> dependant_id", name="representation_two_people_check"),
        sa.CheckConstraint("(representative_id IS NULL) = (accepted_at IS NULL)", name="representation_accepted_check"),
        sa.CheckConstraint(
            "num_nonnulls(representative_id, representative_lookup) > 0", name="representation_somebody_check"
        ),
        sa.CheckConstraint("(extent IS NULL) = (kind IN ('PARENT', 'GUARDIAN'))", name="representation_extent_check"),
        sa.ForeignKeyConstraint(["dependant_id"], ["auth.citizen.id"], name="representation_dependant_id_fkey"),
        sa.ForeignKeyConstraint(
            ["representative_id"], ["auth.citizen.id"], name="representation_representative_id_fkey"
        ),
        sa.ForeignKeyConstraint(["extent"], ["auth.extent.code"], name="representation_extent_fkey"),
        sa.PrimaryKeyConstraint("id", name="representation_pkey"),
        schema="auth",
    )
    op.create_index(
        "representation_live_key",
        "representation",
        ["dependant_id", "representative_id", "kind"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("representation_dependant_idx", "representation", ["dependant_id"], schema="auth")
    op.create_index("representation_representative_idx", "representation", ["representative_id"], schema="auth")
    op.create_index(
        "representation_waiting_idx",
        "representation",
        ["representative_lookup"],
        schema="auth",
        postgresql_where=sa.text("accepted_at IS NULL AND ended_at IS NULL"),
    )
