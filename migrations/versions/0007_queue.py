"""The queue: pgqueuer's own tables, as its release 1.6 declares them."""

import re
from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

DECLARED = Path(__file__).parent.parent / "queue" / "pgqueuer.sql"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    for statement in re.split(r";\n+(?=CREATE )", DECLARED.read_text(encoding="utf-8"))[1:]:
        op.execute(statement.replace(":", "\\:"))
    op.execute("RESET ROLE")
