"""A made-up phone of a demo citizen: registered like a real one, it shows what the stand-in took for it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from app.notifications.quiet import QuietHours

_REGISTER = "mutation($input: RegisterDeviceInput!) { registerDevice(input: $input) { device { id } } }"
_WISHES = "{ notificationPreferences { muted quietHours } }"
_WISH = """mutation($input: UpdateNotificationPreferencesInput!) {
  updateNotificationPreferences(input: $input) { preferences { quietHours } } }"""
_NOTICES = "{ notices(first: 50) { nodes { id title text } } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One push: what a locked screen shows, and what the app shows behind it."""

    at: datetime
    locked: str
    title: str
    text: str


@dataclass(slots=True, kw_only=True)
class Handset:
    """One phone. `push_url` is the stand-in's own address."""

    name: str
    token: str
    http: httpx.AsyncClient
    push_url: str
    new_key: str
    _seen: int = field(default=0)

    async def register(self) -> None:
        """Register as the app does after it has signed in; what came before is not shown."""
        self._seen = len(await self._messages())
        wanted = {"idempotencyKey": f"{self.new_key} register", "installationId": self.name, "platform": "android"}
        await self._ask(_REGISTER, input=wanted)

    async def waits(self, *, now: datetime) -> bool:
        """Tell whether pushes wait for the morning now."""
        wishes = (await self._ask(_WISHES))["notificationPreferences"]
        return bool(wishes["quietHours"]) and QuietHours().next_moment(now) != now

    async def wake(self) -> None:
        """Wish no quiet hours."""
        wishes = (await self._ask(_WISHES))["notificationPreferences"]
        wanted = {"idempotencyKey": f"{self.new_key} wake", "muted": wishes["muted"], "quietHours": False}
        await self._ask(_WISH, input=wanted)

    async def ring(self) -> AsyncIterator[Rung]:
        """Yield what has come since the last look."""
        for one in await self._messages():
            self._seen = max(self._seen, int(one["n"]))
            message = one["message"]
            if message.get("fid") != self.name:
                continue
            nodes = (await self._ask(_NOTICES))["notices"]["nodes"]
            told: dict[str, str] = next((node for node in nodes if node["id"] == message["data"]["noticeId"]), {})
            yield Rung(
                at=datetime.fromisoformat(one["at"]),
                locked=message["notification"]["body"],
                title=told.get("title", ""),
                text=told.get("text", ""),
            )

    async def _messages(self) -> list[dict[str, Any]]:
        answer = await self.http.get(f"{self.push_url}/messages", params={"after": self._seen})
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    async def _ask(self, query: str, **variables: object) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        return answer.raise_for_status().json()["data"]
