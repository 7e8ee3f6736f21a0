"""Accounts close and open again, devices have names of their own, claims wait for papers, disowned visits come back."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column("device", sa.Column("named_at", MOMENT, nullable=True), schema="auth")
    op.add_column("representation", sa.Column("paper_sealed", sa.LargeBinary(), nullable=True), schema="auth")
    _add_closures()
    _add_claims()
    _number_disowned_visits()
    op.execute("RESET ROLE")


def _add_closures() -> None:
    op.create_table(
        "closure",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_at", MOMENT, nullable=False),
        sa.Column("reopened_at", MOMENT, nullable=True),
        sa.CheckConstraint("reason IN ('DEATH', 'REQUEST', 'MISUSE')", name="closure_reason_check"),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="closure_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="closure_pkey"),
        schema="auth",
    )
    op.create_index(
        "closure_live_key",
        "closure",
        ["citizen_id"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("reopened_at IS NULL"),
    )


def _add_claims() -> None:
    op.create_table(
        "representation_claim",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("claimant_id", sa.UUID(), nullable=False),
        sa.Column("dependant_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("dependant_key", sa.Text(), nullable=False),
        sa.Column("dependant_born_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("claimed_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("representation_id", sa.UUID(), nullable=True),
        sa.CheckConstraint("kind IN ('PARENT', 'GUARDIAN')", name="representation_claim_kind_check"),
        sa.CheckConstraint(
            "decision IN ('APPROVED', 'REFUSED', 'WITHDRAWN')", name="representation_claim_decision_check"
        ),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="representation_claim_decided_check"),
        sa.ForeignKeyConstraint(["claimant_id"], ["auth.citizen.id"], name="representation_claim_claimant_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="representation_claim_pkey"),
        schema="auth",
    )
    op.create_index(
        "representation_claim_claimant_idx", "representation_claim", ["claimant_id", "claimed_at"], schema="auth"
    )


def _number_disowned_visits() -> None:
    # Few rows, of a release that nobody runs yet: giving each an id rewrites them once.
    op.execute(
        "-- squawk-ignore adding-field-with-default, adding-required-field\n"
        "ALTER TABLE auth.disowned_visit ADD COLUMN id uuid NOT NULL DEFAULT uuidv7(), ADD COLUMN undone_at timestamptz"
    )
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE UNIQUE INDEX disowned_visit_id_key ON auth.disowned_visit (id)"
    )
