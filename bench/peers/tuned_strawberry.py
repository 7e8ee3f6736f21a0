"""Strawberry, tuned: asyncpg rows as text, dataloaders, parser and validation caches, orjson, a bare ASGI route."""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import orjson
import strawberry
import uvicorn
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

Row: TypeAlias = Any
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_VISITS = """SELECT id, started_at, kind_code, reason, discharge_diagnosis, facility_code
  FROM book.visit ORDER BY started_at DESC, id DESC LIMIT $1"""
_PRESCRIPTIONS = (
    "SELECT id, ordered_at, facility_code FROM book.prescription ORDER BY ordered_at DESC, id DESC LIMIT $1"
)
_REPORT = "SELECT id, resulted_at, category, service_name, conclusion, facility_code FROM book.test_report"
_REPORTS = f"{_REPORT} ORDER BY resulted_at DESC, id DESC LIMIT $1"
_REPORTS_OF = f"{_REPORT} WHERE category = $2 ORDER BY resulted_at DESC, id DESC LIMIT $1"
_FACILITIES = "SELECT code, name FROM directory.facility WHERE code = ANY($1::text[])"
_DIAGNOSES = """SELECT d.visit_id AS parent, d.role, d.code, n.name_vi AS name FROM book.visit_diagnosis d
  LEFT JOIN LATERAL (SELECT e.name_vi FROM code.entry e WHERE e.system = 'icd10' AND e.code = d.code
                     ORDER BY e.valid_from DESC LIMIT 1) n ON true
  WHERE d.visit_id = ANY($1::text[]::uuid[]) ORDER BY d.visit_id, d.line"""
_ITEMS = """SELECT prescription_id AS parent, line, drug_name, strength, quantity, unit, dose, instruction
  FROM book.prescription_item WHERE prescription_id = ANY($1::text[]::uuid[]) ORDER BY prescription_id, line"""
_RESULTS = """SELECT report_id AS parent, line, name, value_text, value, unit
  FROM book.test_result WHERE report_id = ANY($1::text[]::uuid[]) ORDER BY report_id, line"""


class Request:
    """One request: its transaction, opened when it is first needed, and its loaders."""

    def __init__(self, pool: "asyncpg.Pool[Row]", citizen: UUID) -> None:
        self._pool, self._citizen = pool, citizen
        self._lock, self._open = asyncio.Lock(), AsyncExitStack()
        self._connection: Any = None
        self.facilities = DataLoader(load_fn=self._load_facilities)
        self.diagnoses = DataLoader(load_fn=self._children(_DIAGNOSES))
        self.items = DataLoader(load_fn=self._children(_ITEMS))
        self.results = DataLoader(load_fn=self._children(_RESULTS))

    async def rows(self, sql: str, *values: object) -> list[Row]:
        async with self._lock:
            if self._connection is None:
                self._connection = await self._open.enter_async_context(self._pool.acquire())
                await self._connection.execute(f"BEGIN; SELECT set_config('peer.citizen', '{self._citizen}', true)")
            found: list[Row] = await self._connection.fetch(sql, *values)
            return found

    async def end(self) -> None:
        if self._connection is not None:
            await self._connection.execute("COMMIT")
        await self._open.aclose()

    async def _load_facilities(self, codes: list[str]) -> list[Row]:
        found = {row["code"]: row for row in await self.rows(_FACILITIES, codes)}
        return [found[code] for code in codes]

    def _children(self, sql: str) -> Callable[[list[str]], Awaitable[list[list[Row]]]]:
        async def load(parents: list[str]) -> list[list[Row]]:
            found: dict[str, list[Row]] = {parent: [] for parent in parents}
            for row in await self.rows(sql, parents):
                found[row["parent"]].append(row)
            return list(found.values())

        return load


Info = strawberry.Info[Request, None]


@strawberry.enum
class Category(Enum):
    """Kind of a test."""

    LABORATORY = "LABORATORY"
    IMAGING = "IMAGING"
    FUNCTIONAL = "FUNCTIONAL"


@strawberry.type
class Facility:
    """A facility."""

    name: str


