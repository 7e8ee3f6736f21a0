"""Trusted operations as functions of PostgreSQL.

A root field becomes one function: that of a book in `op` (SECURITY DEFINER, owned by `book_reader`: it calls open_book
first, then answers), any other in `desk_op` (run by `desk` under the session's own policies).
A function is named by its operation and the hash of its text, so that two releases live side by side.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from app.compiler.plan import Part
from app.core.db import Session, driver_of
from app.gateway.openers import OPENERS
from app.gateway.plans import DESK, Operation, compile_served
from app.gateway.trusted import GRACE

_BOOK = """
CREATE FUNCTION op.{name}(token text, proof_key bytea{opening}, if_none_match text, in_language text{parameters},
                          OUT etag text, OUT body bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $operation$
#variable_conflict use_variable
DECLARE opened record; in_citizen uuid; in_sections int;
BEGIN
  opened := {function}(token, proof_key{asked}, '{operation}'{known});
  etag := opened.etag; in_citizen := opened.citizen_id; in_sections := opened.sections;
  IF etag = if_none_match THEN RETURN; END IF;
  body := textsend({body});
  IF body IS NULL THEN RAISE EXCEPTION 'the book is missing' USING ERRCODE = 'XX000'; END IF;
END $operation$"""

_DESK = """
CREATE FUNCTION desk_op.{name}(token text, proof_key bytea, in_language text{parameters}, OUT body bytea)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $operation$
#variable_conflict use_variable
DECLARE in_viewer uuid; in_practitioner uuid;
BEGIN
  SELECT s.citizen_id, s.practitioner_id INTO in_viewer, in_practitioner FROM auth.sign_in(token, proof_key) s;
  body := textsend({body});
  IF body IS NULL THEN RAISE EXCEPTION 'nothing is there for this viewer' USING ERRCODE = 'SK404'; END IF;
END $operation$"""

_INSTALLED = """
SELECT o.function, o.document_id,
       lead(o.created_at) OVER (PARTITION BY o.document_id, o.root ORDER BY o.created_at, o.function) AS followed_at
  FROM deploy.installed_operation o"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One deployed function."""

    schema: str
    name: str
    sql: str

    @property
    def full_name(self) -> str:
        """Return the name with its schema."""
        return f"{self.schema}.{self.name}"


def function_of(operation: Operation, part: Part) -> Function:
    """Return the function that answers one root field of an operation."""
    body = part.body_sql()
    parameters = "".join(f", {one.name} {one.pg_type}" for one in operation.plan.parameters)
    opener = OPENERS.get(part.opens or "")
    schema, template = ("desk_op", _DESK) if opener is None else ("op", _BOOK)
    opening = "" if opener is None else "".join(f", {name} {pg_type}" for name, pg_type in opener.parameters)
    digest = hashlib.sha256((template + opening + parameters + body).encode()).hexdigest()[:12]
    name = f"{operation.name}_{digest}".lower()
    sql = template.format(
        name=name,
        operation=operation.name,
        parameters=parameters,
        body=body,
        opening=opening,
        function="" if opener is None else opener.function,
        asked="" if opener is None else "".join(f", {name}" for name, _ in opener.parameters),
        known=", if_none_match" if opener is not None and opener.knows else "",
    )
    return Function(schema=schema, name=name, sql=sql)


async def deploy(session: Session) -> int:
    """Create the functions that are not there yet; returns how many. Runs as `migrator`.

    :raises BadOperation: naming the file of an operation that cannot be served
    """
    there = set(await session.scalars(text("SELECT function FROM deploy.installed_operation")))
    created = 0
    driver = await driver_of(session)
    for operation, part, function in _wanted(await _now(session)):
        if function.full_name in there:
            continue
        owner, caller = ("auth_owner", "desk") if part.opens == DESK else ("book_reader", "api")
        await driver.execute(
            f"SET LOCAL ROLE {owner};{function.sql};REVOKE ALL ON FUNCTION {function.full_name} FROM PUBLIC;"
            f"GRANT USAGE ON SCHEMA {function.schema} TO {caller};"
            f"GRANT EXECUTE ON FUNCTION {function.full_name} TO {caller};RESET ROLE"
        )
        await session.execute(
            text("INSERT INTO deploy.installed_operation VALUES (:function, :document, :root, now())"),
            {"function": function.full_name, "document": operation.key, "root": part.field},
        )
        there.add(function.full_name)
        created += 1
    return created


async def retire(session: Session) -> tuple[str, ...]:
    """Drop the functions that nobody can call any more, and return their names. Runs as `migrator`.

    They are those of documents past their sunset and grace, and those whose successor has been there for as long:
    until then a server of an earlier release may still call them.
    """
    now = await _now(session)
    wanted = {function.full_name: operation.key for operation, _, function in _wanted(now)}
    served = set(wanted.values())
    rows = (await session.execute(text(_INSTALLED))).all()
    over = [
        row.function
        for row in rows
        if row.function not in wanted
        and (row.document_id not in served or (row.followed_at is not None and now >= row.followed_at + GRACE))
    ]
    driver = await driver_of(session)
    for function in over:
        owner = "book_reader" if function.startswith("op.") else "auth_owner"
        await driver.execute(f"SET LOCAL ROLE {owner};DROP FUNCTION IF EXISTS {function};RESET ROLE")
        await session.execute(
            text("DELETE FROM deploy.installed_operation WHERE function = :function"), {"function": function}
        )
    return tuple(over)


async def _now(session: Session) -> datetime:
    found: datetime = (await session.scalars(text("SELECT now()"))).one()
    return found


def _wanted(now: datetime) -> Iterator[tuple[Operation, Part, Function]]:
    """Yield the functions of this release."""
    for operation in compile_served(now):
        for part in operation.deployed_parts:
            yield operation, part, function_of(operation, part)
