"""Form D: the login `demo` reads tables, so its decision is a row that only open_demo_book can write."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from app.core.db import Login
from app.core.settings import Settings
from tests.attacks import tries
from tests.attacks.crowd import ROWS, Member, message
from tests.conftest import Ground
from tests.people import Stand

OWNER, OTHER = Member(number=21), Member(number=22)
OPEN = "SELECT citizen_id FROM auth.open_demo_book($1, NULL, NULL, 'test')"
TABLES = {name: rows for name, rows in ROWS.items() if name != "record_version"}
SECTION_OF = {
    "visit": 1,
    "visit_diagnosis": 1 | 64,
    "visit_insurance": 1 | 256,
    "visit_service": 1,
    "prescription": 2,
    "prescription_item": 2,
    "test_report": 8,
    "test_result": 8,
}


@dataclass(frozen=True, slots=True)
class Books:
    owner: UUID
    other: UUID
    owner_token: str
    other_token: str


@pytest.fixture(scope="module")
def books(stand: Stand) -> Books:
    assert stand.file(message(OWNER, OTHER), token=stand.facility()) == "filed"
    owner, other = stand.citizen_by(OWNER.personal_id), stand.citizen_by(OTHER.personal_id)
    return Books(owner, other, stand.citizen_token(owner), stand.citizen_token(other))


async def counted(demo: tries.Connection) -> dict[str, int]:
    return {table: await demo.fetchval(f"SELECT count(*) FROM book.{table}") for table in TABLES}


async def refused_everywhere(demo: tries.Connection) -> bool:
    tables = [*(f"book.{table}" for table in TABLES), "auth.citizen", "auth.identifier", "auth.book"]
    states = [await tries.sqlstate_of(demo, f"SELECT count(*) FROM {table}") for table in tables]
    return set(states) == {tries.NO_BOOK}


@pytest.mark.usefixtures("books")
@pytest.mark.asyncio
async def test_d_without_an_open_book_every_table_raises(stand: Stand) -> None:
    async with tries.as_login(stand, Login.DEMO) as demo:
        assert await refused_everywhere(demo)
        async with demo.transaction():
            assert await refused_everywhere(demo)


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.asyncio
async def test_t2_settings_made_by_hand_open_nothing(stand: Stand, books: Books, *, local: bool) -> None:
    async with tries.as_login(stand, Login.DEMO) as demo, demo.transaction():
        await tries.forge(demo, books.other, local=local)
        assert await refused_everywhere(demo)


@pytest.mark.asyncio
async def test_d_an_open_book_shows_its_own_rows_and_no_other(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.DEMO) as demo, demo.transaction():
        assert await demo.fetchval(OPEN, books.owner_token) == books.owner
        assert await counted(demo) == TABLES
        for table in (*(f"book.{name}" for name in TABLES), "auth.identifier", "auth.book"):
            assert {row[0] for row in await demo.fetch(f"SELECT citizen_id FROM {table}")} == {books.owner}
        assert [row["id"] for row in await demo.fetch("SELECT id FROM auth.citizen")] == [books.owner]


@pytest.mark.asyncio
async def test_d_settings_made_by_hand_do_not_turn_an_open_book_into_another(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.DEMO) as demo, demo.transaction():
        await demo.fetch(OPEN, books.owner_token)
        await tries.forge(demo, books.other)
        assert {row[0] for row in await demo.fetch("SELECT citizen_id FROM book.visit")} == {books.owner}


@pytest.mark.asyncio
async def test_d_the_window_can_be_neither_read_nor_written(stand: Stand, books: Books) -> None:
    me = "pg_backend_pid(), pg_current_xact_id()"
    async with tries.as_login(stand, Login.DEMO) as demo:
        for statement in (
            "SELECT * FROM auth.reading_window",
            f"INSERT INTO auth.reading_window VALUES ({me}, '{books.other}')",
            f"UPDATE auth.reading_window SET citizen_id = '{books.other}'",
            "DELETE FROM auth.reading_window",
            "TRUNCATE auth.reading_window",
            "SELECT auth.open_book(NULL, NULL, NULL, 'x')",
            "SELECT * FROM auth.session",
            "SELECT * FROM book.record_version",
            "SELECT * FROM intake.message",
            "UPDATE book.visit SET reason = 'x'",
            "DELETE FROM book.visit",
            "CREATE TEMP TABLE t (i int)",
            "SET ROLE book_reader",
            "COPY (SELECT 1) TO PROGRAM 'true'",
        ):
            assert await tries.sqlstate_of(demo, statement) == tries.DENIED, statement


@pytest.mark.asyncio
async def test_d_another_backends_window_is_not_used(stand: Stand, books: Books) -> None:
    async with (
        tries.as_login(stand, Login.DEMO) as first,
        tries.as_login(stand, Login.DEMO) as second,
        first.transaction(),
        second.transaction(),
    ):
        await first.fetch(OPEN, books.owner_token)
        assert await refused_everywhere(second)
        await second.fetch(OPEN, books.other_token)
        assert {row[0] for row in await first.fetch("SELECT citizen_id FROM book.visit")} == {books.owner}
        assert {row[0] for row in await second.fetch("SELECT citizen_id FROM book.visit")} == {books.other}


@pytest.mark.asyncio
async def test_d_another_transactions_window_is_not_used(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.DEMO) as demo:
        async with demo.transaction():
            await demo.fetch(OPEN, books.owner_token)
        assert await refused_everywhere(demo)
        async with demo.transaction():
            assert await refused_everywhere(demo)
            inner = demo.transaction()
            await inner.start()
            await demo.fetch(OPEN, books.owner_token)
            assert await counted(demo) == TABLES
            await inner.rollback()
            assert await refused_everywhere(demo)


@pytest.mark.asyncio
async def test_d_a_second_book_in_one_transaction_is_refused(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.DEMO) as demo, demo.transaction():
        await demo.fetch(OPEN, books.owner_token)
        assert await tries.sqlstate_of(demo, OPEN, books.other_token) == tries.STALE
        assert await tries.sqlstate_of(demo, OPEN, books.owner_token) == tries.STALE


@pytest.mark.asyncio
async def test_d_who_has_no_session_opens_nothing(stand: Stand, books: Books) -> None:
    target = "SELECT auth.open_demo_book($1, NULL, $2, 'test')"
    async with tries.as_login(stand, Login.DEMO) as demo:
        for token in (None, "", "x" * 43):
            assert await tries.sqlstate_of(demo, target, token, books.owner) == tries.NO_SESSION
        assert await tries.sqlstate_of(demo, target, books.owner_token, books.other) == tries.NO_SUCH_BOOK


@pytest.mark.asyncio
async def test_d_sections_dates_and_masks_of_the_window_hold(
    ground: Ground, settings: Settings, stand: Stand, books: Books
) -> None:
    write = (
        "INSERT INTO auth.reading_window "
        "VALUES ($1, $2::text::xid8, $3, $4, $5, 'infinity', false, "
        "63, NULL, NULL, NOT isfinite($5::timestamptz), true) "
        "ON CONFLICT (backend) DO UPDATE "
        "SET sections = excluded.sections, since = excluded.since, whole = excluded.whole"
    )
    async with tries.as_superuser(ground, settings) as superuser, tries.as_login(stand, Login.DEMO) as demo:
        moments = await superuser.fetchrow("SELECT '-infinity'::timestamptz, now() + interval '1 day'")
        assert moments is not None
        always, tomorrow = moments
        async with demo.transaction():
            me = (
                await demo.fetchval("SELECT pg_backend_pid()"),
                await demo.fetchval("SELECT pg_current_xact_id()::text"),
            )
            for section in (1 << bit for bit in range(10)):
                await superuser.execute(write, *me, books.owner, section, always)
                expected = {table: rows if SECTION_OF[table] & section else 0 for table, rows in TABLES.items()}
                assert await counted(demo) == expected, section
            await superuser.execute(write, *me, books.owner, 1023, tomorrow)
            assert await counted(demo) == dict.fromkeys(TABLES, 0)  # lines without a date of their own too
            await superuser.execute(write, *me, books.owner, 1023, always)
            assert await counted(demo) == TABLES
            for table in TABLES:
                await superuser.execute(f"UPDATE book.{table} SET masked = true WHERE citizen_id = $1", books.owner)
            assert await counted(demo) == dict.fromkeys(TABLES, 0)
            for table in TABLES:
                await superuser.execute(f"UPDATE book.{table} SET masked = false WHERE citizen_id = $1", books.owner)
