"""Papers, vital signs, insurance, withdrawals, births; in which order versions stand."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXTS_OF_A_DOCUMENT = (
    "number", "register_number", "department_code", "arrival_diagnosis", "diagnosis", "main_code", "signs", "course",
    "findings", "treatment", "services_used", "drugs_used", "plan", "note", "outcome_code", "reason_code",
    "referred_from_code", "referred_to_code", "transport", "escort_name", "doctor_certificate", "signer_name",
    "father_name", "mother_name", "guardian_name",
)  # fmt: skip


def upgrade() -> None:
    op.execute("SET LOCAL ROLE book_owner")
    _widen_visits()
    _add_papers()
    _add_order()
    op.execute("RESET ROLE")
    op.execute("SET LOCAL ROLE auth_owner")
    _widen_identity()
    op.execute("RESET ROLE")


def _widen_visits() -> None:
    op.add_column(
        "visit",
        sa.Column("revisit_on", postgresql.ARRAY(sa.Date()), server_default=sa.text("'{}'"), nullable=False),
        schema="book",
    )
    for name in ("referred_from_code", "referred_to_code"):
        op.add_column("visit", sa.Column(name, sa.Text(), nullable=True), schema="book")
    for table in ("visit_service", "prescription_item", "visit_insurance"):
        share = sa.Column("benefit_percent", sa.Numeric(precision=5, scale=2), nullable=True)
        op.add_column(table, share, schema="book")
    op.add_column("visit_insurance", sa.Column("benefit_code", sa.Text(), nullable=True), schema="book")
    for name in ("exempt_from", "five_years_on"):
        op.add_column("visit_insurance", sa.Column(name, sa.Date(), nullable=True), schema="book")


def _add_papers() -> None:
    op.create_table(
        "document",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("visit_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in TEXTS_OF_A_DOCUMENT),
        sa.Column("rest_days", sa.Integer(), nullable=True),
        *(sa.Column(n, sa.Date(), nullable=True) for n in ("rest_from", "rest_until", "valid_from", "valid_until")),
        sa.Column("appointment_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _child_of("document", "visit", "visit_id"),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="document_pkey"),
        sa.UniqueConstraint("citizen_id", "visit_id", "source_id", name="document_citizen_id_visit_id_source_id_key"),
        schema="book",
    )
    newest: list[str | sa.ColumnElement[Any]] = [
        "citizen_id",
        sa.literal_column("dated_at DESC"),
        sa.literal_column("id DESC"),
    ]
    op.create_index("document_newest_idx", "document", newest, unique=False, schema="book")
    op.create_table(
        "progress_note",
        *_line_of("document_id"),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        *(sa.Column(n, sa.Text(), nullable=True) for n in ("stage", "consultation", "procedure", "author_certificate")),
        _child_of("progress_note", "document", "document_id"),
        sa.PrimaryKeyConstraint("citizen_id", "document_id", "line", name="progress_note_pkey"),
        schema="book",
    )
    op.create_table(
        "vital_signs",
        *_line_of("document_id"),
        sa.Column("visit_id", sa.UUID(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pulse_per_minute", sa.SmallInteger(), nullable=True),
        sa.Column("temperature_celsius", sa.Numeric(precision=4, scale=2), nullable=True),
        sa.Column("systolic_mmhg", sa.SmallInteger(), nullable=True),
        sa.Column("diastolic_mmhg", sa.SmallInteger(), nullable=True),
        sa.Column("breaths_per_minute", sa.SmallInteger(), nullable=True),
        sa.Column("oxygen_saturation_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        _child_of("vital_signs", "document", "document_id"),
        sa.PrimaryKeyConstraint("citizen_id", "document_id", "line", name="vital_signs_pkey"),
        schema="book",
    )
    of_a_visit = ["citizen_id", "visit_id", "measured_at", "line"]
    op.create_index("vital_signs_visit_idx", "vital_signs", of_a_visit, unique=False, schema="book")


def _child_of(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["citizen_id", column],
        [f"book.{parent}.citizen_id", f"book.{parent}.id"],
        name=f"{table}_citizen_id_{column}_fkey",
        ondelete="CASCADE",
    )


def _line_of(parent: str) -> list[sa.Column[Any]]:
    return [
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column(parent, sa.UUID(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    ]


def _add_order() -> None:
    op.create_table(
        "withdrawal",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="withdrawal_pkey"),
        schema="book",
    )
    newest: list[str | sa.ColumnElement[Any]] = [
        "citizen_id",
        sa.literal_column("withdrawn_at DESC"),
        sa.literal_column("id DESC"),
    ]
    op.create_index("withdrawal_newest_idx", "withdrawal", newest, unique=False, schema="book")
    op.create_table(
        "arrival_order",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("ranks", postgresql.JSONB(), nullable=False),
        sa.Column("withdrawals", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "facility_code", "source_id", name="arrival_order_pkey"),
        schema="book",
    )


def _widen_identity() -> None:
    for name in ("phone_sealed", "address_sealed"):
        op.add_column("citizen", sa.Column(name, sa.LargeBinary(), nullable=True), schema="auth")
    op.add_column("citizen", sa.Column("described_by", postgresql.JSONB(), nullable=True), schema="auth")
    op.add_column("filing", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True), schema="auth")
    op.create_table(
        "birth",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("mother_id", sa.UUID(), nullable=False),
        sa.Column("child_id", sa.UUID(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("born_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mother_key", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_message_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["auth.citizen.id"], name="birth_child_id_fkey"),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="birth_facility_code_fkey"),
        sa.ForeignKeyConstraint(["mother_id"], ["auth.citizen.id"], name="birth_mother_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="birth_pkey"),
        sa.UniqueConstraint(
            "facility_code",
            "mother_id",
            "certificate",
            "born_at",
            name="birth_facility_code_mother_id_certificate_born_at_key",
        ),
        schema="auth",
    )
    op.create_index("birth_child_idx", "birth", ["child_id"], unique=False, schema="auth")
    op.create_index("birth_moment_idx", "birth", ["facility_code", "born_at"], unique=False, schema="auth")
