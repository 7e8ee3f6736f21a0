"""The push service's stand-in can be read, and a phone of the demo shows what arrives."""

import asyncio
import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.crypto import open_vault
from app.core.db import Login, open_engine
from app.core.settings import Settings
from app.demo.handset import Handset, Rung
from app.demo.provider.app import build_provider
from app.demo.provider.desk import Desk, Registration
from app.demo.push_service import PROJECT, PushFault, PushService, build_push_service, write_account
from app.notifications import pushing, telling
from app.notifications.fcm import Message, Outcome, open_pusher
from app.notifications.messages import Words
from tests.ingestion import messages
from tests.notifications.pushing import Service, push_service
from tests.people import Stand
from tests.sockets import PATIENCE

NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)  # 12:00 in Viet Nam
NIGHT = datetime(2026, 11, 23, 16, tzinfo=UTC)


def one(address: str = "phone") -> Message:
    return Message(
        target_id=uuid4(),
        kind="FID",
        address=address,
        words=Words(title="Sổ Khỏe", text="<b>Có tin</b>"),
        notice_id=UUID(int=7),
        thread="SECURITY:1",
        urgent=False,
        until=datetime(2036, 1, 1, tzinfo=UTC),
        worth=timedelta(hours=1),
    )


def send(secrets: Path, service: Service, *messages: Message) -> list[Outcome]:
    async def go() -> list[Outcome]:
        async with open_pusher(secrets, url=service.send_url, call_seconds=PATIENCE) as pusher:
            return [found.outcome for found in await pusher.send(messages)]

    return asyncio.run(go())


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with push_service() as running:
        running.write_credentials(tmp_path)
        yield running


def test_what_arrived_is_listed_and_shown(service: Service, tmp_path: Path) -> None:
    assert send(tmp_path, service, one("a")) + send(tmp_path, service, one("b")) == [Outcome.SENT] * 2

    listed = httpx.get(f"{service.url}/messages", timeout=PATIENCE).json()
    page = httpx.get(f"{service.url}/", timeout=PATIENCE).text

    assert [(entry["n"], entry["message"]["fid"]) for entry in listed] == [(1, "a"), (2, "b")]
    assert datetime.fromisoformat(listed[0]["at"]).tzinfo is not None
    assert httpx.get(f"{service.url}/messages", params={"after": "1"}, timeout=PATIENCE).json() == listed[1:]
    assert httpx.get(f"{service.url}/messages", params={"after": "x"}, timeout=PATIENCE).status_code == 400
    assert "&lt;b&gt;Có tin&lt;/b&gt;" in page
    assert "<b>Có tin" not in page


def test_a_key_file_is_the_workers_alone_and_one_that_is_replaced_counts_at_once(
    service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "fcm.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o400

    async def go() -> list[Outcome]:
        found = []
        async with open_pusher(tmp_path, url=service.send_url, call_seconds=PATIENCE) as pusher:
            for key in (PushService().key, service.state.key):
                write_account(PushService(key=key), file=file, url=service.url)
                found += [result.outcome for result in await pusher.send([one()])]
            file.unlink()
            assert not pusher.is_ready
            found += [result.outcome for result in await pusher.send([one()])]
        return found

    assert asyncio.run(go()) == [Outcome.WAITING, Outcome.SENT, Outcome.WAITING]


def test_a_busy_service_does_not_use_up_the_connections(service: Service, tmp_path: Path) -> None:
    service.state.faults["*"] = [PushFault.UNAVAILABLE] * 250

    async def go() -> list[Outcome]:
        async with open_pusher(tmp_path, url=service.send_url, call_seconds=PATIENCE) as pusher:
            await pusher.send([one() for _ in range(150)])
            service.state.faults.clear()
            return [result.outcome for result in await pusher.send([one() for _ in range(50)])]

    assert asyncio.run(go()) == [Outcome.SENT] * 50
    assert service.state.injected[PushFault.UNAVAILABLE] > 100


def test_it_stands_beside_the_identity_provider() -> None:
    desk = Desk(
        issuer="http://127.0.0.1:1", registration=Registration.of_server("http://127.0.0.1:2"), clock=lambda: NOON
    )

    async def ask(path: str, *, push: bool) -> httpx.Response:
        app = build_provider(desk, push=build_push_service(PushService()) if push else None)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:1") as client:
            return await client.get(path, follow_redirects=True)

    assert asyncio.run(ask("/push", push=True)).status_code == 200
    assert asyncio.run(ask("/push/messages", push=True)).json() == []
    assert asyncio.run(ask("/.well-known/openid-configuration", push=True)).json()["issuer"] == desk.issuer
    assert asyncio.run(ask("/push/messages", push=False)).status_code == 404
    assert asyncio.run(ask(f"/push/v1/projects/{PROJECT}/messages:send", push=True)).status_code == 405


def test_a_phone_of_the_demo_shows_what_is_locked_and_what_is_behind(
    http: httpx.Client, stand: Stand, service: Service, tmp_path: Path
) -> None:
    assert stand.file(messages.message(), token=stand.facility("01901")) == "filed"
    owner = stand.citizen_by(messages.VISIT["SO_CCCD"] or "")

    async def listen() -> list[Rung]:
        async with httpx.AsyncClient(base_url=http.base_url, timeout=PATIENCE) as client:
            phone = Handset(name="mine", token=stand_token, http=client, push_url=service.url, new_key=str(uuid4()))
            await phone.register()
            assert await phone.waits(now=NIGHT)
            assert not await phone.waits(now=NOON)
            await phone.wake()
            assert not await phone.waits(now=NIGHT)
            await asyncio.to_thread(happen)
            found = [rung async for rung in phone.ring()]
            assert [rung async for rung in phone.ring()] == []
            return found

    def happen() -> None:
        stand.as_owner("SELECT notice.happened(:id, 'DEVICE_ADDED', '{\"device\": \"1\"}')", id=owner)
        (event,) = stand.as_owner(
            "SELECT id FROM notice.event WHERE kind = 'DEVICE_ADDED' AND citizen_id = :id", id=owner
        )
        stand.run(Login.WORKER, partial(telling.tell, event_ids=[event.id], now=datetime.now(UTC)))
        asyncio.run(ring(stand.settings))

    async def ring(settings: Settings) -> None:
        engine = open_engine(settings, Login.WORKER, size=1)
        async with open_pusher(tmp_path, url=service.send_url, call_seconds=PATIENCE) as pusher:
            reached = await pushing.take(engine=engine, most=10)
            await pushing.send(reached, engine=engine, vault=open_vault(settings.secrets_dir), pusher=pusher)
        await engine.dispose()

    stand_token = stand.citizen_token(owner)
    (rung,) = asyncio.run(listen())

    assert rung.locked == "Có thông báo bảo mật về tài khoản của bạn."
    assert rung.title == "Thiết bị mới đăng nhập"
    assert json.dumps(service.state.taken).count("Thi") == 0
