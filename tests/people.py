"""What tests put into a database, through the product's own functions wherever it has them."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import CursorResult, text

from app.core import logins
from app.core.crypto import Place, Vault, open_vault
from app.core.db import Login, Session
from app.core.ids import new_id, new_secret
from app.core.settings import Settings
from app.facilities import registry
from app.facilities.sql import FacilityEntry
from app.ingestion import processing, sql
from tests import steps

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stand:
    """One test database and how to fill it."""

    settings: Settings

    @property
    def vault(self) -> Vault:
        """Return the keys."""
        return open_vault(self.settings.secrets_dir)

    def run(self, login: Login, step: Callable[[Session], Awaitable[Result]]) -> Result:
        """Run a step in a transaction of one login."""
        return steps.run(self.settings, login, step)

    def as_owner(self, statement: str, **values: Any) -> list[Any]:
        """Run SQL as the owner of identity, access and messages."""

        async def step(session: Session) -> list[Any]:
            await session.execute(text("SET LOCAL ROLE auth_owner"))
            result = await session.execute(text(statement), values)
            return list(result.all()) if isinstance(result, CursorResult) and result.returns_rows else []

        return self.run(Login.MIGRATOR, step)

    def facility(self, code: str = "01901", *, name: str = "Bệnh viện Thử nghiệm", level: str = "CENTRAL") -> str:
        """Register a facility and return a bearer token of its system."""
        entry = FacilityEntry(code=code, name=name, level=level)
        self.run(Login.MIGRATOR, partial(registry.register, entry=entry, now=now()))
        return self._session("facility_code", code)

    def citizen_token(self, citizen_id: UUID, *, life: timedelta = timedelta(hours=1), stepped_up: bool = False) -> str:
        """Return a bearer token of a citizen, with a fresh factor for everything if it is to have one."""
        token = self._session("citizen_id", citizen_id, life=life)
        if stepped_up:
            self.step_up(token, "*")
        return token

    def step_up(self, token: str, action: str) -> None:
        """Give a session a fresh factor."""
        self.as_owner(
            "INSERT INTO auth.step_up SELECT s.id, :action, now() + interval '1 hour' FROM auth.session s "
            "WHERE s.token_hash = sha256(convert_to(:token, 'UTF8'))",
            token=token,
            action=action,
        )

    def practitioner_token(self, practitioner_id: UUID, *, life: timedelta = timedelta(hours=1)) -> str:
        """Return a bearer token of a practitioner."""
        return self._session("practitioner_id", practitioner_id, life=life)

    def _session(self, column: str, principal: object, *, life: timedelta = timedelta(hours=1)) -> str:
        token = new_secret()
        self.as_owner(
            f"INSERT INTO auth.session (id, token_hash, {column}, level, created_at, expires_at) "
            "VALUES (:id, sha256(convert_to(:token, 'UTF8')), :principal, :level, :now, :until)",
            id=new_id(now=now()),
            token=token,
            principal=principal,
            level=None if column == "facility_code" else 2,
            now=now(),
            until=now() + life,
        )
        return token

    def citizen_by(self, personal_id: str) -> UUID:
        """Return the citizen who has a personal id."""
        lookup = self.vault.index.of(personal_id, kind="PERSONAL_ID")
        rows = self.as_owner(
            "SELECT citizen_id FROM auth.identifier WHERE lookup = :lookup ORDER BY valid_until DESC NULLS FIRST",
            lookup=lookup,
        )
        found: UUID = rows[0].citizen_id
        return found

    def keep(self, body: bytes, *, token: str) -> UUID:
        """Keep a message as the door does and return its id."""
        message_id = new_id(now=now())
        place = Place(table="intake.message", column="body", row_id=message_id)
        step = partial(
            sql.keep_message,
            token=token,
            message_id=message_id,
            format_name="qd4750",
            digest=hashlib.sha256(body).digest(),
            size_bytes=len(body),
            idempotency_key=None,
            sealed=self.vault.sealer.seal(body, place=place),
        )
        return self.run(Login.INGEST, step).id

    def process(self, message_id: UUID) -> str | None:
        """Process a kept message as the worker does and return its status."""
        step = partial(processing.process_message, message_id=message_id, vault=self.vault, now=now())
        return self.run(Login.WORKER, step)

    def file(self, body: bytes, *, token: str) -> str | None:
        """Keep and process a message."""
        return self.process(self.keep(body, token=token))

    def receipt(self, message_id: UUID, *, token: str) -> sql.Receipt:
        """Return a message's receipt."""
        found = self.run(Login.INGEST, partial(sql.receipt, token=token, message_id=message_id))
        assert found is not None
        return found

    async def connect(self, login: Login) -> "asyncpg.Connection[asyncpg.Record]":
        """Open a connection with SQL at will, as one login."""
        return await logins.connect(self.settings, login)


def now() -> datetime:
    """Return the present moment: tests are doors."""
    return datetime.now(UTC)
