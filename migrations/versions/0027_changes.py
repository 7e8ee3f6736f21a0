"""In which transaction a record changed: what has been told to an app, and what not yet."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


class Xid8(sa.types.UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "xid8"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE book_owner")
    for table in ("record_version", "reported_reaction"):
        op.add_column(
            table,
            sa.Column("changed_in", Xid8(), nullable=False, server_default=sa.text("pg_current_xact_id()")),
            schema="book",
        )
    # The table is as new as the release that this stands in: no row waits for it.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX record_version_changed_idx ON book.record_version (citizen_id, changed_in)"
    )
    op.execute("RESET ROLE")
