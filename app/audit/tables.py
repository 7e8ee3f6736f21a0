"""Rows of the visitors' book, and of the tree that proves it."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Interval,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row, Xid8


class HeadRow(Row):
    """The end of one citizen's chain: how many lines there are, and the hash of the last one's leaf."""

    __tablename__ = "head"
    __table_args__ = ({"schema": "audit", "postgresql_with": {"fillfactor": "50"}},)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class LineRow(Row):
    """What one line says, and the nonce that hides it: both may be erased, its leaf stays.

    Its citizen is the head's: a foreign key of its own would lock and look for the same person once more a line.
    """

    __tablename__ = "line"
    __table_args__ = ({"schema": "audit"},)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    previous: Mapped[bytes] = mapped_column(LargeBinary)  # the leaf of line n - 1; 32 zero bytes before the first
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    action: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)  # VIEW or CHANGE
    actor_kind: Mapped[str] = mapped_column(Text)  # OWNER, REPRESENTATIVE, PRACTITIONER, FACILITY_SYSTEM, SYSTEM
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_name: Mapped[str | None] = mapped_column(Text)  # as it was then: history does not change with a register
    facility_code: Mapped[str | None] = mapped_column(Text)
    about: Mapped[dict[str, Any]] = mapped_column(JSONB)  # ids, codes, scope, purpose: never health data
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    transaction: Mapped[int] = mapped_column(Xid8)  # that wrote it


class LeafRow(Row):
    """What stays of a line for ever: its hash, and its place in the tree as soon as it is sealed."""

    __tablename__ = "leaf"
    __table_args__ = (
        Index("leaf_index_key", "leaf_index", unique=True, postgresql_where=text("leaf_index IS NOT NULL")),
        Index("leaf_unsealed_idx", "citizen_id", "n", postgresql_where=text("leaf_index IS NULL")),
        {"schema": "audit"},
    )

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_index: Mapped[int | None] = mapped_column(BigInteger)


class TileRow(Row):
    """Up to 32 hashes of one level of the tree: 1 kB, which PostgreSQL keeps in the row."""

    __tablename__ = "tile"
    __table_args__ = ({"schema": "audit"},)

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


class TreeRow(Row):
    """The one tree: how large it is, whose turn it is to seal, and when it was last found complete."""

    __tablename__ = "tree"
    __table_args__ = (
        CheckConstraint("is_only", name="only"),
        CheckConstraint("stop_after BETWEEN '1 minute' AND '1 day'", name="stop_after"),
        {"schema": "audit", "postgresql_with": {"fillfactor": "50"}},
    )

    is_only: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    size: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[int] = mapped_column(BigInteger)  # grows with every sealer that starts; an older one is refused
    sealed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    stop_after: Mapped[timedelta] = mapped_column(Interval)  # without a seal for so long, nobody views others' books


class CheckpointRow(Row):
    """A signed head of the tree; one a size, for ever."""

    __tablename__ = "checkpoint"
    __table_args__ = ({"schema": "audit"},)

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(Text)  # C2SP tlog-checkpoint, a signed note
    signed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SealerKeyRow(Row):
    """A public key with which checkpoints were signed."""

    __tablename__ = "sealer_key"
    __table_args__ = ({"schema": "audit"},)

    verifier: Mapped[str] = mapped_column(Text, primary_key=True)  # name+key hash+key, of C2SP signed-note
    since_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class QuestionRow(Row):
    """A citizen's question about a line: a case that must be answered by a day."""

    __tablename__ = "question"
    __table_args__ = (
        ForeignKeyConstraint(["citizen_id", "n"], ["audit.leaf.citizen_id", "audit.leaf.n"]),
        Index("question_line_key", "citizen_id", "n", unique=True),
        Index("question_due_idx", "due_on", postgresql_where=text("state = 'OPEN'")),
        {"schema": "audit"},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid)
    n: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # the citizen's own words
    asked_by: Mapped[UUID] = mapped_column(Uuid)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text)  # OPEN, JUSTIFIED, NOT_JUSTIFIED
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answered_by: Mapped[str | None] = mapped_column(Text)
