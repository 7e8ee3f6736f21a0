"""Tiles of every level of the tree, so that a proof reads its nodes and makes none again."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# The tiles held 256 roots of subtrees of 256**level leaves. From here on they hold 32 of subtrees of 2**level leaves.
MOVED = """
WITH moved AS (DELETE FROM audit.tile RETURNING level, position, hashes)
INSERT INTO audit.tile
SELECT 0, n / 32, string_agg(hash, ''::bytea ORDER BY n)
  FROM (SELECT t.position * 256 + i AS n, substr(t.hashes, i * 32 + 1, 32) AS hash
          FROM moved t CROSS JOIN LATERAL generate_series(0, length(t.hashes) / 32 - 1) i WHERE t.level = 0) leaf
 GROUP BY n / 32"""
NODES = """
DO $$
DECLARE size bigint := (SELECT coalesce(sum(length(t.hashes)) / 32, 0) FROM audit.tile t);
BEGIN
  FOR above IN 1 .. coalesce(length(ltrim(size::bit(64)::text, '0')) - 1, 0) LOOP
    INSERT INTO audit.tile
    SELECT above, n / 32, string_agg(sha256('\\x01'::bytea || pair), ''::bytea ORDER BY n)
      FROM (SELECT t.position * 16 + i AS n, substr(t.hashes, i * 64 + 1, 64) AS pair
              FROM audit.tile t CROSS JOIN LATERAL generate_series(0, length(t.hashes) / 64 - 1) i
             WHERE t.level = above - 1) node
     GROUP BY n / 32;
  END LOOP;
END $$"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    op.execute(MOVED)
    op.execute(NODES)
    op.execute("RESET ROLE")
