"""The only key: whom open_book lets in, and what its answer says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from app.core.db import Login
from app.sharing.scope import EVERY_SECTION
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.attacks.tries import run
from tests.people import Stand

OWNER, OTHER = Member(number=11), Member(number=12)
KEY, OTHER_KEY = b"\x01" * 32, b"\x02" * 32
OPEN = "SELECT citizen_id, sections, etag FROM auth.open_book($1, $2, $3, 'test')"


@dataclass(frozen=True, slots=True)
class Books:
    owner: UUID
    other: UUID
    sender: str


@pytest.fixture(scope="module")
def books(stand: Stand) -> Books:
    sender = stand.facility()
    assert stand.file(message(OWNER, OTHER), token=sender) == "filed"
    return Books(stand.citizen_by(OWNER.personal_id), stand.citizen_by(OTHER.personal_id), sender)


@pytest.fixture(scope="module")
def owner(books: Books) -> UUID:
    return books.owner


@pytest.fixture
def fresh_token(stand: Stand, owner: UUID) -> str:
    return stand.citizen_token(owner)


def change_session(stand: Stand, token: str, change: str, **values: object) -> None:
    stand.as_owner(
        f"UPDATE auth.session SET {change} WHERE token_hash = sha256(convert_to(:token, 'UTF8'))",
        token=token,
        **values,
    )


async def opened(
    stand: Stand, token: str | None, *, target: UUID | None = None, key: bytes | None = None
) -> asyncpg.Record | str:
    """Open a book as the owner of operations does; the row, or the SQLSTATE."""
    async with tries.as_role(stand, "book_reader") as reader:
        try:
            row = await reader.fetchrow(OPEN, token, key, target)
        except asyncpg.PostgresError as error:
            return str(error.sqlstate)
        assert row is not None
        return row


@pytest.fixture
def bound_token(stand: Stand, owner: UUID) -> str:
    token = stand.citizen_token(owner)
    change_session(stand, token, "key_thumbprint = :key", key=KEY)
    return token


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.asyncio
async def test_the_owner_sees_every_section_of_their_book(
    stand: Stand, owner: UUID, fresh_token: str, *, named: bool
) -> None:
    row = await opened(stand, fresh_token, target=owner if named else None)
    assert not isinstance(row, str)
    assert (row["citizen_id"], row["sections"]) == (owner, EVERY_SECTION)


@pytest.mark.asyncio
async def test_t1_another_persons_book_is_no_such_book(stand: Stand, books: Books, fresh_token: str) -> None:
    assert await opened(stand, fresh_token, target=books.other) == tries.NO_SUCH_BOOK
    assert await opened(stand, fresh_token, target=UUID(int=7)) == tries.NO_SUCH_BOOK


BAD_SESSIONS: dict[str, Callable[[Stand, UUID], str | None]] = {
    "none": lambda _stand, _owner: None,
    "empty": lambda _stand, _owner: "",
    "unknown": lambda _stand, _owner: "x" * 43,
    "expired": lambda stand, owner: stand.citizen_token(owner, life=timedelta(seconds=-1)),
    "facility": lambda stand, _owner: stand.facility("01902", name="Bệnh viện khác"),
}


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in BAD_SESSIONS.items()])
def test_b126_a_token_that_is_not_a_persons_live_session_opens_nothing(
    stand: Stand, owner: UUID, make: Callable[[Stand, UUID], str | None]
) -> None:
    token = make(stand, owner)
    for target in (None, owner):
        assert run(opened, stand, token, target=target) == tries.NO_SESSION


def test_b126_an_ended_session_opens_nothing(stand: Stand, fresh_token: str) -> None:
    assert not isinstance(run(opened, stand, fresh_token), str)
    change_session(stand, fresh_token, "ended_at = now()")
    assert run(opened, stand, fresh_token) == tries.NO_SESSION


def test_b126_the_hash_of_a_token_is_no_token(stand: Stand, fresh_token: str) -> None:
    kept = stand.as_owner(
        "SELECT encode(token_hash, 'hex') AS hash FROM auth.session WHERE token_hash = "
        "sha256(convert_to(:token, 'UTF8'))",
        token=fresh_token,
    )
    assert run(opened, stand, kept[0].hash) == tries.NO_SESSION
    assert run(opened, stand, "\\x" + kept[0].hash) == tries.NO_SESSION


@pytest.mark.parametrize(("key", "opens"), [(KEY, True), (None, False), (OTHER_KEY, False), (b"", False)])
def test_b60_a_bound_session_needs_its_key(stand: Stand, bound_token: str, key: bytes | None, *, opens: bool) -> None:
    outcome = run(opened, stand, bound_token, key=key)
    assert (outcome != tries.NO_SESSION) is opens


def test_b60_a_session_without_a_key_is_not_opened_with_one(stand: Stand, fresh_token: str) -> None:
    assert run(opened, stand, fresh_token, key=KEY) == tries.NO_SESSION


@pytest.mark.asyncio
async def test_who_knows_the_book_as_it_is_opens_nothing(stand: Stand, books: Books, fresh_token: str) -> None:
    """The known ETag stands for this viewer's own book alone, and only while their session lives."""
    knowing = OPEN.replace("'test'", "'test', $4")
    row = await opened(stand, fresh_token)
    assert not isinstance(row, str)
    known = row["etag"]
    async with tries.as_role(stand, "book_reader") as reader, reader.transaction():
        told = await reader.fetchrow(knowing, fresh_token, None, None, known)
        assert tuple(told or ()) == (books.owner, None, known)
        with pytest.raises(asyncpg.PostgresError) as none_is_open:
            async with reader.transaction():
                await reader.fetchrow("SELECT FROM book.visit")
        assert none_is_open.value.sqlstate == "28000"
        opening = await reader.fetchrow(knowing, fresh_token, None, None, "f" * 24)
        assert tuple(opening or ()) == (books.owner, EVERY_SECTION, known)
    async with tries.as_role(stand, "book_reader") as reader:
        for token, target, refusal in (
            ("x" * 43, None, tries.NO_SESSION),
            (fresh_token, books.other, tries.NO_SUCH_BOOK),
        ):
            with pytest.raises(asyncpg.PostgresError) as refused:
                await reader.fetchrow(knowing, token, None, target, known)
            assert refused.value.sqlstate == refusal


