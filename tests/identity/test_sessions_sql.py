"""Who is asking, decided in PostgreSQL: sessions, `desk` under their secret, and the hospitals' systems."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.core.db import Login
from app.core.ids import new_id, new_secret
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.attacks.tries import run
from tests.people import Stand

OWNER, OTHER = Member(number=41), Member(number=42)
KEY, OTHER_KEY = b"\x01" * 32, b"\x02" * 32
SIGN_IN = "SELECT citizen_id FROM auth.sign_in($1, $2)"
OWN_TABLES = ("auth.citizen", "auth.identifier")


@dataclass(frozen=True, slots=True)
class People:
    owner: UUID
    other: UUID
    owner_token: str
    other_token: str
    facility_token: str


@pytest.fixture(scope="module")
def people(stand: Stand) -> People:
    sender = stand.facility()
    assert stand.file(message(OWNER, OTHER), token=sender) == "filed"
    owner, other = stand.citizen_by(OWNER.personal_id), stand.citizen_by(OTHER.personal_id)
    return People(owner, other, stand.citizen_token(owner), stand.citizen_token(other), sender)


def change_session(stand: Stand, token: str, change: str, **values: object) -> None:
    stand.as_owner(
        f"UPDATE auth.session SET {change} WHERE token_hash = sha256(convert_to(:token, 'UTF8'))",
        token=token,
        **values,
    )


async def seen(desk: tries.Connection) -> list[set[UUID]]:
    citizens = await desk.fetch("SELECT id FROM auth.citizen")
    identifiers = await desk.fetch("SELECT citizen_id FROM auth.identifier")
    return [{row[0] for row in citizens}, {row[0] for row in identifiers}]


async def refused_everywhere(desk: tries.Connection) -> bool:
    states = [await tries.sqlstate_of(desk, f"SELECT count(*) FROM {table}") for table in OWN_TABLES]
    states.append(await tries.sqlstate_of(desk, "SELECT auth.me()"))
    return set(states) == {tries.NO_SESSION}


@pytest.mark.usefixtures("people")
@pytest.mark.asyncio
async def test_desk_sees_nothing_before_a_session_is_bound(stand: Stand) -> None:
    async with tries.as_login(stand, Login.DESK) as desk:
        assert await refused_everywhere(desk)
        async with desk.transaction():
            assert await refused_everywhere(desk)


@pytest.mark.asyncio
async def test_desk_sees_its_own_rows_and_no_others(stand: Stand, people: People) -> None:
    async with tries.as_login(stand, Login.DESK) as desk:
        for token, citizen in ((people.owner_token, people.owner), (people.other_token, people.other)):
            async with desk.transaction():
                assert await desk.fetchval(SIGN_IN, token, None) == citizen
                assert await seen(desk) == [{citizen}, {citizen}]
                assert await desk.fetchval("SELECT auth.me()") == citizen
            assert await refused_everywhere(desk)


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.asyncio
async def test_b126_a_token_setting_made_by_hand_names_nobody(stand: Stand, people: People, *, local: bool) -> None:
    kept = await asyncio.to_thread(
        stand.as_owner, "SELECT id::text AS id, encode(token_hash, 'hex') AS hash FROM auth.session"
    )
    guesses = ["", "x" * 43, str(people.owner), people.facility_token]
    guesses += [value for row in kept for value in (row.id, row.hash, "\\x" + row.hash)]
    async with tries.as_login(stand, Login.DESK) as desk, desk.transaction():
        for guess in guesses:
            await desk.execute("SELECT set_config('desk.token', $1, $2)", guess, local)
            states = {await tries.sqlstate_of(desk, f"SELECT count(*) FROM {table}") for table in OWN_TABLES}
            if guess == people.facility_token:  # a live session, of nobody
                assert await seen(desk) == [set(), set()]
            else:
                assert states == {tries.NO_SESSION}, guess
        await desk.execute("SELECT set_config('desk.citizen', $1, true)", str(people.other))
        await desk.fetchval(SIGN_IN, people.owner_token, None)
        assert await seen(desk) == [{people.owner}, {people.owner}]


@pytest.mark.asyncio
async def test_b126_desk_loses_sight_at_the_statement_after_the_end(stand: Stand, people: People) -> None:
    token = await asyncio.to_thread(stand.citizen_token, people.owner)
    async with tries.as_login(stand, Login.DESK) as desk, desk.transaction():
        await desk.fetchval(SIGN_IN, token, None)
        assert await seen(desk) == [{people.owner}, {people.owner}]
        await asyncio.to_thread(change_session, stand, token, "ended_at = now()")
        assert await refused_everywhere(desk)


@pytest.mark.parametrize("level", ["repeatable_read", "serializable"])
@pytest.mark.asyncio
async def test_trap3_a_kept_snapshot_does_not_outlive_the_session(stand: Stand, people: People, level: str) -> None:
    token = await asyncio.to_thread(stand.citizen_token, people.owner)
    async with tries.as_login(stand, Login.DESK) as desk:
        await desk.execute(f"BEGIN ISOLATION LEVEL {level.replace('_', ' ')}")
        await desk.fetchval("SELECT set_config('desk.token', $1, true)", token)
        await asyncio.to_thread(change_session, stand, token, "ended_at = now()")
        said = await tries.refusal_of(desk, "SELECT count(*) FROM auth.citizen")
        assert said["sqlstate"] == tries.STALE


@pytest.mark.parametrize(("key", "opens"), [(KEY, True), (OTHER_KEY, False), (b"", False), (None, False)])
def test_b60_desk_needs_the_key_of_a_bound_session(
    stand: Stand, people: People, key: bytes | None, *, opens: bool
) -> None:
    token = stand.citizen_token(people.owner)
    change_session(stand, token, "key_thumbprint = :key", key=KEY)

    async def signed_in() -> bool:
        async with tries.as_login(stand, Login.DESK) as desk, desk.transaction():
            if await tries.sqlstate_of(desk, SIGN_IN, token, key) == tries.NO_SESSION:
                return False
            await desk.execute(SIGN_IN, token, key)
            assert await seen(desk) == [{people.owner}, {people.owner}]
            await desk.execute("SELECT set_config('desk.proof_key', '', true)")
            return await refused_everywhere(desk)

    assert run(signed_in) is opens


def test_b141_a_hospitals_token_is_no_persons(stand: Stand, people: People) -> None:
    async def tried(login: Login, call: str, token: str | None) -> str:
        async with tries.as_login(stand, login) as connection:
            return await tries.sqlstate_of(connection, call, token)

    calling = "SELECT auth.calling_facility($1)"
    assert run(tried, Login.DESK, "SELECT auth.sign_in($1, NULL)", people.facility_token) == tries.NO_SESSION
    assert run(tried, Login.INGEST, calling, people.facility_token) == "no error"
    for token in (people.owner_token, "", "x" * 43, None):
        assert run(tried, Login.INGEST, calling, token) == tries.NO_SESSION


@pytest.mark.asyncio
async def test_desk_writes_nothing_and_reads_nothing_else(stand: Stand, people: People) -> None:
    async with tries.as_login(stand, Login.DESK) as desk, desk.transaction():
        await desk.fetchval(SIGN_IN, people.owner_token, None)
        for statement in (
            "UPDATE auth.citizen SET full_name = 'x'",
            "DELETE FROM auth.identifier",
            "INSERT INTO auth.identifier SELECT * FROM auth.identifier",
            "SELECT * FROM auth.session",
            "SELECT * FROM auth.client_key",
            "SELECT * FROM auth.book",
            "SELECT * FROM auth.filing",
            "SELECT * FROM auth.reading_window",
            "SELECT * FROM book.visit",
            "SELECT * FROM intake.message",
            "SELECT * FROM jobs.pgqueuer",
            "SELECT * FROM deploy.installed_operation",
            "SELECT auth.live_session($$x$$, NULL)",
            "SELECT auth.open_book($$x$$, NULL, NULL, $$x$$)",
            "SELECT auth.filing_citizens()",
            "SET ROLE auth_owner",
            "CREATE TEMP TABLE t (i int)",
        ):
            assert await tries.sqlstate_of(desk, statement) == tries.DENIED, statement
        await desk.execute("SET LOCAL row_security = off")
        assert await tries.sqlstate_of(desk, "SELECT * FROM auth.citizen") == tries.DENIED


@pytest.mark.usefixtures("people")
@pytest.mark.asyncio
async def test_the_owner_of_identity_sees_no_health_data(stand: Stand) -> None:
    async with tries.as_role(stand, "auth_owner") as owner:
        assert await tries.sqlstate_of(owner, "SELECT * FROM book.visit") == tries.DENIED


@pytest.mark.usefixtures("people")
@pytest.mark.asyncio
async def test_force_binds_the_owner_of_the_health_tables(stand: Stand) -> None:
    async with tries.as_role(stand, "book_owner") as owner:
        assert await owner.fetchval("SELECT count(*) FROM book.visit") == 0
        assert await tries.sqlstate_of(owner, "SELECT * FROM auth.citizen") == tries.DENIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What the door hands over after it has verified a system's assertion."""

    client: str = "01901"
    id: str
    expires_at: datetime
    token: str


