"""`sokhoe migrate`: the declared rows are those of the migrations, and an older database is brought on."""

import asyncio

import pytest
from sqlalchemy import text

from app import migrate
from app.core.db import Login, Session
from app.core.settings import Settings
from tests.people import Stand


def test_the_declared_rows_are_those_of_the_migrations(settings: Settings) -> None:
    assert asyncio.run(migrate.check_models(settings)) is None  # type: ignore[func-returns-value]  # it raises


def test_a_second_run_has_nothing_to_do(settings: Settings) -> None:
    assert asyncio.run(migrate.migrate(settings, progress=lambda _step: None)) is False


def test_a_function_of_an_older_release_with_other_arguments_is_dropped(
    settings: Settings, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def age(session: Session) -> None:
        await session.execute(text("SET LOCAL ROLE book_owner"))
        await session.execute(
            text("CREATE FUNCTION book.file_visit(citizen uuid, arrived jsonb) RETURNS int LANGUAGE sql AS 'SELECT 1'")
        )
        await session.execute(text("RESET ROLE"))
        await session.execute(text("UPDATE deploy.installed_file SET digest = 'older'"))

    async def forms(session: Session) -> int:
        count: int = await session.scalar(text("SELECT count(*) FROM pg_proc WHERE proname = 'file_visit'"))
        return count

    stand.run(Login.MIGRATOR, age)
    assert stand.run(Login.MIGRATOR, forms) == 2
    monkeypatch.setattr(migrate, "fingerprint", lambda _settings, over: f"another checkout {over}")

    assert asyncio.run(migrate.migrate(settings, progress=lambda _step: None)) is True
    assert stand.run(Login.MIGRATOR, forms) == 1
