"""What is to be told and pushed is taken in batches from where it stands, not one by one from the queue."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

IN_QUEUE = "FROM jobs.pgqueuer j WHERE j.entrypoint = '{kind}' AND j.status IN ('queued', 'picked') AND {name} = "
ID = "(convert_from(j.payload, 'UTF8')::jsonb->>'{member}')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column(
        "event", sa.Column("is_waiting", sa.Boolean(), nullable=False, server_default=sa.text("false")), schema="notice"
    )
    op.alter_column("event", "is_waiting", server_default=sa.text("true"), schema="notice")
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX event_waiting_idx ON notice.event (id) WHERE is_waiting"
    )
    op.add_column("notice", sa.Column("try_at", sa.DateTime(timezone=True)), schema="notice")
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX notice_due_idx ON notice.notice (try_at) WHERE try_at IS NOT NULL"
    )
    op.execute(
        "UPDATE notice.event e SET is_waiting = true "
        + IN_QUEUE.format(kind="tell", name="e.id")
        + ID.format(member="event_id")
    )
    op.execute(
        "UPDATE notice.notice n SET try_at = j.execute_after "
        + IN_QUEUE.format(kind="push", name="n.id")
        + ID.format(member="notice_id")
    )
    op.execute("DELETE FROM jobs.pgqueuer WHERE entrypoint IN ('tell', 'push') AND status IN ('queued', 'picked')")
    op.execute("RESET ROLE")
