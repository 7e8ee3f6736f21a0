"""Care to come: schedules and their slots, appointments, the waiting list, calendar feeds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

MOMENT_OF = """
-- A person and a moment as one number: different persons' days never meet, so that one range says who and when.
-- Exact: the uuid in two signed halves of 64 bits, then seconds up to the year 5138. Constraints rest on it for ever.
CREATE FUNCTION care.moment_of(who uuid, at timestamptz) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT (('x' || left(replace(who::text, '-', ''), 16))::bit(64)::bigint::numeric * 18446744073709551616
          + ('x' || right(replace(who::text, '-', ''), 16))::bit(64)::bigint) * 100000000000
         + extract(epoch FROM at)
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.execute(MOMENT_OF)
    op.execute("REVOKE ALL ON FUNCTION care.moment_of FROM PUBLIC")
    _add_slots()
    _add_appointments()
    _add_waitlist()
    _add_feeds()
    op.execute("RESET ROLE")


def _add_slots() -> None:
    op.create_table(
        "booking_rule",
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("lead_minutes", sa.Integer(), nullable=False),
        sa.Column("cancel_minutes", sa.Integer(), nullable=False),
        sa.Column("most_live", sa.SmallInteger(), nullable=False),
        sa.Column("hold_minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "least(lead_minutes, cancel_minutes) >= 0 AND least(most_live, hold_minutes) > 0",
            name="booking_rule_sense_check",
        ),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="booking_rule_facility_code_fkey"),
        sa.PrimaryKeyConstraint("facility_code", name="booking_rule_pkey"),
        schema="care",
    )
    op.create_table(
        "schedule",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=True),
        sa.Column("practitioner_certificate", sa.Text(), nullable=True),
        sa.Column("practitioner_name", sa.Text(), nullable=True),
        sa.Column("is_sensitive", sa.Boolean(), nullable=False),
        sa.Column("plan", postgresql.JSONB(), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="schedule_facility_code_fkey"),
        sa.PrimaryKeyConstraint("id", name="schedule_pkey"),
        sa.UniqueConstraint("facility_code", "code", name="schedule_facility_code_code_key"),
        schema="care",
    )
    op.create_table(
        "slot",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("schedule_id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=True),
        sa.Column("practitioner_name", sa.Text(), nullable=True),
        sa.Column("practitioner_key", sa.UUID(), nullable=True),
        sa.Column("is_sensitive", sa.Boolean(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("capacity", sa.SmallInteger(), nullable=False),
        sa.Column("taken", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name="slot_order_check"),
        sa.CheckConstraint("capacity > 0 AND taken >= 0 AND taken <= capacity", name="slot_taken_check"),
        sa.ForeignKeyConstraint(["schedule_id"], ["care.schedule.id"], name="slot_schedule_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="slot_pkey"),
        sa.UniqueConstraint("schedule_id", "starts_at", "ends_at", name="slot_schedule_id_starts_at_ends_at_key"),
        postgresql.ExcludeConstraint(
            (
                sa.text(
                    "numrange(care.moment_of(practitioner_key, starts_at), care.moment_of(practitioner_key, ends_at))"
                ),
                "&&",
            ),
            name="slot_practitioner_excl",
            using="gist",
            where=sa.text("practitioner_key IS NOT NULL AND withdrawn_at IS NULL"),
        ),
        schema="care",
    )
    live = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "slot_place_idx", "slot", ["facility_code", "starts_at", "id"], schema="care", postgresql_where=live
    )
    op.create_index(
        "slot_department_idx",
        "slot",
        ["facility_code", "department_code", "starts_at", "id"],
        schema="care",
        postgresql_where=live,
    )
    op.create_index(
        "slot_withdrawn_idx",
        "slot",
        ["id"],
        schema="care",
        postgresql_where=sa.text("withdrawn_at IS NOT NULL AND taken > 0"),
    )


def _add_appointments() -> None:
    op.create_table(
        "appointment",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("slot_id", sa.UUID(), nullable=True),
        sa.Column("place", sa.SmallInteger(), nullable=True),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("room", sa.Text(), nullable=True),
        sa.Column("practitioner_name", sa.Text(), nullable=True),
        sa.Column("is_sensitive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=True),
        sa.Column("is_whole_day", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("booked_by", sa.UUID(), nullable=True),
        sa.Column("booked_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("origin IN ('BOOKED', 'PAPER', 'FACILITY')", name="appointment_origin_check"),
        sa.CheckConstraint("state IN ('LIVE', 'CANCELLED')", name="appointment_state_check"),
        sa.CheckConstraint("(state = 'CANCELLED') = (cancelled_by IS NOT NULL)", name="appointment_cancelled_check"),
        sa.CheckConstraint("cancelled_by IN ('CITIZEN', 'FACILITY')", name="appointment_cancelled_by_check"),
        sa.CheckConstraint(
            "num_nulls(slot_id, place) IN (0, 2) AND (slot_id IS NULL OR ends_at > starts_at)",
            name="appointment_place_check",
        ),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="appointment_citizen_id_fkey"),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="appointment_facility_code_fkey"),
        sa.ForeignKeyConstraint(["slot_id"], ["care.slot.id"], name="appointment_slot_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="appointment_pkey"),
        sa.UniqueConstraint(
            "citizen_id", "facility_code", "source_id", name="appointment_citizen_id_facility_code_source_id_key"
        ),
        postgresql.ExcludeConstraint(
            (
                sa.text("numrange(care.moment_of(citizen_id, starts_at), care.moment_of(citizen_id, ends_at))"),
                "&&",
            ),
            name="appointment_citizen_excl",
            using="gist",
            where=sa.text("state = 'LIVE' AND slot_id IS NOT NULL"),
        ),
        schema="care",
    )
    op.create_index(
        "appointment_newest_idx",
        "appointment",
        ["citizen_id", sa.text("starts_at DESC"), sa.text("id DESC")],
        schema="care",
    )
    op.create_index("appointment_soonest_idx", "appointment", ["citizen_id", "starts_at", "id"], schema="care")
    op.create_index(
        "appointment_place_key",
        "appointment",
        ["slot_id", "place"],
        unique=True,
        schema="care",
        postgresql_where=sa.text("state = 'LIVE' AND slot_id IS NOT NULL"),
    )
    op.create_index(
        "appointment_due_idx",
        "appointment",
        ["starts_at"],
        schema="care",
        postgresql_where=sa.text("state = 'LIVE'"),
    )


def _add_waitlist() -> None:
    op.create_table(
        "waitlist_entry",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined_by", sa.UUID(), nullable=False),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.CheckConstraint("state IN ('WAITING', 'OFFERED', 'BOOKED', 'LEFT')", name="waitlist_entry_state_check"),
        sa.CheckConstraint("until_on >= from_on", name="waitlist_entry_days_check"),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="waitlist_entry_citizen_id_fkey"),
        sa.ForeignKeyConstraint(
            ["facility_code"], ["directory.facility.code"], name="waitlist_entry_facility_code_fkey"
        ),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="waitlist_entry_pkey"),
        schema="care",
    )
    op.create_index(
        "waitlist_entry_live_key",
        "waitlist_entry",
        ["citizen_id", "facility_code", "department_code"],
        unique=True,
        schema="care",
        postgresql_where=sa.text("state IN ('WAITING', 'OFFERED')"),
    )
    op.create_index(
        "waitlist_entry_turn_idx",
        "waitlist_entry",
        ["facility_code", "department_code", "joined_at", "id"],
        schema="care",
        postgresql_where=sa.text("state = 'WAITING'"),
    )
    op.create_table(
        "waitlist_offer",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("entry_id", sa.UUID(), nullable=False),
        sa.Column("slot_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.Column("held_until", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state IN ('OPEN', 'ACCEPTED', 'DECLINED', 'EXPIRED', 'WITHDRAWN')", name="waitlist_offer_state_check"
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id", "entry_id"],
            ["care.waitlist_entry.citizen_id", "care.waitlist_entry.id"],
            name="waitlist_offer_citizen_id_entry_id_fkey",
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["care.slot.id"], name="waitlist_offer_slot_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="waitlist_offer_pkey"),
        sa.UniqueConstraint("citizen_id", "entry_id", "slot_id", name="waitlist_offer_citizen_id_entry_id_slot_id_key"),
        schema="care",
    )
    opened = sa.text("state = 'OPEN'")
    op.create_index(
        "waitlist_offer_open_key", "waitlist_offer", ["entry_id"], unique=True, schema="care", postgresql_where=opened
    )
    op.create_index("waitlist_offer_due_idx", "waitlist_offer", ["held_until"], schema="care", postgresql_where=opened)
    op.create_index("waitlist_offer_slot_idx", "waitlist_offer", ["slot_id"], schema="care", postgresql_where=opened)


def _add_feeds() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("made_by", sa.UUID(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="calendar_feed_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", "id", name="calendar_feed_pkey"),
        sa.UniqueConstraint("secret_hash", name="calendar_feed_secret_hash_key"),
        schema="care",
    )
    op.create_index(
        "calendar_feed_live_key",
        "calendar_feed",
        ["citizen_id", "made_by"],
        unique=True,
        schema="care",
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
