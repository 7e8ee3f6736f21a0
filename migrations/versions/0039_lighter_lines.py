"""A line of the visitors' book costs less: its head alone names the citizen, and only sealed leaves have places."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.drop_constraint("line_citizen_id_fkey", "line", schema="audit", type_="foreignkey")
    op.drop_constraint("leaf_citizen_id_fkey", "leaf", schema="audit", type_="foreignkey")
    op.execute("-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX audit.leaf_index_key")
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE UNIQUE INDEX leaf_index_key ON audit.leaf (leaf_index) WHERE leaf_index IS NOT NULL"
    )
    op.execute("RESET ROLE")
