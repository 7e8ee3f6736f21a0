"""T3: a thousand requests of fifty people over a pool of two, cancelled, timed out and failing at random."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field

import asyncpg
import pytest

from app.core import logins
from app.core.clock import utc_now
from app.core.context import Context, House, open_house
from app.core.errors import AppError, Unauthenticated, Unavailable
from app.core.lanes import Lane
from app.core.settings import Settings
from app.gateway import plans
from app.gateway.endpoint import _prepared
from app.gateway.run import run
from app.gateway.trusted import trusted_operations
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.conftest import Ground, RunningServer
from tests.people import Stand

REQUESTS = 1000
AT_ONCE = 24
MOST_SECONDS = 60
CROWD = tuple(Member(number=300 + number) for number in range(50))
ONE_VISIT = "{ healthBook { owner { fullName } visits { nodes { reason } } } }"
MIXED = "{ me { fullName } healthBook { visits { nodes { reason } } } }"


@dataclass(frozen=True, slots=True)
class Reader:
    """One person, and their token."""

    member: Member
    token: str


@dataclass(slots=True)
class Watch:
    """What was seen at check-in, and what became of the requests."""

    left: list[tuple[str | None, ...]] = field(default_factory=list)
    check_ins: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def judge(self, reader: Reader, body: bytes) -> None:
        """Tell whether an answer is its asker's: their mark or name stands in it, and no other's."""
        told = [other.number for other in CROWD if other.told.encode() in body]
        named = [other.number for other in CROWD if json.dumps(other.name, ensure_ascii=False).encode() in body]
        if set(told + named) == {reader.member.number}:
            self.outcomes["answered"] += 1
        else:
            self.wrong.append(f"{reader.member.number} was shown {told}, {named}")


@pytest.fixture(scope="module")
def crowd(stand: Stand) -> tuple[Reader, ...]:
    assert stand.file(message(*CROWD), token=stand.facility()) == "filed"
    ids = {row.full_name: row.id for row in stand.as_owner("SELECT id, full_name FROM auth.citizen")}
    assert len({member.name for member in CROWD}) == len(CROWD) == len(ids)
    return tuple(Reader(member, stand.citizen_token(ids[member.name])) for member in CROWD)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Look at the settings of a decision whenever a connection goes back into a pool, or is used again from hand."""
    seen = Watch()
    names = ", ".join(
        f"current_setting('{name}', true)"
        for name in (*(f"book.{name}" for name in tries.SETTINGS), "desk.token", "desk.proof_key")
    )

    async def check_in(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        assert not connection.is_in_transaction()
        found = await connection.fetchrow(f"SELECT {names}")
        assert found is not None
        seen.check_ins += 1
        if any(found.values()):
            seen.left.append(tuple(found.values()))

    take = Lane._take

    async def looked_at(lane: Lane) -> "asyncpg.Connection[asyncpg.Record]":
        connection = await take(lane)
        try:
            await check_in(connection)
        except BaseException:
            await lane._give_back(connection)
            raise
        return connection

    monkeypatch.setattr(logins, "_keep_as_it_is", check_in)
    monkeypatch.setattr(Lane, "_take", looked_at)
    return seen


def operations() -> list[plans.Operation]:
    """Return trusted operations, which run as `api`, and plain ones, which run as `demo` and `desk`."""
    trusted = [one for one in trusted_operations().values() if one.name in {"Home", "Visits"}]
    plain = [_prepared(query, None).operation for query in (ONE_VISIT, MIXED)]
    return [*map(plans.compile_trusted, trusted), *(one for one in plain if one is not None)]


async def ask(house: House, reader: Reader, chance: random.Random, asked: list[plans.Operation], watch: Watch) -> None:
    """Send one request, and perhaps spoil it."""
    operation = chance.choice(asked)
    context = Context(house=house, token=reader.token, proof=None, language="vi", now=utc_now(), request_id="t")
    spoil = chance.choice(("no", "no", "cancel", "cancel", "time out", "dead token", "bad variable", "unknown"))
    variables: dict[str, object] = {"first": 0} if spoil == "bad variable" and operation.name == "Visits" else {}
    if spoil == "dead token":
        context = Context(house=house, token="x" * 43, proof=None, language="vi", now=utc_now(), request_id="t")
    if_none_match = '"1.o.x"' if spoil == "unknown" else None
    task = asyncio.create_task(run(operation, variables=variables, context=context, if_none_match=if_none_match))
    try:
        if spoil == "cancel":
            await asyncio.sleep(chance.random() * 0.02)
            task.cancel()
        async with asyncio.timeout(chance.random() * 0.02 if spoil == "time out" else None):
            answer = await task
        assert answer.body is not None
        watch.judge(reader, answer.body)
    except asyncio.CancelledError:
        watch.outcomes["cancelled"] += 1
    except TimeoutError:
        watch.outcomes["timed out"] += 1
    except Unauthenticated:
        watch.outcomes["unauthenticated"] += 1
        assert spoil == "dead token"
    except Unavailable:
        watch.outcomes["unavailable"] += 1
    except AppError:
        watch.outcomes["refused"] += 1
        assert spoil == "bad variable"


async def break_statements(ground: Ground, settings: Settings, stop: asyncio.Event) -> None:
    """Let statements of the pools' logins fail now and then."""
    async with tries.as_superuser(ground, settings) as superuser:
        while not stop.is_set():
            await superuser.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND usename IN ('api', 'demo', 'desk') AND state = 'active' ORDER BY random() LIMIT 1"
            )
            await asyncio.sleep(0.005)


