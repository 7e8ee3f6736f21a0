"""Whom a practitioner asked stands where no practitioner reads it: a request to nobody looks like any other."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column("share_request", sa.Column("asked_of", sa.Uuid(), nullable=True), schema="auth")
    op.execute("UPDATE auth.share_request SET asked_of = citizen_id")
    op.execute("UPDATE auth.share_request SET citizen_id = NULL WHERE answer IS DISTINCT FROM 'APPROVED'")
    op.execute("REVOKE SELECT ON auth.share_request FROM desk")  # the columns that it may read follow
    op.execute(
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE auth.share_request ADD CONSTRAINT share_request_asked_of_fkey "
        "FOREIGN KEY (asked_of) REFERENCES auth.citizen (id)"
    )
    op.execute("-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX auth.share_request_citizen_idx")
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX share_request_asked_of_idx ON auth.share_request (asked_of, asked_at DESC, id DESC)"
    )
    op.execute("RESET ROLE")
