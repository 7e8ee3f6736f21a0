"""What a grant shows, what its preview shows and what SQL sees with it open are what the judge says of the scope.

Every field of the schema is asked for, of books with something in every section, by scopes of every kind.
"""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from graphql import parse

from app.core.db import Login
from app.core.ids import new_id
from app.core.settings import Settings
from tests.attacks import tries
from tests.conftest import Ground, RunningServer
from tests.differential.drawing import parts_of_a_book
from tests.differential.judge import Viewing, canonical, parsed
from tests.differential.people import settle
from tests.differential.rows import CHILDREN, Lists, Shelf, read_lists, read_shelf
from tests.differential.sections import SECTIONS
from tests.differential.sees import CLASSES, KINDS, Sees, rows_of
from tests.people import Stand, now
from tests.sharing.sharing import Clinic
from tests.sockets import PATIENCE

BOOKS = ("rich", "odd", "child")
DRAWN = {"rich": 8, "odd": 3, "child": 3}
PREVIEW = "query ($scope: ShareScopeInput!) {{ previewShare(scope: $scope) {{ {} }} }}"
SHARED = "query ($grant: ID!) {{ sharedHealthBook(grantId: $grant) {{ {} }} }}"
GRANT = """
INSERT INTO auth.book_grant (id, citizen_id, citizen_name, practitioner_id, practitioner_certificate, practitioner_name,
  facility_code, kind, purpose, scope, session_id, confirmed_at, starts_at, ends_at)
SELECT :id, :citizen, 'x', :doctor, 'x', 'x', '01901', 'CODE', 'TREATMENT', auth.scope_of(CAST(:scope AS jsonb)),
  :id, now(), now(), now() + interval '1 hour'"""
MASKS = """
UPDATE book.{0} t SET masked = h.n % 6 = 0, sensitive = CASE WHEN h.n % 5 = 0 THEN 1 << (h.n / 6 % 6)::int ELSE 0 END
  FROM (SELECT o.{1} AS id, abs(hashtextextended(o.{1}::text, 3)) AS n FROM book.{0} o WHERE o.citizen_id = $1) h
 WHERE t.citizen_id = $1 AND t.{1} = h.id"""
FOLLOW = """
UPDATE book.{0} l SET masked = r.masked, sensitive = r.sensitive FROM book.{1} r
 WHERE r.citizen_id = $1 AND l.citizen_id = $1 AND l.{2} = r.id"""
