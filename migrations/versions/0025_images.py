"""Links to images, laboratories and their levels, units of tests and their reference ranges."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.create_table(
        "image_store",
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("inner_pad", sa.LargeBinary(), nullable=False),
        sa.Column("outer_pad", sa.LargeBinary(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["facility_code"], ["directory.facility.code"], name="image_store_facility_code_fkey"),
        sa.PrimaryKeyConstraint("facility_code", name="image_store_pkey"),
        schema="directory",
    )
    op.create_table(
        "laboratory_level",
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 5", name="laboratory_level_level_check"),
        sa.ForeignKeyConstraint(
            ["facility_code"], ["directory.facility.code"], name="laboratory_level_facility_code_fkey"
        ),
        sa.PrimaryKeyConstraint("facility_code", "valid_from", name="laboratory_level_pkey"),
        schema="directory",
    )
    op.execute("RESET ROLE")
    op.execute("SET LOCAL ROLE book_owner")
    op.create_table(
        "test_unit",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("analyte", sa.Text(), nullable=False),
        sa.Column("shown_unit", sa.Text(), nullable=False),
        sa.Column("factor", sa.Numeric(), nullable=False),
        sa.Column("shift", sa.Numeric(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", "unit", name="test_unit_pkey"),
        schema="code",
    )
    op.create_index("test_unit_analyte_idx", "test_unit", ["analyte"], unique=False, schema="code")
    op.add_column("test_result", sa.Column("reference_range", sa.Text(), nullable=True), schema="book")
    op.execute("RESET ROLE")
