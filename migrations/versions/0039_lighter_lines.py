"""A line of the visitors' book costs less: its head alone names the citizen, and only sealed leaves have places."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE audit.line DROP CONSTRAINT line_citizen_id_fkey")
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE audit.leaf DROP CONSTRAINT leaf_citizen_id_fkey")
    op.execute("-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX audit.leaf_index_key")
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE UNIQUE INDEX leaf_index_key ON audit.leaf (leaf_index) WHERE leaf_index IS NOT NULL"
    )
    op.execute("RESET ROLE")
