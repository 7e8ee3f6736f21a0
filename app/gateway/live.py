"""Runs every live function against the database as it is now.

Apps and servers of earlier releases still call theirs: a migration that breaks one must not pass.
Each is run as a made-up citizen with an empty book would, in a transaction that leaves nothing behind.
"""

from collections.abc import Sequence
from contextlib import suppress

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.db import driver_of, transaction
from app.core.ids import new_secret

LISTED = """
SELECT o.function, o.document_id, o.root, p.oid IS NOT NULL AS is_there,
       ARRAY(SELECT t::regtype::text FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, n) ORDER BY n) AS types
  FROM deploy.installed_operation o
  LEFT JOIN pg_namespace n ON n.nspname = split_part(o.function, '.', 1)
  LEFT JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = split_part(o.function, '.', 2) ORDER BY o.function"""
_CITIZEN = """
INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at)
SELECT gen_random_uuid(), 'X', 'X', '1900-01-01', 'DAY', 'UNDETERMINED', now() RETURNING id"""
_BOOK = "INSERT INTO auth.book (citizen_id, changed_at) VALUES ($1, now())"
_SESSION = """
INSERT INTO auth.session (id, token_hash, citizen_id, level, created_at, expires_at)
VALUES (gen_random_uuid(), sha256(convert_to($2, 'UTF8')), $1, 2, now(), now() + interval '1 minute')"""
_SAID = {"integer": "1", "boolean": "true"}
"""What is said for an argument by its type: a page size may not be null, all else may."""


class LiveFunctionBroken(Exception):
    """A live function does not run any more; the message names it and PostgreSQL's reason."""


class _Undone(Exception):
    """Ends a transaction that must leave nothing behind."""


async def check_live_functions(engine: AsyncEngine) -> int:
    """Run all of them as `migrator` and return how many there are.

    :raises LiveFunctionBroken: for the first that does not answer
    """
    async with transaction(engine) as session:
        rows = (await session.execute(text(LISTED))).all()
    for row in rows:
        try:
            if not row.is_there:
                raise LiveFunctionBroken(_sentence(row.function, row.document_id, row.root, "it is gone"))
            with suppress(_Undone):
                await _run(engine, function=row.function, types=row.types)
        except asyncpg.PostgresError as error:
            reason = f"{error.sqlstate} {error}"
            raise LiveFunctionBroken(_sentence(row.function, row.document_id, row.root, reason)) from error
    return len(rows)


async def _run(engine: AsyncEngine, *, function: str, types: Sequence[str]) -> None:
    """Run one function; what it needs is made and undone with it."""
    token = new_secret()
    async with transaction(engine) as session:
        driver = await driver_of(session)
        await driver.execute("SET LOCAL ROLE auth_owner")
        citizen = await driver.fetchval(_CITIZEN)
        await driver.execute(_BOOK, citizen)
        await driver.execute(_SESSION, citizen, token)
        owner = "book_reader" if function.startswith("op.") else "auth_owner"
        await driver.execute(f"SET LOCAL ROLE {owner}")
        rest = "".join(f", {_SAID.get(kind, 'NULL')}" for kind in types[1:])
        await driver.fetchrow(f"SELECT * FROM {function}($1{rest})", token)  # noqa: S608 - a name made by us
        raise _Undone


def _sentence(function: str, document_id: str, root: str, reason: str) -> str:
    return (
        f"{function} (document {document_id}, field {root}) is live and does not run on this schema: {reason}. "
        "Released apps call it: change the migration, or wait until its document's sunset."
    )
