"""The second lock: policies of health data, tried with bodies that forget the citizen, run as `book_reader`."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.compiler import names
from app.core.db import Login
from app.core.settings import Settings
from app.gateway import plans
from app.gateway.trusted import trusted_operations
from app.records.clinical import ReactionArrival
from app.sharing.scope import EVERY_SECTION, BookSection
from tests.attacks import tries
from tests.attacks.crowd import ROWS, Member, message
from tests.clinics import ALLERGY, DISEASE, DOSE, STUDY, Clinic
from tests.conftest import Ground
from tests.differential.telling import report
from tests.ingestion import messages
from tests.people import Stand

OWNER, OTHER = Member(number=51), Member(number=52)
CLINICAL = {
    "vaccination": 2,
    "vaccination_reaction": 1,
    "reported_reaction": 2,
    "imaging_study": 1,
    "condition": 1,
    "allergy": 1,
    "allergy_reaction": 1,
}
TABLES = {name: rows for name, rows in ROWS.items() if name != "record_version"} | CLINICAL
IDENTITY = ("auth.citizen", "auth.identifier", "auth.book")
DATED = {
    "visit": "started_at",
    "visit_diagnosis": "recorded_at",
    "visit_insurance": "shown_at",
    "prescription": "ordered_at",
    "test_report": "resulted_at",
    "test_result": "resulted_at",
    "vaccination": "injected_at",
    "imaging_study": "started_at",
    "condition": "recorded_at",
}
SECTIONS = {
    "visit": {BookSection.VISITS},
    "visit_diagnosis": {BookSection.VISITS, BookSection.CONDITIONS},
    "visit_insurance": {BookSection.VISITS, BookSection.INSURANCE},
    "visit_service": {BookSection.VISITS},
    "prescription": {BookSection.PRESCRIPTIONS},
    "prescription_item": {BookSection.PRESCRIPTIONS},
    "test_report": {BookSection.TEST_RESULTS},
    "test_result": {BookSection.TEST_RESULTS},
    "vaccination": {BookSection.VACCINATIONS},
    "vaccination_reaction": {BookSection.VACCINATIONS},
    "reported_reaction": {BookSection.VACCINATIONS},
    "imaging_study": {BookSection.IMAGING},
    "condition": {BookSection.CONDITIONS},
    "allergy": {BookSection.ALLERGIES},
    "allergy_reaction": {BookSection.ALLERGIES},
}
OPEN = "SELECT citizen_id FROM auth.open_book($1, NULL, NULL, 'test')"


@dataclass(frozen=True, slots=True)
class Books:
    owner: UUID
    other: UUID
    token: str


@pytest.fixture(scope="module")
def books(ground: Ground, stand: Stand) -> Books:
    kept = stand.keep(message(OWNER, OTHER), token=stand.facility())
    assert stand.process(kept) == "filed"
    owner, other = (stand.citizen_by(member.personal_id) for member in (OWNER, OTHER))
    reaction = ReactionArrival(description="Sốt", reacted_at=None, severity=None)
    for citizen in (owner, other):
        clinic = Clinic(stand, citizen, kept, messages.FACILITY)
        clinic.tells(replace(DOSE, reactions=(reaction,)), replace(DOSE, source_id="again"))
        clinic.tells(STUDY, DISEASE, replace(ALLERGY, reactions=(reaction,)))
        tries.run(report, ground, stand, citizen)
    return Books(owner, other, stand.citizen_token(owner))


async def put(reader: tries.Connection, **values: str) -> None:
    """Write parts of a decision, as only book_reader's own code could."""
    for name, value in values.items():
        await reader.execute("SELECT set_config($1, $2, true)", f"book.{name}", value)


@asynccontextmanager
async def with_book_open(stand: Stand, books: Books) -> AsyncIterator[tries.Connection]:
    async with tries.as_role(stand, "book_reader") as reader, reader.transaction():
        assert await reader.fetchval(OPEN, books.token) == books.owner
        yield reader


async def counted(reader: tries.Connection) -> dict[str, int]:
    return {table: await reader.fetchval(f"SELECT count(*) FROM book.{table}") for table in TABLES}


async def refused_everywhere(reader: tries.Connection) -> bool:
    tables = [*(f"book.{table}" for table in TABLES), *IDENTITY]
    return {await tries.sqlstate_of(reader, f"SELECT count(*) FROM {table}") for table in tables} == {tries.NO_BOOK}


@pytest.mark.asyncio
async def test_f_a_body_without_a_filter_raises_when_no_book_is_open(stand: Stand, books: Books) -> None:
    async with tries.as_role(stand, "book_reader") as reader:
        assert await refused_everywhere(reader)
        async with reader.transaction():
            assert await refused_everywhere(reader)
            await reader.fetch(OPEN, books.token)
            assert await counted(reader) == TABLES
        assert await refused_everywhere(reader)


