"""The announced path, by SQL at will as `api`: what a taken-over process can do with a doctor's token and a grant."""

import asyncio
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import httpx
import pytest

from app.core.db import Login
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.people import Stand
from tests.sharing.sharing import Clinic
from tests.sockets import PATIENCE

PATIENT, OTHER = Member(number=321), Member(number=322)
OPEN = "SELECT citizen_id, sections FROM auth.open_granted_book($1, NULL, $2, $3, 'probe')"
ANNOUNCE = "SELECT op.announce($1, NULL, $2, $3, '', 'r')"


@dataclass(frozen=True, slots=True)
class Shared:
    """A doctor with a grant, another doctor with another's, and the patient's ids."""

    doctor: str
    grant: UUID
    other_doctor: str
    other_grant: UUID
    patient: UUID
    clinic: Clinic


@pytest.fixture
def shared(stand: Stand, http: httpx.Client) -> Shared:
    stand.file(message(PATIENT, OTHER), token=stand.facility())
    clinic = Clinic(stand, http)
    patient, other = stand.citizen_by(PATIENT.personal_id), stand.citizen_by(OTHER.personal_id)
    stand.as_owner("UPDATE auth.share_code SET cancelled_at = now() WHERE redeemed_at IS NULL")
    doctor, other_doctor = clinic.doctor(), clinic.doctor()
    grant = clinic.grant(clinic.citizen(patient), doctor, scope={"sections": ["VISITS"]})
    other_grant = clinic.grant(clinic.citizen(other), other_doctor)
    return Shared(doctor, UUID(grant), other_doctor, UUID(other_grant), patient, clinic)


async def announced(stand: Stand, token: str, grant: UUID, operation: str = "probe") -> int:
    async with tries.as_login(stand, Login.API) as api:
        line: int = await api.fetchval(ANNOUNCE, token, grant, operation)
        return line


async def changed(stand: Stand, shared: Shared, what: str) -> None:
    change = f"UPDATE auth.announcement SET {what} WHERE citizen_id = :id"
    await asyncio.to_thread(partial(stand.as_owner, change, id=shared.patient))


@pytest.mark.asyncio
async def test_trap1_a_reading_needs_a_line_of_another_committed_transaction(stand: Stand, shared: Shared) -> None:
    async with tries.as_role(stand, "book_reader") as reader:
        assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, 1) == tries.STALE
        assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, None) == tries.STALE
        async with reader.transaction():
            line = await reader.fetchval(ANNOUNCE, shared.doctor, shared.grant, "probe")
            assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line) == tries.STALE
        async with reader.transaction():
            async with reader.transaction():  # a savepoint, released
                line = await reader.fetchval(ANNOUNCE, shared.doctor, shared.grant, "probe")
            assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line) == tries.STALE
        line = await announced(stand, shared.doctor, shared.grant)
        assert (await reader.fetchrow(OPEN, shared.doctor, shared.grant, line))["citizen_id"] == shared.patient


@pytest.mark.asyncio
async def test_trap1_a_line_is_good_for_its_viewer_grant_and_operation_for_ten_seconds(
    stand: Stand, shared: Shared
) -> None:
    async with tries.as_role(stand, "book_reader") as reader:
        other_operation = await announced(stand, shared.doctor, shared.grant, "another")
        assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, other_operation) == tries.STALE
        line = await announced(stand, shared.doctor, shared.grant)
        assert await tries.sqlstate_of(reader, OPEN, shared.other_doctor, shared.grant, line) == tries.NO_SUCH_BOOK
        assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.other_grant, line) == tries.NO_SUCH_BOOK
        assert await tries.sqlstate_of(reader, OPEN, shared.other_doctor, shared.other_grant, line) == tries.STALE
        await changed(stand, shared, "at = clock_timestamp() - interval '10 seconds'")
        assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line) == tries.STALE
        await changed(stand, shared, "at = clock_timestamp() - interval '8 seconds'")
        assert (await reader.fetchrow(OPEN, shared.doctor, shared.grant, line))["citizen_id"] == shared.patient


