"""Vaccinations, imaging studies, conditions and allergies; the national schedule of vaccinations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE book_owner")
    _add_scheduled_dose()
    _add_vaccination()
    _add_vaccination_reaction()
    _add_reported_reaction()
    _add_imaging_study()
    _add_condition()
    _add_allergy()
    _add_allergy_reaction()
    op.execute("RESET ROLE")


def _add_scheduled_dose() -> None:
    op.create_table(
        "scheduled_dose",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("dose", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("name_vi", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("antigens", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("due_days", sa.Integer(), nullable=False),
        sa.Column("late_days", sa.Integer(), nullable=False),
        sa.Column("closes_days", sa.Integer(), nullable=True),
        sa.Column("counts_from_days", sa.Integer(), nullable=False),
        sa.Column("counts_until_days", sa.Integer(), nullable=True),
        sa.Column("min_interval_days", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("certainty", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("series", "dose", "valid_from", name="scheduled_dose_pkey"),
        schema="code",
    )


def _add_vaccination() -> None:
    op.create_table(
        "vaccination",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("dose_id", sa.UUID(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("vaccine_system", sa.Text(), nullable=True),
        sa.Column("vaccine_code", sa.Text(), nullable=True),
        sa.Column("vaccine_name", sa.Text(), nullable=False),
        sa.Column("antigens", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("injected_at", MOMENT, nullable=False),
        sa.Column("injected_precision", sa.Text(), nullable=False),
        sa.Column("dose_number", sa.SmallInteger(), nullable=True),
        sa.Column("dose_text", sa.Text(), nullable=True),
        sa.Column("series_doses", sa.SmallInteger(), nullable=True),
        sa.Column("lot_number", sa.Text(), nullable=True),
        sa.Column("manufacturer", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("amount_unit", sa.Text(), nullable=True),
        sa.Column("programme", sa.Text(), nullable=True),
        sa.Column("observed_until", MOMENT, nullable=True),
        sa.Column("observation", sa.Text(), nullable=True),
        sa.Column("performer_name", sa.Text(), nullable=True),
        sa.Column("performer_certificate", sa.Text(), nullable=True),
        sa.Column("is_primary_source", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.Text(), nullable=True),
        sa.Column("visit_source_id", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("filed_at", MOMENT, nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="vaccination_pkey"),
        sa.UniqueConstraint(
            "citizen_id", "facility_code", "source_id", name="vaccination_citizen_id_facility_code_source_id_key"
        ),
        schema="book",
    )
    op.create_index("vaccination_dose_idx", "vaccination", ["citizen_id", "dose_id"], unique=False, schema="book")
    op.create_index(
        "vaccination_newest_idx",
        "vaccination",
        ["citizen_id", sa.literal_column("injected_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        schema="book",
        postgresql_where=sa.text("id = dose_id"),
    )


def _add_vaccination_reaction() -> None:
    op.create_table(
        "vaccination_reaction",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("vaccination_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("reacted_at", MOMENT, nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id", "vaccination_id"],
            ["book.vaccination.citizen_id", "book.vaccination.id"],
            name="vaccination_reaction_citizen_id_vaccination_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("citizen_id", "vaccination_id", "line", name="vaccination_reaction_pkey"),
        schema="book",
    )


def _add_reported_reaction() -> None:
    op.create_table(
        "reported_reaction",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("vaccination_id", sa.UUID(), nullable=False),
        sa.Column("dose_id", sa.UUID(), nullable=True),
        sa.Column("injected_on", sa.Date(), nullable=False),
        sa.Column("antigens", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("reacted_at", MOMENT, nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("reported_by", sa.UUID(), nullable=False),
        sa.Column("reported_at", MOMENT, nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="reported_reaction_pkey"),
        schema="book",
    )
    op.create_index(
        "reported_reaction_dose_idx", "reported_reaction", ["citizen_id", "dose_id"], unique=False, schema="book"
    )


def _add_imaging_study() -> None:
    op.create_table(
        "imaging_study",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=True),
        sa.Column("accession_number", sa.Text(), nullable=True),
        sa.Column("modalities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("procedure_code", sa.Text(), nullable=True),
        sa.Column("procedure_name", sa.Text(), nullable=True),
        sa.Column("body_site", sa.Text(), nullable=True),
        sa.Column("laterality", sa.Text(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("series_count", sa.Integer(), nullable=True),
        sa.Column("instance_count", sa.Integer(), nullable=True),
        sa.Column("referrer_name", sa.Text(), nullable=True),
        sa.Column("reader_name", sa.Text(), nullable=True),
        sa.Column("reader_certificate", sa.Text(), nullable=True),
        sa.Column("reported_at", MOMENT, nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("conclusion", sa.Text(), nullable=True),
        sa.Column("dicomweb_url", sa.Text(), nullable=True),
        sa.Column("visit_source_id", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("filed_at", MOMENT, nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="imaging_study_pkey"),
        sa.UniqueConstraint(
            "citizen_id", "facility_code", "source_id", name="imaging_study_citizen_id_facility_code_source_id_key"
        ),
        schema="book",
    )
    op.create_index(
        "imaging_study_newest_idx",
        "imaging_study",
        ["citizen_id", sa.literal_column("started_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        schema="book",
    )


def _add_condition() -> None:
    op.create_table(
        "condition",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("concept", sa.Text(), nullable=False),
        sa.Column("code_system", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("certainty", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("onset_at", MOMENT, nullable=True),
        sa.Column("onset_precision", sa.Text(), nullable=True),
        sa.Column("onset_text", sa.Text(), nullable=True),
        sa.Column("abated_at", MOMENT, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorder_name", sa.Text(), nullable=True),
        sa.Column("visit_source_id", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("filed_at", MOMENT, nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="condition_pkey"),
        sa.UniqueConstraint(
            "citizen_id", "facility_code", "source_id", name="condition_citizen_id_facility_code_source_id_key"
        ),
        schema="book",
    )
    op.create_index("condition_concept_idx", "condition", ["citizen_id", "concept"], unique=False, schema="book")


def _add_allergy() -> None:
    op.create_table(
        "allergy",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("is_none_known", sa.Boolean(), nullable=False),
        sa.Column("concept", sa.Text(), nullable=False),
        sa.Column("code_system", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("substance", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("criticality", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("certainty", sa.Text(), nullable=True),
        sa.Column("onset_at", MOMENT, nullable=True),
        sa.Column("onset_precision", sa.Text(), nullable=True),
        sa.Column("last_reacted_at", MOMENT, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorder_name", sa.Text(), nullable=True),
        sa.Column("visit_source_id", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("filed_at", MOMENT, nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="allergy_pkey"),
        sa.UniqueConstraint(
            "citizen_id", "facility_code", "source_id", name="allergy_citizen_id_facility_code_source_id_key"
        ),
        schema="book",
    )


def _add_allergy_reaction() -> None:
    op.create_table(
        "allergy_reaction",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("allergy_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("reacted_at", MOMENT, nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id", "allergy_id"],
            ["book.allergy.citizen_id", "book.allergy.id"],
            name="allergy_reaction_citizen_id_allergy_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("citizen_id", "allergy_id", "line", name="allergy_reaction_pkey"),
        schema="book",
    )
