"""The demo's messages are pushed by their own hospitals, a few at once, and followed to their end."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from app.connector import ConnectorError, HospitalClient
from app.demo import load as loading
from app.demo.load import CONCURRENCY, demo_messages, load
from app.demo.people import FACILITIES, citizens
from app.identity.jwt import new_private_key
from tests.demo.year import TODAY
from tests.receiving import Receiver, problem, serving
from tests.sockets import PATIENCE

KEYS = {facility.code: new_private_key(alg="ES256") for facility in FACILITIES}
CITIZENS = 5
Clients = Callable[[str], HospitalClient]


def clock() -> datetime:
    return datetime.now(UTC)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver(clock=clock)
    for code, key in KEYS.items():
        receiver.register(code, key)
    async with serving(receiver):
        yield receiver


@pytest_asyncio.fixture
async def client_for(receiver: Receiver) -> AsyncIterator[Clients]:
    numbers: Iterator[int] = count(1)
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        clients = {
            code: HospitalClient(
                base_url=receiver.url,
                facility_code=code,
                key=key,
                http=http,
                clock=clock,
                new_id=lambda: UUID(int=next(numbers)),
            )
            for code, key in KEYS.items()
        }
        yield lambda code: clients[code]


def unseen(_done: int, _total: int) -> None:
    """Show no progress."""


@pytest.mark.asyncio
async def test_every_message_is_pushed_by_its_own_hospital(receiver: Receiver, client_for: Clients) -> None:
    expected = demo_messages(citizens(CITIZENS), today=TODAY)

    report = await load(client_for, citizens=CITIZENS, today=TODAY, progress=unseen)

    assert sorted((push.facility_code, push.body) for push in receiver.pushes) == sorted(
        (message.facility_code, message.body) for message in expected
    )
    assert (report.messages, report.filed) == (len(expected), len(expected))
    assert report.visits == sum(len(message.visit_ids) for message in expected)
    assert (report.partly, report.quarantined, report.rejected, report.problems) == (0, 0, 0, ())


@pytest.mark.asyncio
async def test_a_few_are_pushed_at_once(receiver: Receiver, client_for: Clients) -> None:
    await load(client_for, citizens=CITIZENS, today=TODAY, progress=unseen)

    assert 2 <= receiver.most_at_once <= CONCURRENCY


@pytest.mark.asyncio
async def test_a_second_run_adds_nothing(receiver: Receiver, client_for: Clients) -> None:
    first = await load(client_for, citizens=CITIZENS, today=TODAY, progress=unseen)
    kept = dict(receiver.kept)

    second = await load(client_for, citizens=CITIZENS, today=TODAY, progress=unseen)

    assert receiver.kept == kept
    assert second == first


@pytest.mark.asyncio
async def test_it_waits_until_every_message_is_concluded(receiver: Receiver, client_for: Clients) -> None:
    receiver.looks_until_filed = 2
    steps: list[tuple[int, int]] = []

    report = await load(client_for, citizens=4, today=TODAY, progress=lambda done, total: steps.append((done, total)))

    assert report.filed == report.messages == len(receiver.kept)
    assert steps == [(done, report.messages) for done in range(1, report.messages + 1)]


@pytest.mark.asyncio
async def test_progress_ends_at_the_whole_over_several_chunks(
    client_for: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "CHUNK", 2)
    steps: list[tuple[int, int]] = []

    report = await load(
        client_for, citizens=CITIZENS, today=TODAY, progress=lambda done, total: steps.append((done, total))
    )

    assert steps[-1] == (report.messages, report.messages)
    assert [done for done, _ in steps] == list(range(1, report.messages + 1))
    assert all(done <= total for done, total in steps)


@pytest.mark.asyncio
async def test_what_receipts_complain_about_is_reported_and_notes_are_not(
    receiver: Receiver, client_for: Clients
) -> None:
    remarks = [
        {
            "code": "IDENTIFIER_NONE",
            "effect": "QUARANTINES",
            "vi": "Thiếu định danh.",
            "en": "No identifier.",
        },
        {"code": "TABLE_KEPT_NOT_SHOWN", "effect": "NOTES", "vi": "Đã giữ bảng.", "en": "Table kept."},
    ]
    spoiled = demo_messages(citizens(CITIZENS), today=TODAY)[3]
    receiver.verdicts[spoiled.body] = {
        "status": "quarantined",
        "visits": [{"visit": spoiled.visit_ids[0], "status": "quarantined", "problems": remarks}],
        "problems": [],
    }

    report = await load(client_for, citizens=CITIZENS, today=TODAY, progress=unseen)

    assert report.quarantined == 1
    assert report.filed == report.messages - 1
    (found,) = report.problems
    assert (found.facility_code, found.code) == (spoiled.facility_code, "IDENTIFIER_NONE")
    assert (found.vi, found.en) == ("Thiếu định danh.", "No identifier.")
    assert receiver.kept[str(found.message_id)] == spoiled.body


@pytest.mark.asyncio
async def test_a_call_that_fails_for_good_is_told_as_it_is(receiver: Receiver, client_for: Clients) -> None:
    receiver.keys.clear()

    with pytest.raises(ConnectorError) as refused:
        await load(client_for, citizens=CITIZENS, today=TODAY, progress=unseen)

    assert refused.value.status == 401
    assert receiver.pushes == []


@pytest.mark.asyncio
async def test_a_server_that_is_busy_for_a_moment_loses_nothing(receiver: Receiver, client_for: Clients) -> None:
    receiver.planned.extend([problem(503, "UNAVAILABLE", Retry_After="0") for _ in range(5)])

    report = await load(client_for, citizens=CITIZENS, today=TODAY, progress=unseen)

    assert report.filed == report.messages == len(receiver.kept)
