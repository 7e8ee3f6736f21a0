"""What tests of codes do: redeem at the same moment, end what is live, tell a refusal."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from app.core.codes import code_from, shown
from tests.conftest import RunningServer
from tests.people import Stand

UNKNOWN = shown(code_from(bytes(range(7, 13))))


def refused(answer: httpx.Response) -> bool:
    errors = answer.json().get("errors")
    return bool(errors) and errors[0]["extensions"]["code"] == "REFUSED"


def all_at_once(server: RunningServer, sent: list[tuple[str, Any]]) -> list[httpx.Response]:
    """Send documents at the same moment, each by its own token."""

    async def go() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:

            async def one(token: str, body: Any) -> httpx.Response:
                return await client.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})

            return list(await asyncio.gather(*(one(token, body) for token, body in sent)))

    return asyncio.run(go())


def end_all(stand: Stand) -> None:
    """Let no code or grant of an earlier test be in the way."""
    stand.as_owner("UPDATE auth.share_code SET cancelled_at = now() WHERE cancelled_at IS NULL AND redeemed_at IS NULL")
    stand.as_owner("UPDATE auth.book_grant SET revoked_at = now() WHERE revoked_at IS NULL")
    stand.as_owner("UPDATE auth.book SET sharing_frozen_at = NULL, hidden_classes = 0")
    stand.as_owner("DELETE FROM auth.share_try")


def age_tries(stand: Stand, by: timedelta) -> None:
    stand.as_owner("UPDATE auth.share_try SET at = at - CAST(:by AS interval)", by=by)
