"""Functions of trusted operations: two releases side by side, none dropped too early, none that does not run."""

import asyncio
import json
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest
from graphql import NonNullTypeNode, OperationDefinitionNode, OperationType
from typer.testing import CliRunner

from app import cli, installed, migrate
from app.core.db import Login, Session, driver_of, open_engine
from app.core.settings import Settings
from app.gateway import deployment, plans, trusted
from app.gateway.live import LiveFunctionBroken, check_live_functions
from app.gateway.trusted import GRACE, BadOperation, TrustedOperation
from tests.attacks import tries
from tests.conftest import Ground, RunningServer
from tests.people import Stand, now
from tests.sockets import PATIENCE

pytestmark = pytest.mark.long


def asks_without_variables(known: trusted.TrustedOperation) -> bool:
    (asked,) = (one for one in known.document.definitions if isinstance(one, OperationDefinitionNode))
    needed = [
        v for v in asked.variable_definitions or () if isinstance(v.type, NonNullTypeNode) and v.default_value is None
    ]
    return asked.operation is OperationType.QUERY and not needed


KNOWN = {known.name: known for known in trusted.trusted_operations().values()}
ASKED = [known for known in KNOWN.values() if asks_without_variables(known)]


@pytest.fixture
def earlier(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install what a release with other words in its functions would have installed."""
    with monkeypatch.context() as patch:
        patch.setattr(deployment, "_BOOK", deployment._BOOK.replace("BEGIN\n", "BEGIN -- an earlier release\n"))
        patch.setattr(deployment, "_DESK", deployment._DESK.replace("BEGIN\n", "BEGIN -- an earlier release\n"))
        assert stand.run(Login.MIGRATOR, deployment.deploy) in {0, len(deployed(stand)) // 2}
    yield
    for function in deployed(stand) - current():
        stand.run(Login.MIGRATOR, partial(_drop, function=function))


async def _drop(session: Session, *, function: str) -> None:
    driver = await driver_of(session)
    owner = "book_reader" if function.startswith("op.") else "auth_owner"
    await driver.execute(f"SET LOCAL ROLE {owner}; DROP FUNCTION IF EXISTS {function}; RESET ROLE")
    await driver.execute("DELETE FROM deploy.installed_operation WHERE function = $1", function)


def deployed(stand: Stand) -> set[str]:
    async def names(session: Session) -> set[str]:
        driver = await driver_of(session)
        return {row["function"] for row in await driver.fetch("SELECT function FROM deploy.installed_operation")}

    return stand.run(Login.MIGRATOR, names)


def current() -> set[str]:
    return {function.full_name for _, _, function in deployment._wanted(now())}


def live(settings: Settings) -> int:
    async def check() -> int:
        engine = open_engine(settings, Login.MIGRATOR, size=1)
        try:
            return await check_live_functions(engine)
        finally:
            await engine.dispose()

    return asyncio.run(check())


def as_superuser(ground: Ground, settings: Settings, *statements: str) -> None:
    async def go() -> None:
        async with tries.as_superuser(ground, settings) as superuser:
            for statement in statements:
                await superuser.execute(statement)

    tries.run(go)


def newcomer(stand: Stand) -> str:
    """Return the token of a citizen who has signed in and has an empty book."""
    citizen = trusted.document_id(str(now()))[7:39]
    stand.as_owner(
        "INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at) "
        "VALUES (CAST(:id AS uuid), 'Lý Mơ', 'LY MO', '1990-01-01', 'DAY', 'FEMALE', now())",
        id=citizen,
    )
    stand.as_owner("INSERT INTO auth.book (citizen_id, changed_at) VALUES (CAST(:id AS uuid), now())", id=citizen)
    rows = stand.as_owner("SELECT id FROM auth.citizen WHERE id = CAST(:id AS uuid)", id=citizen)
    return stand.citizen_token(rows[0].id)


@pytest.mark.usefixtures("earlier")
def test_two_releases_live_side_by_side(stand: Stand, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of the earlier release, and one of this, answer the same from one database."""
    token = newcomer(stand)
    released = settings.model_copy(update={"demo": False})
    bodies = []
    for words in ("BEGIN -- an earlier release\n", "BEGIN\n"):
        with monkeypatch.context() as patch:
            for name in ("_BOOK", "_DESK"):
                patch.setattr(deployment, name, getattr(deployment, name).replace("BEGIN\n", words))
            forget_calls()
            running = RunningServer(released)
            running.start()
            try:
                bodies.append([answer(running.url, known, token) for known in ASKED])
            finally:
                running.stop()
    forget_calls()

    assert bodies[0] == bodies[1]
    assert len(deployed(stand)) == 2 * len(current())
    assert live(settings) == 2 * len(current())


def forget_calls() -> None:
    from app.gateway.run import _call  # noqa: PLC0415 - a cache that a process of one release keeps for ever

    _call.cache_clear()


def answer(url: str, known: TrustedOperation, token: str) -> bytes:
    headers = {"Authorization": f"Bearer {token}"}
    got = httpx.post(f"{url}/graphql", json={"documentId": known.id}, headers=headers, timeout=PATIENCE)
    assert (got.status_code, "errors" in got.json()) == (200, False)
    return got.content


@pytest.mark.usefixtures("earlier")
def test_an_earlier_release_is_kept_for_the_time_of_grace(ground: Ground, stand: Stand, settings: Settings) -> None:
    assert stand.run(Login.MIGRATOR, deployment.retire) == ()
    days = GRACE.days
    old = sorted(deployed(stand) - current())
    names = ", ".join(f"'{name}'" for name in old)
    as_superuser(
        ground,
        settings,
        f"UPDATE deploy.installed_operation SET created_at = now() - interval '{days - 1} days'",
        f"UPDATE deploy.installed_operation SET created_at = now() - interval '900 days' WHERE function IN ({names})",
    )
    assert stand.run(Login.MIGRATOR, deployment.retire) == ()

    as_superuser(
        ground,
        settings,
        f"UPDATE deploy.installed_operation SET created_at = now() - interval '{days + 1} days' "
        f"WHERE function NOT IN ({names})",
    )

    assert sorted(stand.run(Login.MIGRATOR, deployment.retire)) == old
    assert deployed(stand) == current()
    assert live(settings) == len(current())


def with_sunset(name: str, sunset: date, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the list say that one document ends."""
    known = KNOWN[name]
    ending = TrustedOperation(id=known.id, file=known.file, since=known.since, sunset=sunset, text=known.text)
    changed = {**trusted.trusted_operations(), known.id: ending}
    for module in ("app.gateway.endpoint", "app.gateway.plans", "app.installed"):
        monkeypatch.setattr(f"{module}.trusted_operations", lambda: changed)


@pytest.mark.parametrize("days_after", [-400, -1, 0, GRACE.days - 1])
def test_until_sunset_and_grace_are_over_a_document_is_answered(
    http: httpx.Client, stand: Stand, monkeypatch: pytest.MonkeyPatch, days_after: int
) -> None:
    sunset = now().date() - timedelta(days=days_after)
    with_sunset("Visits", sunset, monkeypatch)
    headers = {"Authorization": f"Bearer {newcomer(stand)}"}

    first = http.post("/graphql", json={"documentId": KNOWN["Visits"].id}, headers=headers, timeout=PATIENCE)
    again = http.post(
        "/graphql", json={"documentId": KNOWN["Visits"].id}, headers={**headers, "If-None-Match": first.headers["etag"]}
    )

    assert (first.status_code, again.status_code) == (200, 304)
    assert first.headers["sunset"] == again.headers["sunset"] == sunset.strftime("%a, %d %b %Y 00:00:00 GMT")
    other = http.post("/graphql", json={"documentId": KNOWN["Me"].id}, headers=headers, timeout=PATIENCE)
    assert "sunset" not in other.headers
    assert stand.run(Login.MIGRATOR, deployment.retire) == ()


def test_after_that_the_app_is_told_to_update(
    http: httpx.Client, stand: Stand, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_sunset("Visits", now().date() - GRACE, monkeypatch)
    headers = {"Authorization": f"Bearer {newcomer(stand)}"}

    texts = []
    for language in ("vi", "en"):
        refused = http.post(
            "/graphql", json={"documentId": KNOWN["Visits"].id}, headers={**headers, "Accept-Language": language}
        )
        assert refused.status_code == 426
        (error,) = refused.json()["errors"]
        assert error["extensions"] == {"code": "UPGRADE_REQUIRED"}
        texts.append(error["message"])
    assert texts == [
        "Phiên bản ứng dụng này không còn được hỗ trợ. Vui lòng cập nhật ứng dụng.",
        "This version of the app is not supported any more. Please update the app.",
    ]

    (dropped,) = stand.run(Login.MIGRATOR, deployment.retire)
    assert dropped.startswith("op.visits_")
    assert dropped not in current()
    assert deployed(stand) == current()
    assert live(settings) == len(current())
    assert stand.run(Login.MIGRATOR, deployment.deploy) == 0
    monkeypatch.undo()
    assert stand.run(Login.MIGRATOR, deployment.deploy) == 1


def test_migrate_looks_again_when_a_sunset_has_passed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asyncio.run(installed.fingerprint_to_install(settings)) is None
    with_sunset("Visits", now().date() - GRACE, monkeypatch)

    assert asyncio.run(installed.fingerprint_to_install(settings)) is not None


BREAKING = {
    "a column is gone": (
        "ALTER TABLE book.visit RENAME COLUMN reason TO why",
        "ALTER TABLE book.visit RENAME COLUMN why TO reason",
        "42703",
    ),
    "a grant is gone": (
        "REVOKE SELECT ON book.visit FROM book_reader",
        "GRANT SELECT ON book.visit TO book_reader",
        "42501",
    ),
    "a column has another type": (
        "ALTER TABLE book.test_report ALTER COLUMN category TYPE bytea USING category::bytea",
        "ALTER TABLE book.test_report ALTER COLUMN category TYPE text USING convert_from(category, 'UTF8')",
        "42804",
    ),
}


@pytest.mark.parametrize(("broken", "mended", "sqlstate"), BREAKING.values(), ids=BREAKING)
def test_a_migration_that_breaks_a_live_function_is_told(
    ground: Ground, settings: Settings, broken: str, mended: str, sqlstate: str
) -> None:
    assert live(settings) == len(current())
    as_superuser(ground, settings, broken, "DELETE FROM deploy.installed_file WHERE path = 'everything'")
    try:
        with pytest.raises(LiveFunctionBroken) as found:
            live(settings)
        with pytest.raises(LiveFunctionBroken):
            asyncio.run(migrate.migrate(settings, progress=lambda _step: None))
    finally:
        as_superuser(ground, settings, mended)

    assert sqlstate in str(found.value)
    assert "op." in str(found.value)
    assert asyncio.run(migrate.migrate(settings, progress=lambda _step: None))
    assert not asyncio.run(migrate.migrate(settings, progress=lambda _step: None))


def test_a_live_function_that_is_gone_is_told(ground: Ground, stand: Stand, settings: Settings) -> None:
    name = next(name for name in sorted(current()) if name.startswith("op."))
    as_superuser(ground, settings, f"DROP FUNCTION {name}")
    with pytest.raises(LiveFunctionBroken, match="it is gone"):
        live(settings)
    as_superuser(ground, settings, f"DELETE FROM deploy.installed_operation WHERE function = '{name}'")
    assert stand.run(Login.MIGRATOR, deployment.deploy) == 1


def test_trying_the_live_functions_leaves_nothing(ground: Ground, settings: Settings) -> None:
    async def rows() -> list[int]:
        async with tries.as_superuser(ground, settings) as superuser:
            tables = ("auth.citizen", "auth.book", "auth.session")
            return [await superuser.fetchval(f"SELECT count(*) FROM {table}") for table in tables]

    before = tries.run(rows)
    live(settings)
    assert tries.run(rows) == before


BAD = {
    "query Bad { nothing }": "Cannot query field",
    "query Bad {": "Syntax Error",
    "query Other { me { id } }": "one operation, Bad",
    "query Bad { me { id } } query More { me { id } }": "one operation, Bad",
    "mutation Bad { nothing }": "Cannot query field",
    "query Bad { healthBook { visits(first: 51) { nodes { id } } } }": "first",
    "query Bad { healthBook { version } a: healthBook { version } }": "One book per operation",
    "query Bad($a: Boolean!) { healthBook @skip(if: $a) { visits(first: 5) { nodes @x { id } } } }": "@x",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the product a contract folder of the test's own."""
    (tmp_path / "operations").mkdir()
    (tmp_path / "schema.graphql").write_bytes((trusted.FOLDER / "schema.graphql").read_bytes())
    monkeypatch.setattr(trusted, "FOLDER", tmp_path)
    trusted.trusted_operations.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    trusted.trusted_operations.cache_clear()


def listed(folder: Path, text: str) -> None:
    (folder / "operations" / "Bad.graphql").write_text(text, encoding="utf-8")
    entry = {"id": trusted.document_id(text), "file": "Bad.graphql", "since": "2026-11-22", "sunset": None}
    (folder / "trusted.json").write_text(json.dumps([entry]), encoding="utf-8")


@pytest.mark.parametrize(("text", "reason"), BAD.items())
def test_an_operation_that_cannot_be_compiled_fails_the_build(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    listed(folder, text)

    with pytest.raises(BadOperation, match=r"Bad\.graphql") as found:
        plans.compile_served(now())

    assert reason in str(found.value)
    assert_refused("schema", "--check")
    for name, value in {"DATABASE_URL": settings.database_url, "SECRETS_DIR": str(settings.secrets_dir)}.items():
        monkeypatch.setenv(f"SOKHOE_{name}", value)
    monkeypatch.setenv("SOKHOE_DEMO", "true")
    monkeypatch.setattr(installed, "fingerprint", lambda _settings, **_over: "another")
    assert_refused("migrate")


def assert_refused(*arguments: str) -> None:
    said = CliRunner().invoke(cli.app, arguments)
    assert said.exit_code == 1, said.output
    assert "Bad.graphql" in said.output


@pytest.mark.parametrize("fault", ["changed", "gone"])
def test_a_released_document_that_changed_fails_the_build(folder: Path, fault: str) -> None:
    listed(folder, "query Bad { me { id } }")
    assert len(plans.compile_served(now())) == 1
    trusted.trusted_operations.cache_clear()
    document = folder / "operations" / "Bad.graphql"
    if fault == "gone":
        document.unlink()
    else:
        document.write_text("query Bad { me { fullName } }", encoding="utf-8")

    with pytest.raises(BadOperation, match=r"Bad\.graphql"):
        trusted.trusted_operations()
    assert_refused("schema", "--check")


def test_a_dead_token_opens_no_live_function(stand: Stand) -> None:
    """Each begins by asking who is there, whatever else it is called with."""

    async def refusals() -> set[str]:
        found = set()
        for name in sorted(current()):
            login = Login.API if name.startswith("op.") else Login.DESK
            async with tries.as_login(stand, login) as connection:
                types = await connection.fetchval("SELECT pronargs FROM pg_proc WHERE oid = $1::regproc", name)
                try:
                    await connection.fetch(f"SELECT * FROM {name}('x'{', NULL' * (types - 1)})")
                except asyncpg.PostgresError as error:
                    found.add(str(error.sqlstate))
        return found

    assert tries.run(refusals) == {tries.NO_SESSION}
