"""Hundreds of live subscriptions of one process: each hears its own book, by one look for all."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.core.context import Context
from app.core.errors import AppError, RateLimited, Unavailable
from app.core.ids import new_id, new_secret
from app.gateway import sockets
from app.notifications import live
from tests.conftest import RunningServer
from tests.listening import EVENTS, PROTOCOL
from tests.people import Stand, now
from tests.sockets import PATIENCE

PEOPLE = 120
EACH = sockets.MOST_SUBSCRIPTIONS


def crowd(stand: Stand) -> dict[UUID, str]:
    """Return citizens with empty books, each with a token."""
    people = {new_id(now=now()): new_secret() for _ in range(PEOPLE)}
    stand.as_owner(
        "WITH person AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS text[])) AS p (id, token)), "
        "made AS (INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at) "
        "SELECT id, 'Người Nghe', 'NGUOI NGHE', '1990-01-01', 'DAY', 'FEMALE', now() FROM person RETURNING id), "
        "kept AS (INSERT INTO auth.book (citizen_id, changed_at) SELECT id, now() FROM made RETURNING citizen_id) "
        "INSERT INTO auth.session (id, token_hash, citizen_id, level, created_at, expires_at) "
        "SELECT uuidv7(), sha256(convert_to(token, 'UTF8')), id, 2, now(), now() + interval '1 hour' "
        "FROM person JOIN kept ON citizen_id = id",
        ids=list(people),
        tokens=list(people.values()),
    )
    return people


@asynccontextmanager
async def listener(url: str, token: str) -> AsyncIterator[ClientConnection]:
    """Open a connection with as many subscriptions as one may have."""
    async with connect(url, subprotocols=[PROTOCOL], open_timeout=PATIENCE, close_timeout=2) as one:
        await one.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        assert json.loads(await one.recv()) == {"type": "connection_ack"}
        for name in range(EACH):
            await one.send(json.dumps({"type": "subscribe", "id": str(name), "payload": {"query": EVENTS}}))
        yield one


async def until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.002)


async def heard(one: ClientConnection) -> set[tuple[str, str]]:
    """Return what all subscriptions of a connection hear once, as (kind, subject)."""
    async with asyncio.timeout(PATIENCE):
        said = [json.loads(await one.recv()) for _ in range(EACH)]
    assert Counter(each["id"] for each in said) == {str(name): 1 for name in range(EACH)}
    told = [each["payload"]["data"]["bookEvents"] for each in said]
    return {(each["kind"], each["subjectId"]) for each in told}


async def code_of(one: ClientConnection) -> int:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionClosed) as found:
            await one.recv()
    assert found.value.rcvd is not None
    return found.value.rcvd.code


def test_hundreds_listen_and_each_hears_its_own_by_one_look_for_all(
    server: RunningServer, stand: Stand, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Counter[str]()
    fetch = live.Ear._fetch

    async def counted(ear: live.Ear, query: str, *values: object) -> list[Any]:
        asked["heard" if "notice.heard" in query else "other"] += 1
        return await fetch(ear, query, *values)

    monkeypatch.setattr(live.Ear, "_fetch", counted)
    people = crowd(stand)
    rows = "SELECT count(*) AS n FROM auth.live_subscription"

    def happen(kind: str, ids: list[UUID]) -> None:
        stand.as_owner(
            "SELECT notice.happened(p, :kind, jsonb_build_object('grant', p)) FROM unnest(CAST(:ids AS uuid[])) p",
            kind=kind,
            ids=ids,
        )

    async def go() -> None:
        url = server.url.replace("http", "ws") + "/graphql"
        async with AsyncExitStack() as open_ones:
            ears = {
                citizen: await open_ones.enter_async_context(listener(url, token)) for citizen, token in people.items()
            }
            await until(lambda: stand.as_owner(rows)[0].n == PEOPLE * EACH)

            asked.clear()
            begun = time.monotonic()
            for _ in range(20):
                body = await asyncio.to_thread(http.post, "/graphql", **question(people))
                assert body.json()["data"]["me"]["id"]
            await asyncio.sleep(max(0.0, begun + 2 - time.monotonic()))
            await until(lambda: asked["heard"] > 0)
            most = (time.monotonic() - begun) / live.LOOK_EVERY.total_seconds() + 1
            assert asked["heard"] <= most
            assert asked["other"] == 0

            await asyncio.to_thread(happen, "BOOK_OPENED", list(people))
            for citizen, one in ears.items():
                assert await heard(one) == {("OPENED", str(citizen))}

            gone, staying = list(people)[: PEOPLE // 2], list(people)[PEOPLE // 2 :]
            end = "UPDATE auth.session SET ended_at = clock_timestamp() WHERE citizen_id = ANY (:ids)"
            await asyncio.to_thread(stand.as_owner, end, ids=gone)
            await asyncio.to_thread(happen, "GRANT_ENDED", list(people))
            assert {await code_of(ears[one]) for one in gone} == {sockets.NOBODY}
            for citizen in staying:
                assert await heard(ears[citizen]) == {("GRANT_CHANGED", str(citizen))}
            await until(lambda: stand.as_owner(rows)[0].n == len(staying) * EACH)

    asyncio.run(go())


def question(people: dict[UUID, str]) -> dict[str, Any]:
    token = next(iter(people.values()))
    return {"json": {"query": "{ me { id } }"}, "headers": {"Authorization": f"Bearer {token}"}}


class Broken:
    """A pool that answers, and does not, as it is told."""

    def __init__(self) -> None:
        self.is_down = False
        self.rows: list[dict[str, Any]] = []
        self.looks = 0

    async def fetch(self, query: str, *_values: object) -> list[dict[str, Any]]:
        if "notice.listen" in query:
            return [{"event": new_id(now=now()), "version": 1, "seen": []}]
        self.looks += 1
        if self.is_down:
            raise ConnectionRefusedError
        found, self.rows = self.rows, []
        return found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY", live.LOOK_EVERY / 100)


class Asker:
    """What listening needs of a context."""

    token, proof_key = "x", None

    def new_id(self) -> UUID:
        return new_id(now=now())


async def begun(pool: Broken) -> live.Listening:
    ear = live.Ear(pool)  # type: ignore[arg-type]  # what an ear needs of a pool
    context: Context = Asker()  # type: ignore[assignment]
    return await ear.listen(context, citizen_id=None, grant_id=None, after=None)


async def end_of(listening: live.Listening) -> Exception:
    with pytest.raises(AppError) as found:
        async for _ in listening.hear():
            pass
    return found.value


@pytest.mark.usefixtures("quick")
def test_a_database_that_is_away_for_a_moment_ends_nothing_and_one_that_stays_away_ends_all() -> None:
    async def go() -> None:
        pool = Broken()
        listening = await begun(pool)
        pool.is_down = True
        await until(lambda: pool.looks >= live.PATIENCE // 2)
        pool.rows, pool.is_down = [event_of(listening)], False
        async with asyncio.timeout(PATIENCE):
            assert (await anext(listening.hear())).kind == "OPENED"
        pool.is_down = True
        async with asyncio.timeout(PATIENCE):
            assert isinstance(await end_of(listening), Unavailable)

    asyncio.run(go())


@pytest.mark.usefixtures("quick")
def test_who_does_not_take_what_is_told_is_cut_off() -> None:
    async def go() -> None:
        pool = Broken()
        listening = await begun(pool)
        for _ in range(live.MOST_WAITING // 50 + 1):
            pool.rows = [event_of(listening) for _ in range(50)]
            await until(lambda: not pool.rows)
        async with asyncio.timeout(PATIENCE):
            assert isinstance(await end_of(listening), RateLimited)

    asyncio.run(go())


def event_of(listening: live.Listening) -> dict[str, Any]:
    row = {"kind": "OPENED", "subject": None, "at": now(), "event": new_id(now=now()), "version": None}
    return {"subscription": listening.id, **row}
