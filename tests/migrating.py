"""A migration, run once more on rows as an older release wrote them."""

import asyncio

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.core.db import Login, open_engine
from app.core.settings import Settings
from app.installed import ROOT


def run_again(settings: Settings, revision: str) -> None:
    """Run one migration that changes rows alone."""
    module = ScriptDirectory(str(ROOT / "migrations")).get_revision(revision).module

    def upgrade(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            module.upgrade()

    async def go() -> None:
        engine = open_engine(settings, Login.MIGRATOR, size=1)
        async with engine.begin() as connection:
            await connection.run_sync(upgrade)
        await engine.dispose()

    asyncio.run(go())
