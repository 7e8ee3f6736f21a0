"""The worker's door: it writes the books of the message in its hands, and of no other."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from app.core.db import Login
from app.core.ids import new_id
from app.core.settings import Settings
from tests.attacks import tries
from tests.attacks.crowd import ROWS, Member, message
from tests.conftest import Ground
from tests.people import Stand

FIRST, SECOND, THIRD = Member(number=31), Member(number=32), Member(number=33)
OPEN = "SELECT auth.open_filing($1)"
TABLES = tuple(ROWS)


@dataclass(frozen=True, slots=True)
class Filed:
    """Two concluded messages: one about two people, one about a third."""

    both: UUID
    alone: UUID
    first: UUID
    second: UUID
    third: UUID


@pytest.fixture(scope="module")
def filed(stand: Stand) -> Filed:
    sender = stand.facility()
    both, alone = stand.keep(message(FIRST, SECOND), token=sender), stand.keep(message(THIRD), token=sender)
    assert [stand.process(both), stand.process(alone)] == ["filed", "filed"]
    people = (stand.citizen_by(member.personal_id) for member in (FIRST, SECOND, THIRD))
    return Filed(both, alone, *people)


async def books_seen(worker: tries.Connection, table: str = "visit") -> set[UUID]:
    return {row[0] for row in await worker.fetch(f"SELECT citizen_id FROM book.{table}")}


async def refused_everywhere(worker: tries.Connection) -> bool:
    states = [await tries.sqlstate_of(worker, f"SELECT count(*) FROM book.{table}") for table in TABLES]
    states += [
        await tries.sqlstate_of(worker, f"UPDATE book.{table} SET masked = false")
        for table in TABLES
        if table != "record_version"
    ]
    return set(states) == {tries.NO_BOOK}


async def insert_version(worker: tries.Connection, citizen: UUID) -> str:
    statement = "INSERT INTO book.record_version VALUES ($1, $2, 1, 'VISIT', 'ADDED', 'X', $2, '', '', now(), '{}')"
    return await tries.sqlstate_of(worker, statement, citizen, new_id(now=datetime.now(UTC)))


@pytest.mark.asyncio
async def test_nothing_is_read_or_written_before_a_message_is_opened(stand: Stand, filed: Filed) -> None:
    async with tries.as_login(stand, Login.WORKER) as worker:
        assert await refused_everywhere(worker)
        async with worker.transaction():
            assert await refused_everywhere(worker)
            assert await insert_version(worker, filed.first) == tries.NO_BOOK
            await tries.forge(worker, filed.first)
            assert await refused_everywhere(worker)
            changed = "SELECT auth.book_changed($1)"
            assert await tries.sqlstate_of(worker, changed, filed.first) == tries.NO_BOOK


@pytest.mark.asyncio
async def test_only_the_books_of_the_message_are_open(stand: Stand, filed: Filed) -> None:
    async with tries.as_login(stand, Login.WORKER) as worker:
        for opened, citizens in ((filed.both, {filed.first, filed.second}), (filed.alone, {filed.third})):
            async with worker.transaction():
                assert await worker.fetchval(OPEN, opened) == len(citizens)
                for table in TABLES:
                    assert await books_seen(worker, table) == citizens


@pytest.mark.asyncio
async def test_another_messages_book_cannot_be_written(
    ground: Ground, settings: Settings, stand: Stand, filed: Filed
) -> None:
    version = "SELECT version FROM auth.book WHERE citizen_id = $1"
    async with tries.as_superuser(ground, settings) as superuser, tries.as_login(stand, Login.WORKER) as worker:
        before = await superuser.fetchval(version, filed.third)
        undo = worker.transaction()
        await undo.start()
        await worker.fetch(OPEN, filed.both)
        assert await insert_version(worker, filed.first) == "no error"
        assert await insert_version(worker, filed.third) == tries.DENIED
        for table in TABLES:
            if table == "record_version":
                continue
            moved = f"UPDATE book.{table} SET citizen_id = $1"
            assert await tries.sqlstate_of(worker, moved, filed.third) == tries.DENIED, table
            assert await worker.execute(f"DELETE FROM book.{table} WHERE citizen_id = $1", filed.third) == "DELETE 0"
        await worker.execute("SELECT auth.book_changed($1)", filed.third)
        await undo.rollback()
        async with worker.transaction():
            await worker.fetch(OPEN, filed.both)
            await worker.execute("SELECT auth.book_changed($1)", filed.third)
        assert await superuser.fetchval(version, filed.third) == before


@pytest.mark.usefixtures("filed")
@pytest.mark.asyncio
async def test_a_message_about_nobody_opens_nothing(stand: Stand) -> None:
    async with tries.as_login(stand, Login.WORKER) as worker:
        assert await tries.sqlstate_of(worker, OPEN, UUID(int=7)) == tries.NO_SUCH_BOOK
        assert await tries.sqlstate_of(worker, OPEN, None) == tries.NO_SUCH_BOOK


@pytest.mark.asyncio
async def test_what_was_opened_is_shut_after_the_transaction(stand: Stand, filed: Filed) -> None:
    async with tries.as_login(stand, Login.WORKER) as worker:
        async with worker.transaction():
            await worker.fetch(OPEN, filed.both)
            assert await books_seen(worker)
        assert await refused_everywhere(worker)
        async with worker.transaction():
            assert await refused_everywhere(worker)
            inner = worker.transaction()
            await inner.start()
            await worker.fetch(OPEN, filed.both)
            await inner.rollback()
            assert await refused_everywhere(worker)


@pytest.mark.asyncio
async def test_what_one_backend_opened_is_shut_for_another(stand: Stand, filed: Filed) -> None:
    async with (
        tries.as_login(stand, Login.WORKER) as first,
        tries.as_login(stand, Login.WORKER) as second,
        first.transaction(),
        second.transaction(),
    ):
        await first.fetch(OPEN, filed.both)
        assert await refused_everywhere(second)
        await second.fetch(OPEN, filed.alone)
        assert await books_seen(first) == {filed.first, filed.second}
        assert await books_seen(second) == {filed.third}


@pytest.mark.asyncio
async def test_the_window_and_whom_a_message_is_about_cannot_be_written_by_hand(stand: Stand, filed: Filed) -> None:
    me = "pg_backend_pid(), pg_current_xact_id()"
    async with tries.as_login(stand, Login.WORKER) as worker, worker.transaction():
        await worker.fetch(OPEN, filed.alone)
        for statement in (
            f"INSERT INTO auth.filing VALUES ('{filed.alone}', 5, '{filed.first}', '01901', 'x')",
            f"UPDATE auth.filing SET citizen_id = '{filed.first}'",
            "SELECT * FROM auth.filing",
            f"UPDATE auth.filing_window SET citizens = ARRAY['{filed.first}'::uuid]",
            f"INSERT INTO auth.filing_window VALUES ({me}, ARRAY['{filed.first}'::uuid])",
            "SELECT * FROM auth.filing_window",
            "SELECT * FROM auth.citizen",
            "SELECT * FROM auth.identifier",
            "SELECT * FROM auth.session",
            "UPDATE auth.book SET version = 0",
            "SELECT * FROM intake.message",
            "SELECT auth.open_book(NULL, NULL, NULL, 'x')",
            "SELECT auth.live_session('x', NULL)",
            "UPDATE book.record_version SET content = '{}'",
            "DELETE FROM book.record_version",
            "TRUNCATE book.record_version",
            "TRUNCATE book.visit CASCADE",
            "ALTER TABLE book.visit DISABLE ROW LEVEL SECURITY",
            "CREATE TEMP TABLE t (i int)",
            "SET ROLE book_owner",
            "COPY book.visit TO PROGRAM 'true'",
        ):
            assert await tries.sqlstate_of(worker, statement) == tries.DENIED, statement
        assert await books_seen(worker) == {filed.third}
        await worker.execute("SET LOCAL row_security = off")
        assert await tries.sqlstate_of(worker, "SELECT * FROM book.visit") == tries.DENIED


@pytest.mark.asyncio
async def test_two_messages_about_the_same_book_take_turns(stand: Stand, filed: Filed) -> None:
    async with tries.as_login(stand, Login.WORKER) as first, tries.as_login(stand, Login.WORKER) as second:
        await second.execute("SET lock_timeout = '50ms'")
        async with first.transaction():
            await first.fetch(OPEN, filed.both)
            with pytest.raises(asyncpg.LockNotAvailableError):
                await second.fetch(OPEN, filed.both)
            assert await second.fetchval(OPEN, filed.alone) == 1
        assert await second.fetchval(OPEN, filed.both) == 2
