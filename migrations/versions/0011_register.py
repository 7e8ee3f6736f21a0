"""The personal id of a practitioner, by which whoever signs in is matched to a certificate."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column("practitioner", sa.Column("person_lookup", sa.LargeBinary(), nullable=True), schema="auth")
    # The table is as new as the release that this stands in: no row waits for it.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX practitioner_person_idx ON auth.practitioner (person_lookup)"
    )
    op.execute("RESET ROLE")
