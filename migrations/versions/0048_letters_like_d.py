"""Names are compared with the letters that look like Đ read as D: those that were written before are, too."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    for table, column in (
        ("citizen", "name_key"),
        ("practitioner", "name_key"),
        ("birth", "mother_key"),
        ("representation", "representative_key"),
        ("representation_claim", "dependant_key"),
    ):
        op.execute(
            f"UPDATE auth.{table} SET {column} = translate({column}, '\u00d0\u0189', 'DD') "
            f"WHERE {column} ~ '[\u00d0\u0189]'"
        )
    op.execute("RESET ROLE")
