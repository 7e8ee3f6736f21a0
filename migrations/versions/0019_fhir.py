"""FHIR: prescription codes, papers of any kind, and what the resources that a facility sent became."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE book_owner")
    op.add_column("prescription", sa.Column("code", sa.Text(), nullable=True), schema="book")
    for name in ("title", "type_code", "content_type"):
        op.add_column("document", sa.Column(name, sa.Text(), nullable=True), schema="book")
    op.add_column("document", sa.Column("size_bytes", sa.Integer(), nullable=True), schema="book")
    op.execute("RESET ROLE")
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "sent_resource",
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("visit_source_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"]),
        sa.PrimaryKeyConstraint("facility_code", "lookup"),
        schema="intake",
    )
    op.create_index("sent_resource_citizen_idx", "sent_resource", ["citizen_id"], schema="intake")
    op.execute("RESET ROLE")