def assertion(**changed: str) -> Assertion:
    soon = datetime.now(UTC) + timedelta(minutes=1)
    return Assertion(**{"id": new_secret(), "token": new_secret(), **changed}, expires_at=soon)


async def open_session(stand: Stand, one: Assertion) -> bool:
    call = "SELECT auth.open_client_session($1, $2, $3, $4, $5, interval '5 minutes')"
    async with tries.as_login(stand, Login.INGEST) as ingest:
        session_id = new_id(now=datetime.now(UTC))
        opened: bool = await ingest.fetchval(call, one.client, one.id, one.expires_at, session_id, one.token)
        return opened


@pytest.mark.usefixtures("people")
def test_b54_an_assertion_opens_one_session(stand: Stand) -> None:
    once = assertion()
    assert run(open_session, stand, once)
    assert not run(open_session, stand, assertion(id=once.id))
    assert run(open_session, stand, assertion())


@pytest.mark.usefixtures("people")
def test_b54_the_same_assertion_many_times_at_once_opens_one_session(stand: Stand) -> None:
    async def together() -> list[bool]:
        repeated = new_secret()
        return await asyncio.gather(*(open_session(stand, assertion(id=repeated)) for _ in range(8)))

    assert sorted(run(together)) == [False] * 7 + [True]


