"""What live subscriptions hear: ids of what changed, resumable by a cursor. One look serves a whole process."""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from app.core.context import Context
from app.core.db import connection_errors
from app.core.defects import report_defect
from app.core.errors import AppError, Invalid, NotFound, RateLimited, Text, Unauthenticated, Unavailable
from app.core.ids import known_id_if_any, new_request_id
from app.core.lanes import Lane

LOOK_EVERY = timedelta(milliseconds=400)
"""The second look after a session or grant ended sees it at the latest: within a second."""
KEEP_EVERY = 50
"""Looks; every so many say in the database that the subscriptions are alive."""
PATIENCE = 25
"""Looks; after so many in a row without a database the subscriptions end."""
OVERLAP_MILLISECONDS = 10_000
MOST_WAITING = 500
MOST_AT_ONCE = 100
"""Events of one subscription in one look, as notice.heard has it."""
_MOST_VERSION = 2**63 - 1
_ENDS: Mapping[str, type[AppError] | None] = {"ENDED": None, "SIGNED_OUT": Unauthenticated, "GONE": NotFound}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One event of a subscription."""

    cursor: str
    kind: str
    subject_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _End:
    """The subscription is over, for a reason or in good order."""

    why: Exception | None


@dataclass(slots=True, kw_only=True)
class Listening:
    """One open subscription."""

    id: UUID
    event: UUID
    version: int
    seen: list[UUID]
    _waiting: "asyncio.Queue[Heard | _End]" = field(default_factory=lambda: asyncio.Queue(MOST_WAITING + 1))

    async def hear(self) -> AsyncIterator[Heard]:
        """Yield what is new, as it happens, until the subscription's grant ended.

        :raises Unauthenticated: when the session ended
        :raises NotFound: when the book is not the viewer's any more
        :raises RateLimited: when the client does not take what is told
        :raises Unavailable: when the database has not answered for long
        """
        while True:
            one = await self._waiting.get()
            if isinstance(one, Heard):
                yield one
            elif one.why is None:
                return
            else:
                raise one.why

    def asked(self) -> dict[str, Any]:
        """Return where it stands, for the next look."""
        # An event that was made earlier may be committed later: a little is looked at again.
        since = UUID(int=max(self.event.int - (OVERLAP_MILLISECONDS << 80), 0))
        self.seen = [one for one in self.seen if one > since]
        return {"id": self.id, "since": since, "known": self.version, "seen": self.seen}

    def take(self, rows: list[Any], *, now: UUID) -> bool:
        """Take what a look at the moment `now` found; tells whether the subscription goes on."""
        for row in rows:
            if row["kind"] in _ENDS:
                why = _ENDS[row["kind"]]
                return self.end(None if why is None else why())
            if row["event"] is not None:
                self.seen.append(row["event"])
                self.event = max(self.event, row["event"])
            else:
                self.version = row["version"]
            if self._waiting.qsize() >= MOST_WAITING:
                return self.end(RateLimited())
            self._waiting.put_nowait(
                Heard(cursor=self._cursor(), kind=row["kind"], subject_id=row["subject"], at=row["at"])
            )
        if len(rows) < MOST_AT_ONCE:
            self.event = max(self.event, now)
        return True

    def end(self, why: Exception | None) -> bool:
        """End it, behind what waits to be taken."""
        self._waiting.put_nowait(_End(why))
        return False

    def _cursor(self) -> str:
        return base64.urlsafe_b64encode(f"{self.event}.{self.version}".encode()).rstrip(b"=").decode()


class Ear:
    """Listens for all subscriptions of a process: one statement a look, whatever their number."""

    def __init__(self, desk: Lane) -> None:
        self._desk = desk
        self._listening: dict[UUID, Listening] = {}
        self._task: asyncio.Task[None] | None = None
        self._looks = 0
        self._missed = 0

    async def listen(
        self, context: Context, *, citizen_id: str | None, grant_id: str | None, after: str | None
    ) -> Listening:
        """Begin a subscription. `leave` ends it.

        :raises NotFound: when there is no such book or grant for this viewer
        :raises Invalid: when `after` is no cursor
        """
        known = None if after is None else _read(after)
        subscription = context.new_id()
        begun = asyncio.ensure_future(
            self._fetch(
                "SELECT event, version, seen FROM notice.listen($1, $2, $3, $4, $5)",
                context.token or "",
                context.proof_key,
                subscription,
                known_id_if_any(citizen_id),
                known_id_if_any(grant_id),
            )
        )
        try:
            (row,) = await asyncio.shield(begun)
        except asyncio.CancelledError:  # its client is gone already: no row may stay behind
            await asyncio.wait([begun])
            if begun.exception() is None:
                await self._forget(subscription)
            raise
        event, version = known or (row["event"], row["version"])
        seen = [] if known else list(row["seen"])  # what was there before is no news
        listening = Listening(id=subscription, event=event, version=version, seen=seen)
        self._listening[subscription] = listening
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on())
        return listening

    async def judge(self, context: Context) -> None:
        """Return when a person's session lives behind a token.

        :raises Unauthenticated: when none does
        """
        query = "SELECT citizen_id, practitioner_id FROM auth.sign_in($1, $2)"
        (row,) = await self._fetch(query, context.token or "", context.proof_key)
        if row["citizen_id"] is None and row["practitioner_id"] is None:
            raise Unauthenticated

    async def leave(self, listening: Listening) -> None:
        """Forget a subscription."""
        self._listening.pop(listening.id, None)
        await self._forget(listening.id)

    async def _forget(self, subscription: UUID) -> None:
        await self._fetch("SELECT notice.stop_listening($1)", subscription)

    async def _look_on(self) -> None:
        while self._listening:
            try:
                await self._look()
                self._missed = 0
            except Unavailable as error:
                self._missed += 1
                if self._missed >= PATIENCE:
                    self._end_all(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody is left waiting for a look that never comes
                report_defect(error, request_id=new_request_id())
                self._end_all(error)
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def _look(self) -> None:
        standing = dict(self._listening)
        keep = self._looks % KEEP_EVERY == 0
        self._looks += 1
        asked = orjson.dumps([one.asked() for one in standing.values()], default=str).decode()
        found: dict[UUID, list[Any]] = {one: [] for one in standing}
        now = UUID(int=0)
        for row in await self._fetch("SELECT * FROM notice.heard($1, $2)", asked, keep):
            if row["subscription"] is None:
                now = row["event"]
            else:
                found[row["subscription"]].append(row)
        for one, rows in found.items():
            if not standing[one].take(rows, now=now):
                self._listening.pop(one, None)

    def _end_all(self, why: Exception) -> None:
        for one in self._listening.values():
            one.end(why)
        self._listening.clear()

    async def _fetch(self, query: str, *values: object) -> list[Any]:
        with connection_errors():
            return await self._desk.fetch(query, *values)


def _read(cursor: str) -> tuple[UUID, int]:
    try:
        return _parsed(cursor)
    except (binascii.Error, ValueError):
        raise Invalid(Text("Tham số after không hợp lệ.", "Argument after is not valid.")) from None


def _parsed(cursor: str) -> tuple[UUID, int]:
    event, _, text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(".")
    version = int(text)
    if not 0 <= version <= _MOST_VERSION:  # all subscriptions share one statement: no cursor may make it fail
        raise ValueError
    return UUID(event), version