def test_the_etag_changes_with_the_book_and_is_of_one_viewer(stand: Stand, books: Books) -> None:
    mine, theirs = stand.citizen_token(books.owner), stand.citizen_token(books.other)

    def etag(token: str) -> str:
        row = run(opened, stand, token)
        assert not isinstance(row, str)
        return str(row["etag"])

    before = etag(mine)
    assert before == etag(mine)
    assert before == etag(stand.citizen_token(books.owner))
    assert len(stand.as_owner("SELECT DISTINCT version FROM auth.book")) == 1
    assert before != etag(theirs)  # the books' versions are equal: a shared phone must not show the one for the other
    changed = Member(number=11, fields={"LY_DO_VV": "Tái khám"})
    assert stand.file(message(changed, issued="20261121"), token=books.sender) == "filed"
    assert before != etag(mine)


@pytest.mark.asyncio
async def test_the_decision_is_written_where_the_policies_read_it(stand: Stand, owner: UUID, fresh_token: str) -> None:
    async with tries.as_role(stand, "book_reader") as reader, reader.transaction():
        await reader.fetch(OPEN, fresh_token, None, None)
        written = {name: await reader.fetchval(f"SELECT current_setting('book.{name}')") for name in tries.SETTINGS}
        opened_at = await reader.fetchval("SELECT now()::text")
    assert written == {**tries.FORGED, "opened": opened_at, "citizen": str(owner), "sections": str(EVERY_SECTION)}


def test_no_login_but_the_operations_owner_may_open(stand: Stand, fresh_token: str) -> None:
    async def tried(login: Login) -> str:
        async with tries.as_login(stand, login) as connection:
            return await tries.sqlstate_of(connection, OPEN, fresh_token, None, None)

    for login in Login:
        assert run(tried, login) == tries.DENIED
