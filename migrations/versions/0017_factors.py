"""Second factors: one-time codes by time, recovery codes."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "factor",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("began_by", sa.UUID(), nullable=True),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("locked_until", MOMENT, nullable=True),
        sa.Column("day_failures", sa.SmallInteger(), nullable=False),
        sa.Column("day_began_at", MOMENT, nullable=False),
        sa.Column("off_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="factor_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="factor_pkey"),
        schema="auth",
    )
    for name, state in (("factor_live_key", "IS NOT NULL"), ("factor_pending_key", "IS NULL")):
        op.create_index(
            name,
            "factor",
            ["citizen_id"],
            unique=True,
            schema="auth",
            postgresql_where=sa.text(f"confirmed_at {state}"),
        )
    op.create_table(
        "recovery_code",
        sa.Column("factor_id", sa.UUID(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["factor_id"], ["auth.factor.id"], name="recovery_code_factor_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("factor_id", "hash", name="recovery_code_pkey"),
        schema="auth",
    )
    # The table is as new as the release that this stands in: no row waits for it.
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE auth.step_up ADD CONSTRAINT step_up_step_up_action_check_check CHECK (action IN "
        "('SHARE', 'UNMASK', 'EXPORT', 'EMERGENCY', 'GUARDIANS', 'IDENTIFIERS', 'FACTORS', 'SESSIONS', '*'))"
    )
    op.execute("RESET ROLE")