@strawberry.type
class Diagnosis:
    """A diagnosis."""

    role: str
    code: str
    name: str | None


async def _facility(root: strawberry.Parent[Any], info: Info) -> Facility:
    row: Facility = await info.context.facilities.load(root["facility_code"])
    return row


async def _diagnoses(root: strawberry.Parent[Any], info: Info) -> list[Diagnosis]:
    return await info.context.diagnoses.load(root["id"])  # rows


@strawberry.type
class Visit:
    """A visit."""

    id: strawberry.ID
    started_at: str
    kind_code: str
    reason: str | None
    discharge_diagnosis: str | None
    facility: Facility = strawberry.field(resolver=_facility)
    diagnoses: list[Diagnosis] = strawberry.field(resolver=_diagnoses)


@strawberry.type
class Item:
    """A drug."""

    line: int
    drug_name: str
    strength: str | None
    quantity: str
    unit: str
    dose: str | None
    instruction: str | None


async def _items(root: strawberry.Parent[Any], info: Info) -> list[Item]:
    return await info.context.items.load(root["id"])  # rows


@strawberry.type
class Prescription:
    """A prescription."""

    id: strawberry.ID
    ordered_at: str
    facility: Facility = strawberry.field(resolver=_facility)
    items: list[Item] = strawberry.field(resolver=_items)


@strawberry.type
class Result:
    """A result."""

    line: int
    name: str
    value_text: str | None
    value: str | None
    unit: str | None


async def _results(root: strawberry.Parent[Any], info: Info) -> list[Result]:
    return await info.context.results.load(root["id"])  # rows


@strawberry.type
class Report:
    """A report."""

    id: strawberry.ID
    resulted_at: str
    category: str
    service_name: str | None
    conclusion: str | None
    facility: Facility = strawberry.field(resolver=_facility)
    results: list[Result] = strawberry.field(resolver=_results)


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def visits(self, info: Info, first: int) -> list[Visit]:
        return await info.context.rows(_VISITS, first)  # rows

    @strawberry.field
    async def prescriptions(self, info: Info, first: int) -> list[Prescription]:
        return await info.context.rows(_PRESCRIPTIONS, first)  # rows

    @strawberry.field
    async def test_results(self, info: Info, first: int, category: Category | None = None) -> list[Report]:
        if category is None:
            return await info.context.rows(_REPORTS, first)  # rows
        return await info.context.rows(_REPORTS_OF, first, category.value)  # rows


schema = strawberry.Schema(
    query=Query,
    config=StrawberryConfig(default_resolver=lambda row, name: row[name]),
    extensions=[ParserCache, ValidationCache],
)


async def _as_text(connection: Any) -> None:
    for name in ("uuid", "timestamptz", "numeric"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=str, format="text")


class App:
    """The ASGI application: one route."""

    def __init__(self) -> None:
        folder = Path(os.environ["PEER_OPERATIONS"])
        self._operations = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.graphql")}
        self._pool: asyncpg.Pool[Row] | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request; the pool opens with the first."""
        if scope["type"] != "http":
            return
        if self._pool is None:
            size = int(os.environ["PEER_POOL"])
            self._pool = await asyncpg.create_pool(
                os.environ["PEER_DATABASE"], min_size=size, max_size=size, init=_as_text, reset=_keep
            )
        sent = orjson.loads((await receive())["body"])
        citizen = UUID(dict(scope["headers"])[b"x-citizen"].decode())
        request = Request(self._pool, citizen)
        try:
            result = await schema.execute(self._operations[sent["documentId"]], context_value=request)
        finally:
            await request.end()
        body = orjson.dumps(
            {"data": result.data, **({"errors": [str(e) for e in result.errors]} if result.errors else {})}
        )
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _keep(_connection: object) -> None:
    """Spare the pool's own round trip, as ours does."""


if __name__ == "__main__":
    uvicorn.run(
        App(), host="127.0.0.1", port=int(os.environ["PEER_PORT"]), loop="uvloop", http="httptools", ws="none",
        lifespan="off", access_log=False, log_level="warning",
    )  # fmt: skip
