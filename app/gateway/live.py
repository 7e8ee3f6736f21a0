"""Runs every live function against the database as it is now.

Apps and servers of earlier releases still call theirs: a migration that breaks one must not pass.
Each is run as a made-up citizen with an empty book would, in a transaction that leaves nothing behind.
"""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.db import driver_of, transaction
from app.core.errors import NotInstallable, Text
from app.core.ids import new_secret

LISTED = r"""
SELECT o.function, o.document_id, o.root, p.oid IS NOT NULL AS is_there,
       ARRAY(SELECT t::regtype::text FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, n) ORDER BY n) AS types,
       substring(p.prosrc FROM 'open_granted_book\([^'']*''(\w+)''\)') AS operation
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
_SAID = {"integer": "1", "boolean": "true", "jsonb": """'{"sections": ["VISITS"]}'"""}
"""What is said for an argument by its type: a page size and a scope may not be null, all else may."""
_GRANTED = ("uuid", "bigint")
"""The types of a grant and of the line that announced its reading: what a function takes after the proof key."""
_DOCTOR = """
WITH place AS (INSERT INTO directory.facility VALUES ('0XXX0', 'X', 'PRIMARY', now()) RETURNING code),
doctor AS (
  INSERT INTO auth.practitioner (id, certificate, full_name, name_key, valid_from, registered_at)
  SELECT $3::uuid, $3::uuid::text, 'X', 'X', '1900-01-01', now()),
works AS (INSERT INTO auth.practitioner_place SELECT $3::uuid, code, '1900-01-01', NULL FROM place)
INSERT INTO auth.session (id, token_hash, practitioner_id, created_at, expires_at)
SELECT $3::uuid, sha256(convert_to($2, 'UTF8')), $3::uuid, now(), now() + interval '1 minute'
 WHERE $1::uuid IS NOT NULL"""
_GRANT = """
WITH given AS (
  INSERT INTO auth.book_grant (id, citizen_id, citizen_name, practitioner_id, practitioner_certificate,
    practitioner_name, facility_code, kind, purpose, scope, session_id, confirmed_at, starts_at, ends_at)
  VALUES ($2::uuid, $1::uuid, 'X', $2::uuid, 'X', 'X', '0XXX0', 'CODE', 'OTHER', '{"sections": 1023, "sensitive": 63}',
    $2::uuid, now(), now(), now() + interval '1 minute')),
announced AS (INSERT INTO auth.announcement VALUES ($1::uuid, 1, now(), $2::uuid, $2::uuid, $3::text, '1'))
INSERT INTO audit.line VALUES ($1::uuid, 1, '', now(), 'BOOK_OPENED', 'VIEW', 'PRACTITIONER', $2::uuid, 'X', '0XXX0',
  jsonb_build_object('grant', $2::uuid, 'operation', $3::text), '', '1')"""


class LiveFunctionBroken(NotInstallable):
    """A live function does not run any more; the message names it and PostgreSQL's reason."""

    told = Text("Một hàm đang được dùng không còn chạy.", "A live function does not run any more.")


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
                await _run(engine, function=row.function, types=row.types, operation=row.operation)
        except asyncpg.PostgresError as error:
            reason = f"{error.sqlstate} {error}"
            raise LiveFunctionBroken(_sentence(row.function, row.document_id, row.root, reason)) from error
    return len(rows)


async def _run(engine: AsyncEngine, *, function: str, types: Sequence[str], operation: str | None) -> None:
    """Run one function; what it needs is made and undone with it."""
    token = new_secret()
    async with transaction(engine) as session:
        driver = await driver_of(session)
        await driver.execute("SET LOCAL ROLE auth_owner")
        citizen = await driver.fetchval(_CITIZEN)
        await driver.execute(_BOOK, citizen)
        is_granted = tuple(types[2:4]) == _GRANTED
        doctor = UUID(int=1)
        await driver.execute(_DOCTOR if is_granted else _SESSION, citizen, token, *([doctor] if is_granted else []))
        if is_granted:
            await driver.execute(_GRANT, citizen, doctor, operation)
        owner = "book_reader" if function.startswith("op.") else "auth_owner"
        await driver.execute(f"SET LOCAL ROLE {owner}")
        said = [_SAID.get(kind, "NULL") for kind in types[1:]]
        if is_granted:
            said[1:3] = [f"'{doctor}'", "1"]
        rest = "".join(f", {one}" for one in said)
        await driver.fetchrow(f"SELECT * FROM {function}($1{rest})", token)  # noqa: S608 - a name made by us
        raise _Undone


def _sentence(function: str, document_id: str, root: str, reason: str) -> str:
    return (
        f"{function} (document {document_id}, field {root}) is live and does not run on this schema: {reason}. "
        "Released apps call it: change the migration, or wait until its document's sunset."
    )
