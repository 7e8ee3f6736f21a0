"""The visitors' book: what a line says apart from its leaf, the tree over all leaves, signed checkpoints."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


class Xid8(sa.types.UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "xid8"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    # The form of 0010 was never written to: no release called its function.
    op.execute("-- squawk-ignore ban-drop-table\nDROP TABLE audit.line")
    _add_lines()
    _add_tree()
    op.execute("RESET ROLE")


def _chained(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name=f"{name}_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("citizen_id", "n", name=f"{name}_pkey"),
        schema="audit",
    )


def _add_lines() -> None:
    _chained(
        "line",
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.UUID(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("facility_code", sa.Text(), nullable=True),
        sa.Column("about", postgresql.JSONB(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("transaction", Xid8(), nullable=False),
    )
    _chained(
        "leaf",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=True),
    )
    op.create_index("leaf_index_key", "leaf", ["leaf_index"], unique=True, schema="audit")
    unsealed = sa.text("leaf_index IS NULL")
    op.create_index("leaf_unsealed_idx", "leaf", ["citizen_id", "n"], schema="audit", postgresql_where=unsealed)


def _add_tree() -> None:
    op.create_table(
        "tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name="tile_pkey"),
        schema="audit",
    )
    op.create_table(
        "tree",
        sa.Column("is_only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", MOMENT, nullable=False),
        sa.Column("stop_after", sa.Interval(), nullable=False),
        sa.CheckConstraint("is_only", name="tree_only_check"),
        sa.CheckConstraint("stop_after BETWEEN '1 minute' AND '1 day'", name="tree_stop_after_check"),
        sa.PrimaryKeyConstraint("is_only", name="tree_pkey"),
        schema="audit",
        postgresql_with={"fillfactor": "50"},
    )
    op.execute("INSERT INTO audit.tree VALUES (true, 0, 0, now(), '15 minutes')")
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("size", name="checkpoint_pkey"),
        schema="audit",
    )
    op.create_table(
        "sealer_key",
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("since_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("verifier", name="sealer_key_pkey"),
        schema="audit",
    )