@pytest.mark.asyncio
async def test_f_a_body_without_a_filter_sees_the_open_book_alone(stand: Stand, books: Books) -> None:
    async with with_book_open(stand, books) as reader:
        assert await counted(reader) == TABLES
        for table in (*(f"book.{name}" for name in TABLES), "auth.identifier", "auth.book"):
            assert {row[0] for row in await reader.fetch(f"SELECT citizen_id FROM {table}")} == {books.owner}
        assert [row["id"] for row in await reader.fetch("SELECT id FROM auth.citizen")] == [books.owner]


@pytest.mark.asyncio
async def test_f_a_body_that_names_the_wrong_citizen_sees_nothing(stand: Stand, books: Books) -> None:
    async with with_book_open(stand, books) as reader:
        for table in TABLES:
            query = f"SELECT count(*) FROM book.{table} WHERE citizen_id = $1"
            assert await reader.fetchval(query, books.other) == 0
            joined = f"SELECT count(*) FROM book.{table} a JOIN book.visit v ON v.citizen_id <> a.citizen_id"
            assert await reader.fetchval(joined) == 0


@pytest.mark.asyncio
async def test_f_the_owner_of_operations_reads_nothing_else_and_writes_nothing(stand: Stand, books: Books) -> None:
    async with with_book_open(stand, books) as reader:
        for statement in (
            "SELECT * FROM book.record_version",  # every section and mask in one text
            "SELECT * FROM auth.session",
            "SELECT * FROM auth.filing",
            "SELECT * FROM intake.message",
            "UPDATE book.visit SET reason = 'x'",
            "INSERT INTO book.visit SELECT * FROM book.visit",
            "DELETE FROM book.visit",
            "TRUNCATE book.visit",
        ):
            assert await tries.sqlstate_of(reader, statement) == tries.DENIED, statement
        await reader.execute("SET LOCAL row_security = off")
        assert await tries.sqlstate_of(reader, "SELECT * FROM book.visit") == tries.DENIED


@pytest.mark.parametrize("section", list(BookSection))
@pytest.mark.asyncio
async def test_a_policy_refuses_what_is_not_in_the_sections(stand: Stand, books: Books, section: BookSection) -> None:
    async with with_book_open(stand, books) as reader:
        await put(reader, sections=str(section.bit))
        assert await counted(reader) == {
            table: rows if section in SECTIONS[table] else 0 for table, rows in TABLES.items()
        }
        await put(reader, sections=str(EVERY_SECTION - section.bit))
        assert await counted(reader) == {
            table: rows if SECTIONS[table] - {section} else 0 for table, rows in TABLES.items()
        }


@pytest.mark.asyncio
async def test_no_section_at_all_shows_nothing_and_an_empty_decision_raises(stand: Stand, books: Books) -> None:
    async with with_book_open(stand, books) as reader:
        await put(reader, sections="0")
        assert await counted(reader) == dict.fromkeys(TABLES, 0)
        await put(reader, sections="")
        states = {await tries.sqlstate_of(reader, f"SELECT count(*) FROM book.{table}") for table in TABLES}
        assert states == {tries.NO_BOOK}


@pytest.mark.asyncio
async def test_dates_are_from_including_until_excluding(stand: Stand, books: Books) -> None:
    moment = timedelta(microseconds=1)
    async with with_book_open(stand, books) as reader:
        for table, column in DATED.items():
            rows = TABLES[table]
            at = await reader.fetchval(f"SELECT min({column}) FROM book.{table}")
            first, after = at.isoformat(), (at + moment).isoformat()
            for since, until, expected in ((first, after, rows), (after, "infinity", 0), ("-infinity", first, 0)):
                await put(reader, since=since, until=until, whole="false")
                assert await reader.fetchval(f"SELECT count(*) FROM book.{table}") == expected, (table, since, until)
            await put(reader, since="-infinity", until="infinity", whole="true")


@pytest.mark.asyncio
async def test_masked_rows_are_hidden_unless_the_decision_unmasks_them(
    ground: Ground, settings: Settings, stand: Stand, books: Books
) -> None:
    async with tries.as_superuser(ground, settings) as superuser:
        for table in TABLES:
            await superuser.execute(f"UPDATE book.{table} SET masked = true WHERE citizen_id = $1", books.owner)
            async with with_book_open(stand, books) as reader:
                assert await counted(reader) == TABLES
                await put(reader, unmasked="false")
                assert await counted(reader) == {**TABLES, table: 0}
            await superuser.execute(f"UPDATE book.{table} SET masked = false WHERE citizen_id = $1", books.owner)


def operation(name: str = "Home") -> plans.Operation:
    return plans.compile_trusted(next(one for one in trusted_operations().values() if one.name == name))


