"""A database that is older than the code is told at the start and by /readyz; a newer one serves."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from app.core.db import Login, Session
from app.core.revision import REVISION, DatabaseBehind, check_revision, newest_revision, note_installed, repeatable_sql
from tests.commands.running import Sokhoe, bilingual
from tests.people import Stand

NOW, OWN = newest_revision(), repeatable_sql()
INSTALLED = f"{NOW} {OWN}"
OLDER = {
    "an older migration": ("0001 aaaaaaaaaaaa", f"0001 < {NOW}"),
    "other functions": (f"{NOW} aaaaaaaaaaaa bbbbbbbbbbbb", f"{NOW} bbbbbbbbbbbb < {INSTALLED}"),
    "noted by a release that knew migrations alone": (NOW, f"{NOW} < {INSTALLED}"),
}


def put(stand: Stand, noted: str) -> None:
    async def step(session: Session) -> None:
        await session.execute(text("SET LOCAL ROLE book_reader"))
        await session.execute(text(f"COMMENT ON SCHEMA op IS '{noted}'"))

    stand.run(Login.MIGRATOR, step)


@pytest.fixture(params=OLDER)
def told(request: pytest.FixtureRequest, installed: None, stand: Stand) -> Iterator[str]:
    """Let the database be of an older release; return what is told of it."""
    del installed
    noted, told = OLDER[request.param]
    put(stand, noted)
    yield told
    put(stand, INSTALLED)


@pytest.mark.parametrize("command", ["serve", "worker", "sealer"])
def test_an_older_database_is_told_at_the_start(sokhoe: Sokhoe, command: str, told: str) -> None:
    said = sokhoe(command, code=1)

    bilingual(said)
    assert said.count("`sokhoe migrate`") == 2
    assert said.count(f"({told})") == 2


@pytest.mark.usefixtures("told")
def test_an_older_database_is_told_by_readyz(http: httpx.Client) -> None:
    answer = http.get("/readyz", headers={"Accept-Language": "en"})

    assert answer.status_code == 503
    assert "sokhoe migrate" in answer.text


@pytest.mark.parametrize("noted", ["9999 aaaaaaaaaaaa", f"{INSTALLED} aaaaaaaaaaaa"], ids=["migration", "functions"])
def test_a_newer_database_is_ready(http: httpx.Client, stand: Stand, noted: str) -> None:
    put(stand, noted)

    assert http.get("/readyz").status_code == 200

    put(stand, INSTALLED)


def test_migrate_notes_what_it_installed(stand: Stand) -> None:
    assert stand.as_owner(REVISION)[0][0] == INSTALLED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, INSTALLED),
        ("0001 aaaaaaaaaaaa", INSTALLED),
        (NOW, INSTALLED),
        (f"{NOW} aaaaaaaaaaaa", f"{NOW} aaaaaaaaaaaa {OWN}"),
        (INSTALLED, INSTALLED),
        (f"{NOW} aaaaaaaaaaaa {OWN} bbbbbbbbbbbb", f"{NOW} aaaaaaaaaaaa {OWN}"),
        ("9999 aaaaaaaaaaaa", INSTALLED),
    ],
)
def test_a_release_that_comes_back_takes_away_what_came_after_it(before: str | None, after: str) -> None:
    assert note_installed(before) == after
    check_revision(note_installed(before))


def test_what_was_never_installed_is_behind() -> None:
    for noted in (None, "", NOW, "0001"):
        with pytest.raises(DatabaseBehind):
            check_revision(noted)