@pytest.mark.asyncio
async def test_t3_directly_every_answer_is_its_askers_and_nothing_is_left(
    ground: Ground, settings: Settings, crowd: tuple[Reader, ...], watch: Watch
) -> None:
    chance = random.Random(20261122)
    small = settings.model_copy(update={"api_pool_size": 2, "desk_pool_size": 2})
    asked = operations()
    gate = asyncio.Semaphore(AT_ONCE)
    stop = asyncio.Event()

    async def one(house: House) -> None:
        async with gate:
            await ask(house, chance.choice(crowd), chance, asked, watch)

    async with asyncio.timeout(MOST_SECONDS), open_house(small, clock=utc_now) as house:
        trouble = asyncio.create_task(break_statements(ground, settings, stop))
        async with asyncio.TaskGroup() as group:
            for _ in range(REQUESTS):
                group.create_task(one(house))
        stop.set()
        await trouble
    assert watch.wrong == []
    assert watch.left == []
    assert watch.outcomes.total() == REQUESTS
    assert watch.check_ins > REQUESTS / 2
    assert watch.outcomes["answered"] > REQUESTS / 4, watch.outcomes
    assert watch.outcomes["cancelled"] > REQUESTS / 20, watch.outcomes
    assert watch.outcomes["unauthenticated"] > REQUESTS / 20, watch.outcomes


async def post(url: str, *, token: str, body: dict[str, object]) -> tuple[int, bytes]:
    """Send one request on a connection of its own, which a cancelled call closes: the client hangs up."""
    host, _, port = url.removeprefix("http://").partition(":")
    content = json.dumps(body).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(head.encode() + content)
        answer = await reader.read()
    finally:
        writer.close()
    status, _, rest = answer.partition(b"\r\n")
    return int(status.split()[1]), rest.partition(b"\r\n\r\n")[2]


@pytest.mark.asyncio
async def test_t3_over_http_every_answer_is_its_askers_and_nothing_is_left(
    settings: Settings, crowd: tuple[Reader, ...], watch: Watch
) -> None:
    chance = random.Random(11222026)
    running = RunningServer(settings.model_copy(update={"api_pool_size": 2, "desk_pool_size": 2}))
    await asyncio.to_thread(running.start)
    visits = next(one.id for one in trusted_operations().values() if one.name == "Visits")
    bodies: tuple[dict[str, object], ...] = ({"documentId": visits}, {"query": ONE_VISIT}, {"query": MIXED})
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        reader, body = chance.choice(crowd), chance.choice(bodies)
        patience = chance.choice((None, None, chance.random() * 0.03))
        async with gate:
            try:
                async with asyncio.timeout(patience):
                    status, content = await post(running.url, token=reader.token, body=body)
            except TimeoutError:
                watch.outcomes["hung up"] += 1
                return
        assert status == 200
        watch.judge(reader, content)

    try:
        async with asyncio.timeout(MOST_SECONDS), asyncio.TaskGroup() as group:
            for _ in range(REQUESTS):
                group.create_task(one())
    finally:
        await asyncio.to_thread(running.stop)
    assert watch.wrong == []
    assert watch.left == []
    assert watch.outcomes.total() == REQUESTS
    assert watch.check_ins > REQUESTS / 4
    assert watch.outcomes["answered"] > REQUESTS / 4, watch.outcomes
    assert watch.outcomes["hung up"] > REQUESTS / 20, watch.outcomes
