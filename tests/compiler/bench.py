"""Runs an operation both ways that the compiler can be run: as a client's statement and inside PL/pgSQL."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from graphql import DocumentNode, parse, validate

from app.compiler import Outcome, Part, Plan, assemble, compile_operation, run_statement
from tests.compiler.rows import FULL
from tests.compiler.toy import INDEX


def unseal(text: str) -> str | None:
    """Open the toy's seal; what starts with `phone` and is of citizen 1 does not open."""
    plain = base64.b64decode(text).decode()
    return None if plain == "phone-of-1" else f'"{plain}"'


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewing:
    """What an opener would give."""

    citizen: UUID = FULL
    sections: int = 3
    language: str = "vi"
    viewer: int = 1

    def inputs(self) -> dict[str, object]:
        return {
            "in_citizen": self.citizen,
            "in_sections": self.sections,
            "in_language": self.language,
            "in_viewer": self.viewer,
        }


class Bench:
    def __init__(self, runner: asyncio.Runner, connection: asyncpg.Connection) -> None:
        self.runner = runner
        self.connection = connection

    def ask(
        self,
        query: str | DocumentNode,
        variables: Mapping[str, object] | None = None,
        viewing: Viewing | None = None,
    ) -> Outcome:
        """Return the outcome, which is the same both ways."""
        document = parse(query) if isinstance(query, str) else query
        problems = validate(INDEX.schema, document)
        assert problems == []
        plan = compile_operation(INDEX, document)
        values = plan.named(plan.bind(variables or {}))
        inputs = (viewing or Viewing()).inputs()
        numbered, deployed = {}, {}
        for part in plan.parts:
            if part.is_shown(values):
                statement = part.statement()
                sent = run_statement(self.connection, statement, {**values, **inputs})
                numbered[part.key] = self.runner.run(sent)
                deployed[part.key] = self.runner.run(self._deployed(plan, part, {**inputs, **values}))
        assert deployed == numbered
        return assemble(plan, numbered, unseal=unseal)

    def data(
        self, query: str, variables: Mapping[str, object] | None = None, viewing: Viewing | None = None
    ) -> dict[str, Any]:
        """Return the parsed data of an operation that has no holes."""
        outcome = self.ask(query, variables, viewing)
        assert outcome.holes == ()
        found = json.loads(outcome.data)
        assert isinstance(found, dict)
        return found

    def explained(self, query: str, viewing: Viewing | None = None) -> str:
        """Return what PostgreSQL did for the first root field, with a plan that knows no value."""
        statement = compile_operation(INDEX, parse(query)).parts[0].statement()
        values = statement.arguments((viewing or Viewing()).inputs())
        return self.runner.run(self._explained(statement.sql, values))

    async def _explained(self, sql: str, values: tuple[object, ...]) -> str:
        said = ", ".join(
            "ARRAY[" + ", ".join(map(_said, value)) + "]" if isinstance(value, list) else _said(value)
            for value in values
        )
        await self.connection.execute(f"PREPARE probe AS {sql}; SET plan_cache_mode = force_generic_plan")
        try:
            rows = await self.connection.fetch(
                f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) EXECUTE probe({said})"
            )
        finally:
            await self.connection.execute("DEALLOCATE probe; RESET plan_cache_mode")
        return "\n".join(row[0] for row in rows)

    async def _deployed(self, plan: Plan, part: Part, values: Mapping[str, object]) -> bytes | None:
        inputs = [
            ("in_citizen", "uuid"),
            ("in_sections", "integer"),
            ("in_language", "text"),
            ("in_viewer", "integer"),
        ]
        declared = [*inputs, *((parameter.name, parameter.pg_type) for parameter in plan.parameters)]
        signature = ", ".join(f"{name} {pg_type}" for name, pg_type in declared)
        await self.connection.execute(
            f"CREATE OR REPLACE FUNCTION pg_temp.body({signature}) RETURNS bytea LANGUAGE plpgsql AS $body$"
            f"BEGIN RETURN convert_to({part.body_sql()}, 'UTF8'); END $body$"
        )
        numbers = ", ".join(f"${number}::{pg_type}" for number, (_, pg_type) in enumerate(declared, 1))
        arguments = [values[name] for name, _ in declared]
        try:
            text: bytes | None = await self.connection.fetchval(f"SELECT pg_temp.body({numbers})", *arguments)
        finally:
            types = ", ".join(pg_type for _, pg_type in declared)
            await self.connection.execute(f"DROP FUNCTION pg_temp.body({types})")
        return text


def _said(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