async def body_of(reader: tries.Connection, *, citizen: UUID, sections: int, name: str = "Home") -> dict[str, Any]:
    """Run the compiled body of an operation as it stands in its function, but with inputs of the test's choice."""
    statement = operation(name).parts(plans.BOOK)[0].statement()
    inputs = {"in_citizen": citizen, "in_sections": sections, "in_language": "vi"}
    asked = [item for item in statement.order if isinstance(item, str) and item.startswith("v_")]
    first_page = {item: 50 if item == "v_first" else None for item in asked}
    text = await reader.fetchval(statement.sql, *statement.arguments({**inputs, **first_page}))
    pieces = names.split(text)
    codes = {mark: mark.rpartition(b";")[2] for mark in pieces[1::2]}  # in the names' places
    book: dict[str, Any] = json.loads(names.put_in(pieces, codes))
    return book


@pytest.mark.parametrize(
    ("field", "section"),
    [
        ("visits", BookSection.VISITS),
        ("prescriptions", BookSection.PRESCRIPTIONS),
        ("testResults", BookSection.TEST_RESULTS),
        ("conditions", BookSection.CONDITIONS),
    ],
)
@pytest.mark.asyncio
async def test_a_section_out_of_scope_is_null_and_the_policy_holds_without_the_body(
    stand: Stand, books: Books, field: str, section: BookSection
) -> None:
    fields = {"visits", "prescriptions", "testResults", "conditions"}
    narrow = EVERY_SECTION - section.bit
    async with with_book_open(stand, books) as reader:
        await put(reader, sections=str(narrow))
        book = await body_of(reader, citizen=books.owner, sections=narrow)
        assert book[field] is None
        assert section.value not in book["scope"]["sections"]
        assert all(book[other] for other in fields - {field})
        wrong = await body_of(reader, citizen=books.owner, sections=EVERY_SECTION)  # a body that takes too much
        shown = wrong[field] if field == "conditions" else wrong[field]["nodes"]
        assert bool(shown) is (section is BookSection.CONDITIONS)  # diagnoses are shown by VISITS as well


@pytest.mark.parametrize(
    ("name", "fields", "section"),
    [
        ("Vaccinations", {"vaccinations", "vaccinationSchedule"}, BookSection.VACCINATIONS),
        ("Imaging", {"imaging"}, BookSection.IMAGING),
        ("Conditions", {"conditions"}, BookSection.CONDITIONS),
        ("Allergies", {"allergies", "noKnownAllergies"}, BookSection.ALLERGIES),
    ],
)
@pytest.mark.asyncio
async def test_a_clinical_section_is_null_out_of_scope_and_empty_without_records(
    stand: Stand, books: Books, name: str, fields: set[str], section: BookSection
) -> None:
    async with with_book_open(stand, books) as reader:
        whole = await body_of(reader, citizen=books.owner, sections=EVERY_SECTION, name=name)
        assert all(whole[field] is not None for field in fields)
        assert any(whole[field] for field in fields)
        narrow = EVERY_SECTION - section.bit
        await put(reader, sections=str(narrow))
        hidden = await body_of(reader, citizen=books.owner, sections=narrow, name=name)
        assert {field: hidden[field] for field in fields} == dict.fromkeys(fields)


@pytest.mark.asyncio
async def test_an_allergy_is_seen_whatever_the_dates_of_a_share(stand: Stand, books: Books) -> None:
    async with with_book_open(stand, books) as reader:
        await put(reader, since="2026-11-01T00:00:00Z", until="2026-11-02T00:00:00Z", whole="false")
        assert await reader.fetchval("SELECT count(*) FROM book.allergy") == 1
        assert await reader.fetchval("SELECT count(*) FROM book.vaccination") == 0


@pytest.mark.asyncio
async def test_a_compiled_body_for_the_wrong_citizen_finds_no_book(stand: Stand, books: Books) -> None:
    statement = operation().parts(plans.BOOK)[0].statement()
    inputs = {"in_citizen": books.other, "in_sections": EVERY_SECTION, "in_language": "vi"}
    async with with_book_open(stand, books) as reader:
        assert await reader.fetchval(statement.sql, *statement.arguments(inputs)) is None
    async with tries.as_role(stand, "book_reader") as reader:
        assert await tries.sqlstate_of(reader, statement.sql, *statement.arguments(inputs)) == tries.NO_BOOK


@pytest.mark.usefixtures("books")
@pytest.mark.asyncio
async def test_every_login_without_a_policy_sees_no_health_data(stand: Stand) -> None:
    for login in (Login.API, Login.DESK, Login.INGEST, Login.MIGRATOR):
        async with tries.as_login(stand, login) as connection:
            for table in ROWS:
                assert await tries.sqlstate_of(connection, f"SELECT FROM book.{table}") == tries.DENIED, login
