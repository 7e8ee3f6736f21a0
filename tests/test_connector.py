"""A hospital's client against a server that speaks the real protocol over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from itertools import count
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from starlette.responses import HTMLResponse, JSONResponse

from app.connector import MOST_ATTEMPTS, ConnectorError, HospitalClient
from app.identity.jwt import Algorithm, new_private_key
from tests.receiving import Receiver, problem, serving
from tests.sockets import PATIENCE

FACILITY = "01901"
BODY = "<GIAMDINHHS>Nguyễn Văn Hòa</GIAMDINHHS>".encode()
START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@cache
def private_key(alg: Algorithm = "ES256") -> dict[str, str]:
    return new_private_key(alg=alg)


@dataclass(slots=True)
class Time:
    """A clock that moves only when somebody sleeps."""

    now: datetime = START
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def new_id() -> Callable[[], UUID]:
    numbers: Iterator[int] = count(1)
    return lambda: UUID(int=next(numbers))


@pytest_asyncio.fixture
async def receiver(time: Time) -> AsyncIterator[Receiver]:
    receiver = Receiver(clock=time)
    receiver.register(FACILITY, private_key())
    async with serving(receiver):
        yield receiver


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def client(receiver: Receiver, http: httpx.AsyncClient, time: Time, new_id: Callable[[], UUID]) -> HospitalClient:
    return HospitalClient(
        base_url=receiver.url,
        facility_code=FACILITY,
        key=private_key(),
        http=http,
        clock=time,
        new_id=new_id,
        sleep=time.sleep,
    )


@pytest.mark.asyncio
async def test_a_message_is_pushed_byte_for_byte(client: HospitalClient, receiver: Receiver) -> None:
    kept = await client.send(BODY)

    (push,) = receiver.pushes
    assert push.body == BODY
    assert push.facility_code == FACILITY
    assert push.headers["content-type"] == "application/xml"
    assert "idempotency-key" not in push.headers
    assert kept["status"] == "received"
    assert receiver.kept[kept["messageId"]] == BODY


@pytest.mark.asyncio
async def test_the_same_bytes_give_the_same_receipt(client: HospitalClient, receiver: Receiver) -> None:
    first, second = await client.send(BODY), await client.send(BODY)

    assert first["messageId"] == second["messageId"]
    assert len(receiver.kept) == 1


@pytest.mark.asyncio
async def test_the_idempotency_key_travels_with_the_message(client: HospitalClient, receiver: Receiver) -> None:
    await client.send(BODY, "HIS-2026-000123")

    assert receiver.pushes[0].headers["idempotency-key"] == "HIS-2026-000123"


@pytest.mark.asyncio
async def test_a_dry_run_gives_the_verdict_and_keeps_nothing(client: HospitalClient, receiver: Receiver) -> None:
    verdict = await client.send(BODY, dry_run=True)

    assert verdict["dryRun"] is True
    assert receiver.kept == {}


@pytest.mark.asyncio
async def test_rs256_is_admitted_too(
    receiver: Receiver, http: httpx.AsyncClient, time: Time, new_id: Callable[[], UUID]
) -> None:
    receiver.register("79001", private_key("RS256"))
    client = HospitalClient(
        base_url=f"{receiver.url}/",
        facility_code="79001",
        key=private_key("RS256"),
        http=http,
        clock=time,
        new_id=new_id,
    )

    await client.send(BODY)

    assert receiver.pushes[0].facility_code == "79001"


@pytest.mark.asyncio
async def test_one_token_serves_many_calls_even_at_once(client: HospitalClient, receiver: Receiver) -> None:
    await asyncio.gather(*(client.send(f"<A>{number}</A>".encode()) for number in range(12)))

    assert len(receiver.kept) == 12
    assert len(receiver.assertions) == 1


@pytest.mark.asyncio
async def test_a_token_is_renewed_before_it_ends(client: HospitalClient, receiver: Receiver, time: Time) -> None:
    await client.send(BODY)
    time.now += timedelta(seconds=269)
    await client.send(BODY)
    assert len(receiver.assertions) == 1

    time.now += timedelta(seconds=2)
    await client.send(BODY)

    assert len(receiver.assertions) == 2


@pytest.mark.asyncio
async def test_a_token_that_was_revoked_is_replaced_once(client: HospitalClient, receiver: Receiver) -> None:
    await client.send(BODY)
    receiver.revoke_tokens()

    await client.send(BODY)

    assert len(receiver.assertions) == 2
    assert len(receiver.pushes) == 2


@pytest.mark.asyncio
async def test_a_second_refusal_of_the_token_is_told(client: HospitalClient, receiver: Receiver) -> None:
    await client.send(BODY)
    receiver.planned.extend(
        [problem(401, "UNAUTHENTICATED"), JSONResponse({"access_token": "stale", "expires_in": 300})]
    )

    with pytest.raises(ConnectorError) as refused:
        await client.send(BODY)

    assert refused.value.status == 401
    assert len(receiver.pushes) == 1


@pytest.mark.asyncio
async def test_another_key_is_not_admitted(
    receiver: Receiver, http: httpx.AsyncClient, time: Time, new_id: Callable[[], UUID]
) -> None:
    client = HospitalClient(
        base_url=receiver.url,
        facility_code=FACILITY,
        key=private_key("RS256"),
        http=http,
        clock=time,
        new_id=new_id,
    )

    with pytest.raises(ConnectorError) as refused:
        await client.send(BODY)

    assert refused.value.status == 401
    assert refused.value.code == "invalid_client"
    assert "khóa" in refused.value.vi
    assert "key" in refused.value.en


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_given_the_time_that_it_asks_for(
    client: HospitalClient, receiver: Receiver, time: Time, status: int
) -> None:
    await client.send(BODY)
    receiver.planned.append(problem(status, "UNAVAILABLE", Retry_After="7"))

    await client.send(b"<B/>")

    assert time.slept == [7.0]
    assert receiver.pushes[-1].body == b"<B/>"


@pytest.mark.asyncio
async def test_retry_after_may_be_a_date(client: HospitalClient, receiver: Receiver, time: Time) -> None:
    await client.send(BODY)
    later = format_datetime(time.now + timedelta(seconds=12), usegmt=True)
    receiver.planned.append(problem(503, "UNAVAILABLE", Retry_After=later))

    await client.send(BODY)

    assert time.slept == [12.0]


@pytest.mark.asyncio
@pytest.mark.parametrize("asked", ["soon", "-3", "Thu, 99 Nov 2026 00:00:00 GMT"])
async def test_an_unreadable_retry_after_leaves_the_usual_pauses(
    client: HospitalClient, receiver: Receiver, time: Time, asked: str
) -> None:
    await client.send(BODY)
    receiver.planned.extend([problem(503, "UNAVAILABLE", Retry_After=asked) for _ in range(3)])

    await client.send(BODY)

    assert time.slept == [0.5, 1.0, 2.0]


@pytest.mark.asyncio
async def test_nobody_waits_an_hour_for_a_server(client: HospitalClient, receiver: Receiver, time: Time) -> None:
    await client.send(BODY)
    receiver.planned.append(problem(429, "RATE_LIMITED", Retry_After="3600"))

    await client.send(BODY)

    assert time.slept == [60.0]


@pytest.mark.asyncio
async def test_a_server_that_stays_busy_is_told(client: HospitalClient, receiver: Receiver, time: Time) -> None:
    await client.send(BODY)
    receiver.planned.extend([problem(503, "UNAVAILABLE") for _ in range(MOST_ATTEMPTS)])

    with pytest.raises(ConnectorError) as failed:
        await client.send(BODY)

    assert (failed.value.status, failed.value.code) == (503, "UNAVAILABLE")
    assert time.slept == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert not receiver.planned


@pytest.mark.asyncio
async def test_each_try_for_a_token_has_an_assertion_of_its_own(
    client: HospitalClient, receiver: Receiver, new_id: Callable[[], UUID]
) -> None:
    receiver.planned.extend([problem(503, "UNAVAILABLE"), problem(503, "UNAVAILABLE")])

    await client.send(BODY)

    assert receiver.assertions == [str(UUID(int=3))]
    assert new_id() == UUID(int=4)


@pytest.mark.asyncio
async def test_a_server_that_is_not_there_is_told_in_both_languages(
    http: httpx.AsyncClient, time: Time, new_id: Callable[[], UUID]
) -> None:
    client = HospitalClient(
        base_url="http://127.0.0.1:1",
        facility_code=FACILITY,
        key=private_key(),
        http=http,
        clock=time,
        new_id=new_id,
        sleep=time.sleep,
    )

    with pytest.raises(ConnectorError) as failed:
        await client.send(BODY)

    assert failed.value.status is None
    assert failed.value.vi == "Không kết nối được với máy chủ."
    assert str(failed.value) == failed.value.en == "The server cannot be reached."
    assert len(time.slept) == MOST_ATTEMPTS - 1


@pytest.mark.asyncio
async def test_a_refusal_is_told_in_the_servers_words_and_not_tried_again(
    client: HospitalClient, receiver: Receiver, time: Time
) -> None:
    await client.send(BODY)
    receiver.planned.append(problem(409, "CONFLICT"))

    with pytest.raises(ConnectorError) as refused:
        await client.send(BODY)

    assert (refused.value.status, refused.value.code) == (409, "CONFLICT")
    assert (refused.value.vi, refused.value.en) == ("Lỗi CONFLICT.", "Error CONFLICT.")
    assert time.slept == []


@pytest.mark.asyncio
async def test_an_answer_that_is_no_object_is_told(client: HospitalClient, receiver: Receiver) -> None:
    await client.send(BODY)
    receiver.planned.extend([HTMLResponse("<h1>Proxy</h1>"), JSONResponse(["filed"]), HTMLResponse("no", 500)])

    codes = []
    for _ in range(3):
        with pytest.raises(ConnectorError) as failed:
            await client.send(BODY)
        codes.append(failed.value.status)

    assert codes == [200, 200, 500]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "granted", [{"token_type": "Bearer"}, {"access_token": 7}, {"access_token": "a", "expires_in": "300"}]
)
async def test_a_grant_without_a_usable_token_is_told(
    client: HospitalClient, receiver: Receiver, granted: dict[str, object]
) -> None:
    receiver.planned.append(JSONResponse(granted))

    with pytest.raises(ConnectorError):
        await client.send(BODY)

    assert receiver.pushes == []


@pytest.mark.asyncio
async def test_no_error_repeats_what_the_message_holds(client: HospitalClient, receiver: Receiver) -> None:
    await client.send(BODY)
    receiver.planned.append(problem(413, "INVALID"))

    with pytest.raises(ConnectorError) as refused:
        await client.send(BODY)

    assert "Nguyễn" not in f"{refused.value!r} {refused.value} {refused.value.vi}"


@pytest.mark.asyncio
async def test_waiting_looks_more_and_more_rarely(client: HospitalClient, receiver: Receiver, time: Time) -> None:
    receiver.looks_until_filed = 12
    kept = await client.send(BODY)

    receipt = await client.wait(kept["messageId"])

    assert receipt["status"] == "filed"
    assert len(time.slept) == 12
    assert time.slept == sorted(time.slept)
    assert time.slept[-1] == 2.0


@pytest.mark.asyncio
async def test_waiting_ends_with_its_time(client: HospitalClient, receiver: Receiver, time: Time) -> None:
    receiver.looks_until_filed = 1000
    kept = await client.send(BODY)

    with pytest.raises(ConnectorError):
        await client.wait(UUID(kept["messageId"]), timeout_seconds=10)

    assert timedelta(seconds=10) <= time.now - START < timedelta(seconds=12.1)


@pytest.mark.asyncio
async def test_a_strange_message_is_not_found(client: HospitalClient) -> None:
    with pytest.raises(ConnectorError) as refused:
        await client.receipt(UUID(int=9))

    assert (refused.value.status, refused.value.code) == (404, "NOT_FOUND")