@pytest.mark.asyncio
async def test_trap1_an_announcement_that_says_less_or_is_undone_opens_nothing(stand: Stand, shared: Shared) -> None:
    async with tries.as_role(stand, "book_reader") as reader:
        for column in ("practitioner_id", "grant_id", "operation", "transaction"):  # null: of an earlier release
            line = await announced(stand, shared.doctor, shared.grant)
            await changed(stand, shared, f"{column} = NULL")
            assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line) == tries.STALE, column
        undone = reader.transaction()
        await undone.start()
        line = await reader.fetchval(ANNOUNCE, shared.doctor, shared.grant, "probe")
        await undone.rollback()
        assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line) == tries.STALE


@pytest.mark.asyncio
async def test_trap1_an_announced_line_opens_one_book_once_whatever_becomes_of_the_opening(
    stand: Stand, shared: Shared
) -> None:
    """Who holds the connection could read, roll back and read again by the one line that was announced."""
    async with tries.as_role(stand, "book_reader") as reader, tries.as_role(stand, "book_reader") as other:
        line = await announced(stand, shared.doctor, shared.grant)
        assert (await reader.fetchrow(OPEN, shared.doctor, shared.grant, line))["citizen_id"] == shared.patient
        assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line) == tries.STALE

        line = await announced(stand, shared.doctor, shared.grant)
        undone = reader.transaction()
        await undone.start()
        await reader.fetch(OPEN, shared.doctor, shared.grant, line)
        await undone.rollback()
        assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line) == tries.STALE

        line = await announced(stand, shared.doctor, shared.grant)
        async with reader.transaction():
            savepoint = reader.transaction()
            await savepoint.start()
            await reader.fetch(OPEN, shared.doctor, shared.grant, line)
            await savepoint.rollback()
            await reader.execute("SELECT set_config('book.opened', '', true)")
            assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line) == tries.STALE

        line = await announced(stand, shared.doctor, shared.grant)
        async with reader.transaction():
            await reader.fetch(OPEN, shared.doctor, shared.grant, line)
            refused = await asyncio.wait_for(
                tries.sqlstate_of(other, OPEN, shared.doctor, shared.grant, line), PATIENCE
            )
            assert refused == tries.STALE

        line = await announced(stand, shared.doctor, shared.grant)  # a retry announces again, and reads
        assert (await other.fetchrow(OPEN, shared.doctor, shared.grant, line))["citizen_id"] == shared.patient


@pytest.mark.asyncio
async def test_trap9_revoked_ended_absent_and_strange_grants_look_alike(stand: Stand, shared: Shared) -> None:
    line = await announced(stand, shared.doctor, shared.grant)
    async with tries.as_role(stand, "book_reader") as reader:
        told = [
            await tries.refusal_of(reader, OPEN, shared.doctor, one, line) for one in (UUID(int=5), shared.other_grant)
        ]
    await asyncio.to_thread(
        partial(stand.as_owner, "UPDATE auth.book_grant SET revoked_at = now() WHERE id = :id", id=shared.grant)
    )
    async with tries.as_role(stand, "book_reader") as reader:
        told.append(await tries.refusal_of(reader, OPEN, shared.doctor, shared.grant, line))
    async with tries.as_login(stand, Login.API) as api:
        assert await tries.sqlstate_of(api, ANNOUNCE, shared.doctor, shared.grant, "probe") == tries.NO_SUCH_BOOK
    kept = [
        {name: value for name, value in one.items() if name in {"sqlstate", "message", "detail", "hint"}}
        for one in told
    ]
    assert kept[0] == kept[1] == kept[2]
    assert kept[0]["sqlstate"] == tries.NO_SUCH_BOOK


