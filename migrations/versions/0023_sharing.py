"""Share codes, grants, requests, masks and classes of records."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GUARDED = (
    "visit",
    "visit_diagnosis",
    "visit_insurance",
    "visit_service",
    "prescription",
    "prescription_item",
    "test_report",
    "test_result",
    "document",
    "progress_note",
    "vital_signs",
    "withdrawal",
    "vaccination",
    "vaccination_reaction",
    "reported_reaction",
    "imaging_study",
    "condition",
    "allergy",
    "allergy_reaction",
)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    _widen_access()
    _add_share_code()
    _add_book_grant()
    _add_share_request()
    _add_share_try()
    _add_live_subscription()
    _add_book_use()
    _add_alarm()
    op.execute("RESET ROLE")
    op.execute("SET LOCAL ROLE book_owner")
    _classify_records()
    _add_facilities()
    op.execute("RESET ROLE")


def _widen_access() -> None:
    zero = sa.text("0")
    op.add_column(
        "book", sa.Column("hidden_classes", sa.SmallInteger(), server_default=zero, nullable=False), schema="auth"
    )
    op.add_column("book", sa.Column("sharing_frozen_at", MOMENT, nullable=True), schema="auth")
    op.execute("DELETE FROM auth.reading_window")  # decisions of transactions that are over
    needed = "-- squawk-ignore adding-required-field\n"  # the table is empty
    for note, column in (
        (needed, "sensitive integer NOT NULL"),
        ("", "facilities text[]"),
        ("", "records uuid[]"),
        (needed, "whole boolean NOT NULL"),
        (needed, "private boolean NOT NULL"),
    ):
        op.execute(f"{note}ALTER TABLE auth.reading_window ADD COLUMN {column}")


def _add_share_code() -> None:
    op.create_table(
        "share_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("representation", sa.Text(), nullable=True),
        sa.Column("lookup", sa.LargeBinary(), nullable=True),
        sa.Column("verifier", sa.Text(), nullable=True),
        sa.Column("has_pin", sa.Boolean(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.JSONB(), nullable=False),
        sa.Column("access_minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("redeemable_until", MOMENT, nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("redeemed_at", MOMENT, nullable=True),
        sa.Column("redeemed_by", sa.Uuid(), nullable=True),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="share_code_citizen_id_fkey"),
        sa.ForeignKeyConstraint(["made_by"], ["auth.citizen.id"], name="share_code_made_by_fkey"),
        sa.ForeignKeyConstraint(["redeemed_by"], ["auth.practitioner.id"], name="share_code_redeemed_by_fkey"),
        sa.PrimaryKeyConstraint("id", name="share_code_pkey"),
        sa.UniqueConstraint("lookup", name="share_code_lookup_key"),
        schema="auth",
    )
    op.create_index(
        "share_code_citizen_idx",
        "share_code",
        ["citizen_id", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
        schema="auth",
    )
    op.create_index(
        "share_code_hashed_idx",
        "share_code",
        ["redeemable_until"],
        unique=False,
        schema="auth",
        postgresql_where=sa.text("lookup IS NOT NULL"),
    )


def _add_book_grant() -> None:
    op.create_table(
        "book_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("citizen_name", sa.Text(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_certificate", sa.Text(), nullable=False),
        sa.Column("practitioner_name", sa.Text(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.JSONB(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("representation", sa.Text(), nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("end_told_at", MOMENT, nullable=True),
        sa.Column("reviewed_at", MOMENT, nullable=True),
        sa.Column("review", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "ends_at > starts_at AND (kind <> 'EMERGENCY' OR ends_at <= starts_at + '24:00:00')",
            name="book_grant_time_check",
        ),
        sa.CheckConstraint("kind IN ('CODE', 'REQUEST', 'EMERGENCY')", name="book_grant_kind_check"),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="book_grant_citizen_id_fkey"),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="book_grant_facility_code_fkey"),
        sa.ForeignKeyConstraint(["practitioner_id"], ["auth.practitioner.id"], name="book_grant_practitioner_id_fkey"),
        sa.ForeignKeyConstraint(["requested_by"], ["auth.citizen.id"], name="book_grant_requested_by_fkey"),
        sa.PrimaryKeyConstraint("id", name="book_grant_pkey"),
        schema="auth",
    )
    op.create_index(
        "book_grant_citizen_idx",
        "book_grant",
        ["citizen_id", sa.text("starts_at DESC"), sa.text("id DESC")],
        unique=False,
        schema="auth",
    )
    op.create_index(
        "book_grant_practitioner_idx",
        "book_grant",
        ["practitioner_id", sa.text("starts_at DESC"), sa.text("id DESC")],
        unique=False,
        schema="auth",
    )
    op.create_index(
        "book_grant_unreviewed_idx",
        "book_grant",
        ["starts_at"],
        unique=False,
        schema="auth",
        postgresql_where=sa.text("kind = 'EMERGENCY' AND reviewed_at IS NULL"),
    )
    op.create_index(
        "book_grant_untold_idx",
        "book_grant",
        ["ends_at"],
        unique=False,
        schema="auth",
        postgresql_where=sa.text("end_told_at IS NULL AND revoked_at IS NULL"),
    )


def _add_share_request() -> None:
    op.create_table(
        "share_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=True),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_certificate", sa.Text(), nullable=False),
        sa.Column("practitioner_name", sa.Text(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.JSONB(), nullable=False),
        sa.Column("access_minutes", sa.Integer(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="share_request_citizen_id_fkey"),
        sa.ForeignKeyConstraint(
            ["facility_code"], ["directory.facility.code"], name="share_request_facility_code_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["auth.practitioner.id"], name="share_request_practitioner_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="share_request_pkey"),
        schema="auth",
    )
    op.create_index(
        "share_request_citizen_idx",
        "share_request",
        ["citizen_id", sa.text("asked_at DESC"), sa.text("id DESC")],
        unique=False,
        schema="auth",
    )
    op.create_index(
        "share_request_practitioner_idx",
        "share_request",
        ["practitioner_id", sa.text("asked_at DESC"), sa.text("id DESC")],
        unique=False,
        schema="auth",
    )


def _add_share_try() -> None:
    op.create_table(
        "share_try",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("deed_key", sa.Text(), nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=True),
        sa.Column("citizen_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["practitioner_id"], ["auth.practitioner.id"], name="share_try_practitioner_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="share_try_pkey"),
        schema="auth",
    )
    op.create_index("share_try_at_idx", "share_try", ["at"], unique=False, schema="auth")
    op.create_index(
        "share_try_citizen_idx",
        "share_try",
        ["citizen_id", sa.text("at DESC"), sa.text("id DESC")],
        unique=False,
        schema="auth",
    )
    op.create_index("share_try_facility_idx", "share_try", ["facility_code", "at"], unique=False, schema="auth")
    op.create_index(
        "share_try_practitioner_idx", "share_try", ["practitioner_id", sa.text("at DESC")], unique=False, schema="auth"
    )
    op.create_index(
        "share_try_untold_idx",
        "share_try",
        ["at"],
        unique=False,
        schema="auth",
        postgresql_where=sa.text("told_at IS NULL AND citizen_id IS NOT NULL"),
    )


def _add_live_subscription() -> None:
    op.create_table(
        "live_subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="live_subscription_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.create_index("live_subscription_grant_idx", "live_subscription", ["grant_id"], unique=False, schema="auth")
    op.create_index("live_subscription_session_idx", "live_subscription", ["session_id"], unique=False, schema="auth")


def _add_book_use() -> None:
    op.create_table(
        "book_use",
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["practitioner_id"], ["auth.practitioner.id"], name="book_use_practitioner_id_fkey"),
        sa.PrimaryKeyConstraint("practitioner_id", "used_on", "citizen_id", name="book_use_pkey"),
        schema="auth",
    )
    op.create_index("book_use_day_idx", "book_use", ["used_on"], unique=False, schema="auth")


def _add_alarm() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("hour", MOMENT, nullable=False),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="alarm_pkey"),
        sa.UniqueConstraint("kind", "subject", "hour", name="alarm_kind_subject_hour_key"),
        schema="auth",
    )
    op.create_index("alarm_raised_idx", "alarm", ["raised_at"], unique=False, schema="auth")


def _classify_records() -> None:
    for table in GUARDED:
        column = sa.Column("sensitive", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
        op.add_column(table, column, schema="book")
    op.create_table(
        "sensitive",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("class", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('CODE', 'WORD')", name="sensitive_kind_check"),
        sa.PrimaryKeyConstraint("kind", "pattern", name="sensitive_pkey"),
        schema="code",
    )


def _add_facilities() -> None:
    """Write the facility of a record on those of its lines that more than one section shows."""
    for table, holder, key in (
        ("visit_diagnosis", "visit", "visit_id"),
        ("visit_insurance", "visit", "visit_id"),
        ("vital_signs", "document", "document_id"),
    ):
        op.add_column(table, sa.Column("facility_code", sa.Text(), nullable=True), schema="book")
        for name in (table, holder):
            op.execute(f"ALTER TABLE book.{name} NO FORCE ROW LEVEL SECURITY")
        op.execute(
            f"UPDATE book.{table} l SET facility_code = r.facility_code FROM book.{holder} r "
            f"WHERE r.citizen_id = l.citizen_id AND r.id = l.{key}"
        )
        for name in (table, holder):
            op.execute(f"ALTER TABLE book.{name} FORCE ROW LEVEL SECURITY")
