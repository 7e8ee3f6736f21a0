"""Practitioners as actors, second factors, the visitors' book, events, and mutations that are done once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

NEW_RULE = "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
SESSIONS_OF_THE_FIRST_RELEASE = (
    (
        f"{NEW_RULE}ALTER TABLE auth.session ADD CONSTRAINT session_practitioner_id_fkey "
        "FOREIGN KEY (practitioner_id) REFERENCES auth.practitioner (id)"
    ),
    (
        f"{NEW_RULE}ALTER TABLE auth.session ADD CONSTRAINT session_via_facility_code_fkey "
        "FOREIGN KEY (via_facility_code) REFERENCES directory.facility (code)"
    ),
    (
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE auth.session DROP CONSTRAINT session_session_one_principal_check_check"
    ),
    (
        f"{NEW_RULE}ALTER TABLE auth.session ADD CONSTRAINT session_session_one_principal_check_check "
        "CHECK (num_nonnulls(citizen_id, facility_code, practitioner_id) = 1)"
    ),
    (
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX session_practitioner_idx ON auth.session (practitioner_id) WHERE ended_at IS NULL"
    ),
)
"""What would lock a table in use: the table is as new as the release that this stands in."""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    _add_practitioners()
    _widen_sessions()
    _add_visitors_book()
    _add_events()
    op.execute("RESET ROLE")


def _add_practitioners() -> None:
    op.create_table(
        "practitioner",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("suspended_at", MOMENT, nullable=True),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="practitioner_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="practitioner_pkey"),
        sa.UniqueConstraint("certificate", name="practitioner_certificate_key"),
        schema="auth",
    )
    op.create_index("practitioner_citizen_idx", "practitioner", ["citizen_id"], unique=False, schema="auth")
    op.create_table(
        "practitioner_place",
        sa.Column("practitioner_id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["auth.practitioner.id"], name="practitioner_place_practitioner_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["facility_code"], ["directory.facility.code"], name="practitioner_place_facility_code_fkey"
        ),
        sa.PrimaryKeyConstraint("practitioner_id", "facility_code", "valid_from", name="practitioner_place_pkey"),
        schema="auth",
    )


def _widen_sessions() -> None:
    op.add_column("session", sa.Column("practitioner_id", sa.UUID(), nullable=True), schema="auth")
    op.add_column("session", sa.Column("via_facility_code", sa.Text(), nullable=True), schema="auth")
    for statement in SESSIONS_OF_THE_FIRST_RELEASE:
        op.execute(statement)
    op.create_table(
        "step_up",
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["auth.session.id"], name="step_up_session_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", "action", name="step_up_pkey"),
        schema="auth",
    )
    op.create_table(
        "deed",
        sa.Column("viewer", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("told", postgresql.JSONB(), nullable=True),
        sa.Column("done_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("viewer", "key", name="deed_pkey"),
        schema="auth",
    )
    op.create_index("deed_done_idx", "deed", ["done_at"], unique=False, schema="auth")


def _add_visitors_book() -> None:
    op.create_table(
        "head",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="head_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", name="head_pkey"),
        schema="audit",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "line",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_citizen_id", sa.UUID(), nullable=True),
        sa.Column("actor_practitioner_id", sa.UUID(), nullable=True),
        sa.Column("actor_facility_code", sa.Text(), nullable=True),
        sa.Column("about", postgresql.JSONB(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="line_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", "n", name="line_pkey"),
        schema="audit",
    )


def _add_events() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", postgresql.JSONB(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="event_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="event_pkey"),
        schema="notice",
    )
    op.create_index("event_citizen_idx", "event", ["citizen_id", "happened_at"], unique=False, schema="notice")
    op.create_index(
        "event_dedupe_key",
        "event",
        ["citizen_id", "dedupe_key"],
        unique=True,
        schema="notice",
        postgresql_where=sa.text("dedupe_key IS NOT NULL"),
    )
