"""The health book: visits, prescriptions, tests and every version of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE book_owner")
    op.create_table(
        "visit",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind_code", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("arrival_diagnosis", sa.Text(), nullable=True),
        sa.Column("discharge_diagnosis", sa.Text(), nullable=True),
        sa.Column("outcome_code", sa.Text(), nullable=True),
        sa.Column("discharge_code", sa.Text(), nullable=True),
        sa.Column("department_codes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("treatment_days", sa.Integer(), nullable=True),
        sa.Column("treatment", sa.Text(), nullable=True),
        sa.Column("advice", sa.Text(), nullable=True),
        sa.Column("weight_kg", sa.Numeric(precision=6, scale=2), nullable=True),
        sa.Column("record_number", sa.Text(), nullable=True),
        sa.Column("insurance_category_code", sa.Text(), nullable=True),
        sa.Column("cost_total", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("cost_drugs", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("cost_supplies", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("cost_within_insurance", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("cost_paid_by_fund", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("cost_copayment", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("cost_self_paid", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("cost_paid_by_others", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="visit_pkey"),
        sa.UniqueConstraint(
            "citizen_id", "facility_code", "source_id", name="visit_citizen_id_facility_code_source_id_key"
        ),
        schema="book",
    )
    op.create_index(
        "visit_newest_idx",
        "visit",
        ["citizen_id", sa.literal_column("started_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        schema="book",
    )
    op.create_table(
        "visit_diagnosis",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("visit_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id", "visit_id"],
            ["book.visit.citizen_id", "book.visit.id"],
            name="visit_diagnosis_citizen_id_visit_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("citizen_id", "visit_id", "line", name="visit_diagnosis_pkey"),
        schema="book",
    )
    op.create_table(
        "visit_insurance",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("visit_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("registered_facility_code", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id", "visit_id"],
            ["book.visit.citizen_id", "book.visit.id"],
            name="visit_insurance_citizen_id_visit_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("citizen_id", "visit_id", "line", name="visit_insurance_pkey"),
        schema="book",
    )
    op.create_table(
        "visit_service",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("visit_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("group_code", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=15, scale=3), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=15, scale=3), nullable=False),
        sa.Column("amount", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("insured_amount", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("performed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id", "visit_id"],
            ["book.visit.citizen_id", "book.visit.id"],
            name="visit_service_citizen_id_visit_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("citizen_id", "visit_id", "line", name="visit_service_pkey"),
        schema="book",
    )
    op.create_table(
        "prescription",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("visit_id", sa.UUID(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prescriber_certificate", sa.Text(), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id", "visit_id"],
            ["book.visit.citizen_id", "book.visit.id"],
            name="prescription_citizen_id_visit_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="prescription_pkey"),
        sa.UniqueConstraint(
            "citizen_id", "visit_id", "source_id", name="prescription_citizen_id_visit_id_source_id_key"
        ),
        schema="book",
    )
    op.create_index(
        "prescription_newest_idx",
        "prescription",
        ["citizen_id", sa.literal_column("ordered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        schema="book",
    )
    op.create_table(
        "prescription_item",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("prescription_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("drug_code", sa.Text(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=True),
        sa.Column("form", sa.Text(), nullable=True),
        sa.Column("route_code", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=15, scale=3), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("dose", sa.Text(), nullable=True),
        sa.Column("instruction", sa.Text(), nullable=True),
        sa.Column("registration_number", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=15, scale=2), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id", "prescription_id"],
            ["book.prescription.citizen_id", "book.prescription.id"],
            name="prescription_item_citizen_id_prescription_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("citizen_id", "prescription_id", "line", name="prescription_item_pkey"),
        schema="book",
    )
    op.create_table(
        "test_report",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("visit_id", sa.UUID(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("service_code", sa.Text(), nullable=True),
        sa.Column("service_name", sa.Text(), nullable=True),
        sa.Column("resulted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reader_certificate", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("conclusion", sa.Text(), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id", "visit_id"],
            ["book.visit.citizen_id", "book.visit.id"],
            name="test_report_citizen_id_visit_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="test_report_pkey"),
        sa.UniqueConstraint(
            "citizen_id", "visit_id", "source_id", name="test_report_citizen_id_visit_id_source_id_key"
        ),
        schema="book",
    )
    op.create_index(
        "test_report_newest_idx",
        "test_report",
        ["citizen_id", sa.literal_column("resulted_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        schema="book",
    )
    op.create_table(
        "test_result",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("report_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value_text", sa.Text(), nullable=True),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("resulted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id", "report_id"],
            ["book.test_report.citizen_id", "book.test_report.id"],
            name="test_result_citizen_id_report_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("citizen_id", "report_id", "line", name="test_result_pkey"),
        schema="book",
    )
    op.create_index(
        "test_result_trend_idx",
        "test_result",
        ["citizen_id", "code", sa.literal_column("resulted_at DESC"), "report_id", "line"],
        unique=False,
        schema="book",
    )
    op.create_table(
        "record_version",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("citizen_id", "record_id", "version", name="record_version_pkey"),
        schema="book",
    )
    op.execute("RESET ROLE")
