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
    op.create_index("practitioner_person_idx", "practitioner", ["person_lookup"], unique=False, schema="auth")
    op.execute("RESET ROLE")
