"""What people are told, on which phones, and how they wish it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
WORDS = ("title_vi", "text_vi", "title_en", "text_en")


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    _add_notices()
    _add_phones()
    op.execute("RESET ROLE")


def _add_notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("about_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("about", postgresql.JSONB(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in WORDS),
        sa.Column("happened_at", MOMENT, nullable=False),
        *(sa.Column(name, MOMENT, nullable=True) for name in ("push_at", "push_until", "in_hand_until", "read_at")),
        sa.ForeignKeyConstraint(["event_id"], ["notice.event.id"], name="notice_event_id_fkey"),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="notice_citizen_id_fkey"),
        sa.ForeignKeyConstraint(["about_id"], ["auth.citizen.id"], name="notice_about_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="notice_pkey"),
        sa.UniqueConstraint("event_id", "citizen_id", name="notice_event_id_citizen_id_key"),
        schema="notice",
    )
    op.create_index("notice_citizen_idx", "notice", ["citizen_id", "happened_at", "id"], schema="notice")
    op.create_index(
        "notice_unread_idx", "notice", ["citizen_id"], schema="notice", postgresql_where=sa.text("read_at IS NULL")
    )
    op.create_index("notice_thread_idx", "notice", ["citizen_id", "thread", "happened_at"], schema="notice")
    op.create_table(
        "preference",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("muted", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("is_quiet", sa.Boolean(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=False),
        sa.Column("quiet_until", sa.Time(), nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="preference_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", name="preference_pkey"),
        schema="notice",
    )


def _add_phones() -> None:
    op.create_table(
        "push_target",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('FID', 'TOKEN')", name="push_target_kind_check"),
        sa.CheckConstraint("language IN ('vi', 'en')", name="push_target_language_check"),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="push_target_citizen_id_fkey"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["auth.session.id"], name="push_target_session_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="push_target_pkey"),
        sa.UniqueConstraint("lookup", name="push_target_lookup_key"),
        schema="notice",
    )
    op.create_index("push_target_session_idx", "push_target", ["session_id"], schema="notice")
    op.create_index("push_target_citizen_idx", "push_target", ["citizen_id", "registered_at"], schema="notice")
    op.create_table(
        "push",
        sa.Column("notice_id", sa.UUID(), nullable=False),
        sa.Column("target_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_at", MOMENT, nullable=False),
        sa.CheckConstraint("state IN ('WAITING', 'SENT', 'GONE', 'FAILED')", name="push_state_check"),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.notice.id"], name="push_notice_id_fkey"),
        sa.PrimaryKeyConstraint("notice_id", "target_id", name="push_pkey"),
        schema="notice",
    )
    op.create_index(
        "push_failed_idx", "push", ["settled_at"], schema="notice", postgresql_where=sa.text("state = 'FAILED'")
    )