KEYS = {**CHILDREN, "reported_reaction": "dose_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """A doctor with a server, and what rests of citizens who hid a part of their books."""

    clinic: Clinic
    lists: Lists
    shelves: Mapping[str, Shelf]
    tokens: Mapping[str, str]
    doctor: str

    def grant(self, book: str, scope: Mapping[str, Any]) -> str:
        """Let the doctor have a grant, past the limits of codes."""
        found = new_id(now=now())
        self.clinic.stand.as_owner(
            GRANT,
            id=found,
            citizen=self.shelves[book].citizen["id"],
            doctor=self.clinic.doctors[self.doctor],
            scope=json.dumps(scope),
        )
        return str(found)

    def judged(self, book: str, scope: Mapping[str, Any], text: str, variables: Mapping[str, object]) -> str:
        """Return what the judge says."""
        viewing = Viewing(
            shelf=self.shelves[book],
            lists=self.lists,
            vault=self.clinic.stand.vault,
            language="vi",
            sees=Sees(scope=scope, hidden=("SEXUAL_HEALTH",)),
        )
        found = viewing.judged(parse(text), variables, None)
        assert found.errors is None, found.errors
        (data,) = (found.data or {}).values()
        return json.dumps(data, indent=1)

    def told(self, token: str, text: str, variables: Mapping[str, object]) -> str:
        """Return what the product says."""
        answer = self.clinic.ask(token, text, **variables)
        body = parsed(answer.content)
        assert "errors" not in body, body
        (data,) = body["data"].values()
        return json.dumps(canonical(data), indent=1)


def scopes(shelf: Shelf, book: str) -> Iterator[dict[str, Any]]:
    """Yield scopes: each section alone, all, each class, days, facilities, records, and some drawn by lot."""
    if book == "rich":
        yield from ({"sections": [section], "sensitive": ["TUBERCULOSIS"]} for section in SECTIONS)
    yield {"sections": SECTIONS}
    yield {"sections": SECTIONS, "sensitive": list(CLASSES)}
    drawn = random.Random(20261122)
    days = sorted({row["started_at"].date().isoformat() for row in shelf.records["visit"]})
    facilities = sorted({row["facility_code"] for row in shelf.records["visit"]})
    ids = [str(row["id"]) for name in ("visit", "vaccination", "allergy", "appointment") for row in shelf.records[name]]
    for _ in range(DRAWN[book]):
        narrow: dict[str, Any] = {
            "from": min(drawn.sample(days, 2)) if len(days) > 1 else None,
            "to": drawn.choice(days),
            "facilityCodes": drawn.sample(facilities, 1),
            "recordIds": drawn.sample(ids, min(len(ids), 5)),
        }
        kept = drawn.sample(sorted(narrow), drawn.randint(1, 3))
        if {"from", "to"} <= set(kept):
            narrow["from"], narrow["to"] = sorted([narrow["from"] or narrow["to"], narrow["to"]])
        yield {
            "sections": [name for name in SECTIONS if drawn.random() < 0.8] or ["VISITS"],
            "sensitive": drawn.sample(CLASSES, 3),
            **{name: narrow[name] for name in kept if narrow[name] is not None},
        }


async def hide(superuser: tries.Connection, citizen: UUID) -> None:
    """Hide records and give them classes by their ids; lines follow their records."""
    for table in ("visit", "prescription", "test_report", "document", "imaging_study", "condition", "allergy"):
        await superuser.execute(MASKS.format(table, "id"), citizen)
    await superuser.execute(MASKS.format("vaccination", "dose_id"), citizen)
    await superuser.execute(MASKS.replace("book.", "care.").format("appointment", "id"), citizen)
    for line, parent in KEYS.items():
        holder = {"visit_id": "visit", "prescription_id": "prescription", "report_id": "test_report"}.get(
            parent, {"document_id": "document", "allergy_id": "allergy"}.get(parent, "vaccination")
        )
        await superuser.execute(FOLLOW.format(line, holder, parent), citizen)
    await superuser.execute("UPDATE auth.book SET hidden_classes = 16 WHERE citizen_id = $1", citizen)


@pytest.fixture(scope="module")
def court(ground: Ground, settings: Settings, stand: Stand) -> Iterator[Court]:
    citizens = {kind: found for kind, found in settle(ground, stand).items() if kind in BOOKS}

    async def look() -> tuple[Lists, dict[str, Shelf]]:
        async with tries.as_superuser(ground, settings) as superuser:
            for citizen in citizens.values():
                await hide(superuser, citizen)
            shelves = {kind: await read_shelf(superuser, citizen) for kind, citizen in citizens.items()}
            return await read_lists(superuser), shelves

    lists, shelves = tries.run(look)
    server = RunningServer(settings)
    server.start()
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as http:
        clinic = Clinic(stand, http)
        tokens = {kind: clinic.citizen(citizen) for kind, citizen in citizens.items()}
        yield Court(clinic=clinic, lists=lists, shelves=shelves, tokens=tokens, doctor=clinic.doctor())
    server.stop()


@pytest.mark.parametrize("book", BOOKS)
def test_b108_b131_b133_b145_a_scope_shows_what_the_judge_says_by_every_field(court: Court, book: str) -> None:
    for scope in scopes(court.shelves[book], book):
        grant = court.grant(book, scope)
        for part in parts_of_a_book():
            shared, preview = SHARED.format(part), PREVIEW.format(part)
            seen = court.told(court.doctor, shared, {"grant": grant})
            assert seen == court.judged(book, scope, shared, {"grant": grant}), scope
            assert court.told(court.tokens[book], preview, {"scope": scope}) == seen, scope


@pytest.mark.parametrize("book", BOOKS)
def test_b145_sql_at_will_with_the_book_open_sees_what_the_judge_says(court: Court, book: str, stand: Stand) -> None:
    shelf = court.shelves[book]

    async def rows_seen(grant: str) -> dict[str, set[tuple[object, ...]]]:
        async with tries.as_login(stand, Login.API) as api:
            line = await api.fetchval("SELECT op.announce($1, NULL, $2, 'x', '', 'r')", court.doctor, UUID(grant))
        async with tries.as_login(stand, Login.DEMO) as demo, demo.transaction():
            opened = "SELECT FROM auth.open_demo_granted_book($1, NULL, $2, $3, 'x')"
            await demo.fetch(opened, court.doctor, UUID(grant), line)
            found = {}
            for table in KINDS:
                schema = "care" if table == "appointment" else "book"
                rows = await demo.fetch(f"SELECT {', '.join(_key(table))} FROM {schema}.{table}")
                found[table] = {tuple(row) for row in rows}
            assert await demo.fetchval("SELECT count(*) FROM auth.identifier") == 0
            return found

    for scope in scopes(shelf, book):
        sees = Sees(scope=scope, hidden=("SEXUAL_HEALTH",))
        wanted = {
            table: {
                tuple(row[name] for name in _key(table))
                for row in rows_of(shelf, table)
                if sees.sees(shelf, table, row)
            }
            for table in KINDS
        }
        assert tries.run(rows_seen, court.grant(book, scope)) == wanted, scope
    hidden = {table for table in KINDS for row in rows_of(shelf, table) if row["masked"] or row["sensitive"]}
    assert hidden >= {"visit", "visit_diagnosis"} or book != "rich"


def _key(table: str) -> tuple[str, ...]:
    return (CHILDREN[table], "line") if table in CHILDREN else ("id",)
