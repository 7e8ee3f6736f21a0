"""A database that is older than the code is told at the start and by /readyz; a newer one serves."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from app.core.db import Login, Session
from app.core.revision import newest_revision
from tests.commands.running import Sokhoe, bilingual
from tests.people import Stand


def put(stand: Stand, revision: str) -> None:
    async def step(session: Session) -> None:
        await session.execute(text("SET LOCAL ROLE book_reader"))
        await session.execute(text(f"COMMENT ON SCHEMA op IS '{revision}'"))

    stand.run(Login.MIGRATOR, step)


@pytest.fixture
def older(installed: None, stand: Stand) -> Iterator[None]:
    """Let the database be of an older release."""
    del installed
    put(stand, "0001")
    yield
    put(stand, newest_revision())


@pytest.mark.usefixtures("older")
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_an_older_database_is_told_at_the_start(sokhoe: Sokhoe, command: str) -> None:
    said = sokhoe(command, code=1)

    bilingual(said)
    assert said.count("`sokhoe migrate`") == 2
    assert said.count(f"0001 < {newest_revision()}") == 2


@pytest.mark.usefixtures("older")
def test_an_older_database_is_told_by_readyz(http: httpx.Client) -> None:
    answer = http.get("/readyz", headers={"Accept-Language": "en"})

    assert answer.status_code == 503
    assert "sokhoe migrate" in answer.text


def test_a_newer_database_is_ready(http: httpx.Client, stand: Stand) -> None:
    put(stand, "9999")

    assert http.get("/readyz").status_code == 200

    put(stand, newest_revision())
