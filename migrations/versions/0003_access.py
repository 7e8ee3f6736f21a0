"""Books, and which of them a transaction has open."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


class Xid8(sa.types.UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "xid8"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "book",
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="book_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", name="book_pkey"),
        schema="auth",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "filing",
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="filing_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("message_id", "position", name="filing_pkey"),
        schema="auth",
    )
    op.create_index("filing_citizen_idx", "filing", ["citizen_id"], unique=False, schema="auth")
    op.create_index("filing_visit_idx", "filing", ["facility_code", "source_id"], unique=False, schema="auth")
    op.create_table(
        "filing_window",
        sa.Column("backend", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("transaction", Xid8(), nullable=False),
        sa.Column("citizens", sa.ARRAY(sa.UUID()), nullable=False),
        sa.PrimaryKeyConstraint("backend", name="filing_window_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "reading_window",
        sa.Column("backend", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("transaction", Xid8(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("sections", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unmasked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("backend", name="reading_window_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.execute("RESET ROLE")
