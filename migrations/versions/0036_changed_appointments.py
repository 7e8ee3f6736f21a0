"""In which transaction an appointment changed: what has been told to an app, and what not yet."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


class Xid8(sa.types.UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "xid8"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.add_column(
        "appointment",
        sa.Column("changed_in", Xid8(), nullable=False, server_default=sa.text("pg_current_xact_id()")),
        schema="care",
    )
    op.execute("RESET ROLE")
