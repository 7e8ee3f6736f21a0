"""A login's password is changed while everything runs; a server that is not ours to write to is told of."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.context import run_step
from app.core.db import Login, Session, connection_errors, driver_of, open_engine
from app.core.errors import Unavailable
from app.core.logins import open_pool
from app.core.settings import Settings
from tests.conftest import Ground

LOGIN = Login.AUDITOR


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    """Return the settings of an installation whose secrets may be changed."""
    folder = tmp_path / "secrets"
    shutil.copytree(settings.secrets_dir, folder)
    (folder / f"{LOGIN}.password").chmod(0o600)
    return settings.model_copy(update={"secrets_dir": folder})


@contextmanager
def another_password(ground: Ground) -> Iterator[str]:
    """Give the login another password, and its own again in the end. Whoever is connected stays so."""
    before = (ground.secrets / f"{LOGIN}.password").read_text(encoding="ascii").strip()
    ground.cluster.psql(f"ALTER ROLE {LOGIN} PASSWORD 'of-tomorrow'")
    try:
        yield "of-tomorrow"
    finally:
        ground.cluster.psql(f"ALTER ROLE {LOGIN} PASSWORD '{before}'")


async def one(session: Session) -> int:
    return int(await (await driver_of(session)).fetchval("SELECT 1"))


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["engine", "pool"])
async def test_a_new_password_is_read_when_a_connection_is_opened(
    ground: Ground, own: Settings, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    engine, pool = open_engine(own, LOGIN, size=1), await open_pool(own, LOGIN, size=1)

    async def ask() -> int:
        if path == "engine":
            return await run_step(engine, one)
        with connection_errors():
            return int(await pool.fetchval("SELECT 1"))

    assert await ask() == 1
    with another_password(ground) as password:
        ground.cluster.psql(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{LOGIN}'")
        for _ in range(2):  # the first may meet the connection that is gone
            with pytest.raises(Unavailable):
                await ask()
        assert '"sqlstate": "28P01"' in capsys.readouterr().out
        (own.secrets_dir / f"{LOGIN}.password").write_text("", encoding="ascii")
        with pytest.raises(Unavailable):
            await ask()
        assert f"{LOGIN}.password: is empty" in capsys.readouterr().out
        (own.secrets_dir / f"{LOGIN}.password").write_text(password, encoding="ascii")

        assert await ask() == 1

    await engine.dispose()
    await pool.close()
