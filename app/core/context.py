"""What one process has (its house), and what one request may do (its context)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.crypto import Vault, open_vault
from app.core.db import Login, Session, connection_errors, open_engine
from app.core.ids import new_id
from app.core.kept import Kept
from app.core.lanes import Lane, StepLane
from app.core.logins import open_pool
from app.core.outbound import Outbound, open_outbound
from app.core.settings import Settings

Result = TypeVar("Result")
Step = Callable[[Session], Awaitable[Result]]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The pools and keys of the API process. `demo` is there in demo mode only, `names` are of public lists.

    `desk` runs compiled operations, `desk_steps` what people change, `porter` lets people in: no operation runs as it.
    """

    settings: Settings
    vault: Vault
    clock: Callable[[], datetime]
    api: Lane
    desk: Lane
    desk_steps: AsyncEngine
    porter: AsyncEngine
    ingest: StepLane
    outbound: Outbound
    demo: Lane | None
    names: Kept = field(default_factory=lambda: Kept(age=timedelta(minutes=1), most=8192))


@asynccontextmanager
async def open_house(settings: Settings, *, clock: Callable[[], datetime]) -> AsyncIterator[House]:
    """Open pools and keys, and close them at the end."""
    lanes: list[Lane] = []

    async def lane(login: Login, size: int) -> Lane:
        lanes.append(Lane(await open_pool(settings, login, size=size), size=size))
        return lanes[-1]

    at_door = settings.ingest_pool_size
    ingest = StepLane(open_engine(settings, Login.INGEST, size=at_door, one_statement=True), size=at_door, bare=True)
    desk_steps = open_engine(settings, Login.DESK, size=settings.desk_pool_size)
    porter = open_engine(settings, Login.PORTER, size=settings.desk_pool_size)
    try:
        async with open_outbound() as outbound:
            yield House(
                settings=settings,
                vault=open_vault(settings.secrets_dir),
                clock=clock,
                api=await lane(Login.API, settings.api_pool_size),
                desk=await lane(Login.DESK, settings.desk_pool_size),
                desk_steps=desk_steps,
                porter=porter,
                ingest=ingest,
                outbound=outbound,
                demo=await lane(Login.DEMO, settings.desk_pool_size) if settings.demo else None,
            )
    finally:
        for opened in lanes:
            await opened.close()
        await desk_steps.dispose()
        await porter.dispose()
        await ingest.close()


@dataclass(slots=True, kw_only=True)
class ShownProof:
    """A proof of possession that is good once (RFC 9449), and whether PostgreSQL has it marked as used."""

    key: bytes  # SHA-256 thumbprint (RFC 7638)
    proof_id: str
    is_spent: bool = False

    @property
    def to_send(self) -> bytes:
        """Return what a statement is told: the key alone, or with the proof's id, which it marks in its transaction."""
        return self.key if self.is_spent else self.key + self.proof_id.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request: who says so, in which language, at what time."""

    house: House
    token: str | None  # the bearer's secret; what it stands for, PostgreSQL decides
    proof: ShownProof | None
    language: str  # vi or en
    now: datetime
    request_id: str

    @property
    def proof_key(self) -> bytes | None:
        """Return the thumbprint of the key that the request proved."""
        return None if self.proof is None else self.proof.key

    def new_id(self) -> UUID:
        """Return a new identifier of this request's time."""
        return new_id(now=self.now)


async def run_step(engine: AsyncEngine | StepLane, step: Step[Result]) -> Result:
    """Run a step in one transaction. What it returns is committed; what it raises never happened.

    :raises Unauthenticated: for SK401, and so on as `app.core.db.expected` says.
    """
    with connection_errors():
        async with engine.begin() as session:
            return await step(session)
