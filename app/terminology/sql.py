"""The room's SQL: code lists and their labels."""

from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, text

from app.compiler.names import Named
from app.core.db import Session
from app.terminology.tables import CodeRow


def label(
    system: str, code: ColumnElement[Any], language: ColumnElement[Any], *, or_itself: bool = False
) -> ColumnElement[Any]:
    """Return the newest name of `code` in the viewer's language, Vietnamese where there is no other; or NULL.

    With `or_itself` a code that the list does not have is its own name: for what has no field of its own for the code.
    `code` must belong to another table than the list's own.
    """
    entry = CodeRow.__table__.alias()
    name = case((language == literal("en"), func.coalesce(entry.c.name_en, entry.c.name_vi)), else_=entry.c.name_vi)
    found = (
        select(name)
        .where(entry.c.system == literal(system), entry.c.code == code)
        .order_by(entry.c.valid_from.desc())
        .limit(literal(1))
        .scalar_subquery()
    )
    return Named(system, code, found, or_itself=or_itself)


async def replace_entries(session: Session, *, system: str, entries: str) -> None:
    """Replace one list by `entries`, a JSON array of its columns, as the owner of code lists."""
    await session.execute(text("SET LOCAL ROLE book_owner"))
    await session.execute(text("DELETE FROM code.entry WHERE system = :system"), {"system": system})
    await session.execute(
        text(
            "INSERT INTO code.entry (system, code, valid_from, valid_until, name_vi, name_en) "
            "SELECT :system, e.code, e.valid_from, e.valid_until, e.name_vi, e.name_en "
            "FROM jsonb_populate_recordset(NULL::code.entry, CAST(:entries AS jsonb)) e"
        ),
        {"system": system, "entries": entries},
    )
    await session.execute(text("RESET ROLE"))


async def replace_rows(session: Session, *, table: str, rows: str) -> None:
    """Replace a table of rules or units by `rows`, a JSON array of its columns, as the owner of code lists."""
    await session.execute(text("SET LOCAL ROLE book_owner"))
    await session.execute(text(f"DELETE FROM code.{table}"))  # noqa: S608 - a name of ours
    await session.execute(
        text(
            f"INSERT INTO code.{table} "  # noqa: S608 - as above
            f"SELECT r.* FROM jsonb_populate_recordset(NULL::code.{table}, CAST(:rows AS jsonb)) r"
        ),
        {"rows": rows},
    )
    await session.execute(text("RESET ROLE"))