@pytest.mark.asyncio
async def test_f_the_api_opens_nothing_but_by_operations_and_forged_settings_change_nothing(
    stand: Stand, shared: Shared
) -> None:
    line = await announced(stand, shared.doctor, shared.grant)
    async with tries.as_login(stand, Login.API) as api:
        for statement in (
            f"SELECT auth.open_granted_book('{shared.doctor}', NULL, '{shared.grant}', {line}, 'probe')",
            f"SELECT auth.open_preview('{shared.doctor}', NULL, '{{}}', NULL, 'probe')",
            "SELECT auth.decide(NULL, '{}', true, true, 0)",
            f"SELECT auth.announce('{shared.doctor}', NULL, '{shared.grant}', 'x', '', 'r')",
            "SELECT * FROM auth.book_grant",
            "SELECT * FROM auth.share_code",
            "SELECT auth.take_try(NULL, NULL, NULL, NULL)",
            "SELECT book.mask_records(NULL, '{}', false)",
        ):
            assert await tries.sqlstate_of(api, statement) == tries.DENIED, statement


@pytest.mark.asyncio
async def test_f_the_second_lock_holds_a_body_that_forgets_the_scope(stand: Stand, shared: Shared) -> None:
    line = await announced(stand, shared.doctor, shared.grant)
    async with tries.as_role(stand, "book_reader") as reader, reader.transaction():
        await reader.fetch(OPEN, shared.doctor, shared.grant, line)
        assert {row[0] for row in await reader.fetch("SELECT citizen_id FROM book.visit")} == {shared.patient}
        for table in ("prescription", "prescription_item", "test_report", "test_result", "document", "allergy"):
            assert await reader.fetchval(f"SELECT count(*) FROM book.{table}") == 0, table
        assert await reader.fetchval("SELECT count(*) FROM auth.identifier") == 0


@pytest.mark.asyncio
async def test_trap3_a_kept_snapshot_or_a_long_transaction_opens_nothing(stand: Stand, shared: Shared) -> None:
    line = await announced(stand, shared.doctor, shared.grant)
    async with tries.as_role(stand, "book_reader") as reader:
        for isolation in ("repeatable_read", "serializable"):
            async with reader.transaction(isolation=isolation):
                assert await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line) == tries.STALE
        async with reader.transaction():
            await reader.fetch(OPEN, shared.doctor, shared.grant, line)
            again = await tries.sqlstate_of(reader, OPEN, shared.doctor, shared.grant, line)
            assert again == tries.STALE  # one book a transaction


@pytest.mark.parametrize("login", [Login.DESK, Login.WORKER, Login.INGEST])
@pytest.mark.asyncio
async def test_other_logins_open_and_announce_nothing(stand: Stand, shared: Shared, login: Login) -> None:
    async with tries.as_login(stand, login) as connection:
        assert await tries.sqlstate_of(connection, ANNOUNCE, shared.doctor, shared.grant, "probe") == tries.DENIED
        assert await tries.sqlstate_of(connection, OPEN, shared.doctor, shared.grant, 1) == tries.DENIED


@pytest.mark.asyncio
async def test_desk_reads_its_own_grants_and_no_hash(stand: Stand, shared: Shared) -> None:
    async with tries.as_login(stand, Login.DESK) as desk:
        assert await tries.sqlstate_of(desk, "SELECT lookup FROM auth.share_code") == tries.DENIED
        assert await tries.sqlstate_of(desk, "SELECT verifier FROM auth.share_code") == tries.DENIED
        assert await tries.sqlstate_of(desk, "UPDATE auth.book_grant SET ends_at = now()") == tries.DENIED
        async with desk.transaction():
            await desk.fetch("SELECT auth.sign_in($1, NULL)", shared.doctor)
            assert {row[0] for row in await desk.fetch("SELECT id FROM auth.book_grant")} == {shared.grant}
            assert await desk.fetchval("SELECT count(*) FROM auth.share_code") == 0


@pytest.mark.asyncio
async def test_a_book_that_is_missing_is_not_opened_for_others(stand: Stand) -> None:
    """Operations that ask nothing of the book's own row do not look whether it is there."""
    async with tries.as_role(stand, "auth_owner") as owner:
        opening = """SELECT auth.decide(gen_random_uuid(), '{"sections": 1, "sensitive": 0}', false, false, NULL)"""
        assert await tries.sqlstate_of(owner, opening) == "XX000"
