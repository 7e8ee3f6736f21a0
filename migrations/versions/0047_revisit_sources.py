"""A visit's appointments are named by the visit's id at its facility, which stays when the visit is sent again."""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

NAME = "'visit ' || encode(sha256(convert_to(v.source_id, 'UTF8')), 'hex')"
AFTER_UUID = len("visit ") + 36 + 1
RENAMED = f"""
UPDATE care.appointment a SET source_id = {NAME} || substr(a.source_id, {AFTER_UUID})
  FROM book.visit v WHERE v.citizen_id = a.citizen_id AND starts_with(a.source_id, 'visit ' || v.id || ' ')"""
RENAMED_TOO = f"""
UPDATE care.appointment a SET told_too = ARRAY(
    SELECT coalesce({NAME} || substr(t.name, {AFTER_UUID}), t.name) FROM unnest(a.told_too) WITH ORDINALITY t (name, n)
      LEFT JOIN book.visit v ON v.citizen_id = a.citizen_id AND starts_with(t.name, 'visit ' || v.id || ' ')
     ORDER BY t.n)
 WHERE EXISTS (SELECT FROM unnest(a.told_too) name WHERE starts_with(name, 'visit '))"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE book_owner")
    op.execute("GRANT USAGE ON SCHEMA book TO auth_owner")
    op.execute("GRANT SELECT (citizen_id, id, source_id) ON book.visit TO auth_owner")
    op.execute("CREATE POLICY renaming ON book.visit FOR SELECT TO auth_owner USING (true)")
    op.execute("SET LOCAL ROLE auth_owner")
    op.execute("ALTER TABLE care.appointment NO FORCE ROW LEVEL SECURITY")
    op.execute(RENAMED)
    op.execute(RENAMED_TOO)
    op.execute("ALTER TABLE care.appointment FORCE ROW LEVEL SECURITY")
    op.execute("SET LOCAL ROLE book_owner")
    op.execute("DROP POLICY renaming ON book.visit")
    op.execute("REVOKE SELECT (citizen_id, id, source_id) ON book.visit FROM auth_owner")
    op.execute("REVOKE USAGE ON SCHEMA book FROM auth_owner")
    op.execute("RESET ROLE")
