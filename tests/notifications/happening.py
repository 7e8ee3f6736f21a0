"""What tests of notices let happen, and how they look at what was told."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.core.crypto import open_vault
from app.core.db import Login, open_engine
from app.notifications import pushing, sql, telling
from app.notifications.fcm import open_pusher
from tests.notifications.pushing import Service
from tests.people import Stand
from tests.sockets import PATIENCE

REGISTER = "mutation R($input: RegisterDeviceInput!) { registerDevice(input: $input) { device { id platform } } }"


NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)  # 12:00 in Viet Nam


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def graphql(http: httpx.Client, token: str, query: str, **variables: Any) -> dict[str, Any]:
    answer = http.post("/graphql", json={"query": query, "variables": variables}, headers=bearer(token))
    found: dict[str, Any] = answer.json()
    return found


def register(http: httpx.Client, token: str, **address: str) -> str:
    asked = {"idempotencyKey": str(uuid4()), "platform": "android", **address}
    found: str = graphql(http, token, REGISTER, input=asked)["data"]["registerDevice"]["device"]["id"]
    return found


def happen(stand: Stand, citizen: UUID, kind: str = "DEVICE_ADDED", **about: str) -> UUID:
    """Let something happen, and return the event."""
    stand.as_owner(
        "SELECT notice.happened(:citizen, :kind, CAST(:about AS jsonb))",
        citizen=citizen,
        kind=kind,
        about=json.dumps(about),
    )
    found: UUID = stand.as_owner("SELECT id FROM notice.event ORDER BY id DESC LIMIT 1")[0].id
    return found


def appointment(
    stand: Stand, citizen: UUID, *, starts_at: datetime, booked_at: datetime | None = None, sensitive: bool = False
) -> UUID:
    """Put an appointment that a paper tells."""
    booked = booked_at or starts_at - timedelta(days=30)
    rows = stand.as_owner(
        "INSERT INTO care.appointment (citizen_id, id, facility_code, origin, is_sensitive, starts_at, state, booked_at"
        ", changed_at) VALUES (:citizen, gen_random_uuid(), '01901', 'PAPER', :sensitive, :starts, 'LIVE', :booked,"
        " :booked) RETURNING id",
        citizen=citizen,
        sensitive=sensitive,
        starts=starts_at,
        booked=booked,
    )
    found: UUID = rows[0].id
    return found


def remind(stand: Stand) -> int:
    return stand.run(
        Login.WORKER,
        partial(sql.remind, leads=[timedelta(hours=hours) for hours in (168, 24, 2)], late=timedelta(hours=12)),
    )


def tell(stand: Stand, event: UUID, *, now: datetime = NOON) -> int:
    return stand.run(Login.WORKER, partial(telling.tell, event_ids=[event], now=now))


def push(stand: Stand, service: Service, *, in_their_time: bool = False) -> int:
    """Push every notice that may ring as the worker would; returns how many phones still wait.

    Phones that wait are tried at once, or only those whose time has come.
    """

    async def go() -> int:
        settings = stand.settings
        engine = open_engine(settings, Login.WORKER, size=1)
        try:
            async with open_pusher(settings.secrets_dir, url=service.send_url, call_seconds=PATIENCE) as pusher:
                assert pusher.is_ready
                vault, waiting = open_vault(settings.secrets_dir), 0
                while reached := await pushing.take(engine=engine, most=20):
                    waiting += await pushing.send(reached, engine=engine, vault=vault, pusher=pusher)
                return waiting
        finally:
            await engine.dispose()

    stand.as_owner(
        "UPDATE notice.notice SET try_at = clock_timestamp(), in_hand_until = NULL WHERE push_at IS NOT NULL"
    )
    if not in_their_time:
        stand.as_owner("UPDATE notice.push SET try_at = NULL")
    return asyncio.run(go())


def soon(stand: Stand) -> None:
    """Let every notice be worth a push now, whatever day the test made it on."""
    stand.as_owner(
        "UPDATE notice.notice SET push_until = clock_timestamp() + interval '1 hour', "
        "push_at = CASE WHEN push_at IS NOT NULL THEN least(push_at, clock_timestamp()) END"
    )