@pytest.mark.usefixtures("people")
def test_b167_a_suspended_facility_has_no_session(stand: Stand) -> None:
    token = stand.facility("01903", name="Bệnh viện bị đình chỉ")
    stand.as_owner("UPDATE directory.facility SET suspended_at = now() WHERE code = '01903'")

    async def tried() -> str:
        async with tries.as_login(stand, Login.INGEST) as ingest:
            assert await ingest.fetch("SELECT * FROM auth.client_keys('01903')") == []
            return await tries.sqlstate_of(ingest, "SELECT auth.calling_facility($1)", token)

    assert run(tried) == tries.NO_SESSION
    assert not run(open_session, stand, assertion(client="01903"))
    assert not run(open_session, stand, assertion(client="99999"))


@pytest.mark.asyncio
async def test_b167_a_facility_sees_its_own_messages_only(stand: Stand, people: People) -> None:
    stranger = await asyncio.to_thread(stand.facility, "01904", name="Bệnh viện lạ")
    kept = await asyncio.to_thread(stand.keep, message(OWNER, issued="20261122"), token=people.facility_token)
    receipt = "SELECT id FROM intake.receipt($1, $2)"
    receipts = "SELECT id FROM intake.receipts($1, '-infinity', $2, NULL, 100)"
    async with tries.as_login(stand, Login.INGEST) as ingest:
        assert await ingest.fetchval(receipt, people.facility_token, kept) == kept
        assert await ingest.fetchval(receipt, stranger, kept) is None
        assert kept in {row["id"] for row in await ingest.fetch(receipts, people.facility_token, UUID(int=0))}
        assert await ingest.fetch(receipts, stranger, UUID(int=0)) == []
        assert await tries.sqlstate_of(ingest, receipt, people.owner_token, kept) == tries.NO_SESSION
        assert await tries.sqlstate_of(ingest, "SELECT * FROM intake.message") == tries.DENIED
        assert await tries.sqlstate_of(ingest, "SELECT * FROM auth.session") == tries.DENIED
        assert await tries.sqlstate_of(ingest, "SELECT intake.take_message($1)", kept) == tries.DENIED
