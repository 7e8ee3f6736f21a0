"""The login `api` with SQL at will: what a taken-over API process can do. It may call operations, nothing else."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import pytest

from app.core.db import Login
from app.core.settings import Settings
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.conftest import Ground
from tests.people import Stand

OWNER, OTHER = Member(number=1), Member(number=2)
ROLES = (
    "postgres",
    "auth_owner",
    "book_owner",
    "book_reader",
    "book_writer",
    "desk",
    "porter",
    "ingest",
    "worker",
    "migrator",
    "backup",
    "demo",
    "pg_read_all_data",
)


@dataclass(frozen=True, slots=True)
class Books:
    """Two books and a token of the owner of each."""

    owner: UUID
    other: UUID
    owner_token: str
    other_token: str


@pytest.fixture(scope="module")
def books(stand: Stand) -> Books:
    sender = stand.facility()
    assert stand.file(message(OWNER, OTHER), token=sender) == "filed"
    owner, other = stand.citizen_by(OWNER.personal_id), stand.citizen_by(OTHER.personal_id)
    return Books(owner, other, stand.citizen_token(owner), stand.citizen_token(other))


def end_session(stand: Stand, token: str) -> None:
    stand.as_owner(
        "UPDATE auth.session SET ended_at = now() WHERE token_hash = sha256(convert_to(:token, 'UTF8'))", token=token
    )


@pytest.mark.usefixtures("books")
@pytest.mark.asyncio
async def test_f_no_table_can_be_read_or_written(stand: Stand) -> None:
    async with tries.as_login(stand, Login.API) as api:
        tables = await api.fetch(
            "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE c.relkind = 'r' "
            "AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        )
        assert len(tables) >= 25
        async with api.transaction():
            for table in (row["name"] for row in tables):
                for statement in (
                    f"SELECT FROM {table}",
                    f"SELECT count(*) FROM {table}",
                    f"DELETE FROM {table}",
                    f"TRUNCATE {table}",
                    f"LOCK TABLE {table} IN ACCESS SHARE MODE",
                    f"COPY {table} TO STDOUT",
                    f"INSERT INTO {table} DEFAULT VALUES",
                ):
                    assert await tries.sqlstate_of(api, statement) == tries.DENIED, statement


@pytest.mark.asyncio
async def test_f_no_function_but_the_operations_can_be_called(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.API) as api:
        functions = await api.fetch(
            "SELECT n.nspname || '.' || p.proname AS name, p.pronargs AS arguments, n.nspname AS schema FROM pg_proc p "
            "JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')"
        )
        others = [one for one in functions if one["schema"] != "op"]
        assert len(others) >= 25
        for one in others:
            call = f"SELECT {one['name']}({', '.join(['NULL'] * one['arguments'])})"
            assert await tries.sqlstate_of(api, call) == tries.DENIED, call
        opened = f"SELECT auth.open_book('{books.owner_token}', NULL, NULL, 'x')"
        assert await tries.sqlstate_of(api, opened) == tries.DENIED


@pytest.mark.asyncio
async def test_f_no_other_role_can_be_taken(stand: Stand) -> None:
    async with tries.as_login(stand, Login.API) as api:
        for role in ROLES:
            assert await tries.sqlstate_of(api, f"SET ROLE {role}") == tries.DENIED
            assert await tries.sqlstate_of(api, f"SET SESSION AUTHORIZATION {role}") == tries.DENIED
            assert await tries.sqlstate_of(api, f"SELECT set_config('role', '{role}', false)") == tries.DENIED
            assert await tries.sqlstate_of(api, f"GRANT {role} TO api") == tries.DENIED
        assert await api.fetchval("SELECT current_user || '/' || session_user") == "api/api"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMP TABLE t (i int)",
        "CREATE TEMP VIEW t AS SELECT 1",
        "CREATE TABLE public.t (i int)",
        "CREATE TABLE op.t (i int)",
        "CREATE TABLE book.t AS SELECT 1",
        "CREATE SCHEMA s",
        "CREATE FUNCTION op.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION pg_catalog.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'",
        "CREATE OPERATOR public.= (leftarg = uuid, rightarg = uuid, function = uuid_ne)",
        "CREATE EXTENSION citext SCHEMA op",
        "CREATE ROLE r",
        "CREATE DATABASE d",
        "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION now()",
        "CREATE POLICY open ON book.visit USING (true)",
        "ALTER TABLE book.visit DISABLE ROW LEVEL SECURITY",
        "ALTER ROLE api SUPERUSER",
        "ALTER ROLE api BYPASSRLS",
        "ALTER ROLE book_reader LOGIN",
        "ALTER SYSTEM SET log_statement = 'all'",
        "ALTER DATABASE postgres SET search_path = x",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/sokhoe-attack'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_read_binary_file('global/pg_control')",
        "SELECT pg_ls_dir('.')",
        "SELECT pg_stat_file('PG_VERSION')",
        "SELECT lo_import('/etc/hostname')",
        "SELECT lo_export(1, '/tmp/sokhoe-attack')",
        "SELECT pg_current_logfile()",
        "SELECT pg_switch_wal()",
        "SELECT pg_reload_conf()",
        "SELECT pg_create_logical_replication_slot('s', 'test_decoding')",
        "SELECT rolpassword FROM pg_authid",
        "SELECT passwd FROM pg_shadow",
        "SELECT count(*) FROM pg_statistic",
        "SELECT count(*) FROM pg_hba_file_rules",
        "SELECT count(*) FROM pg_largeobject",
        "SELECT lo_from_bytea(0, 'kept for later')",
        "SELECT lo_create(0)",
        "SELECT lo_creat(-1)",
        "SET log_statement = 'all'",
        "SET session_replication_role = replica",
        "SET session_preload_libraries = 'auto_explain'",
        "LOAD 'auto_explain'",
        "DO LANGUAGE plpython3u $$ pass $$",
    ],
)
@pytest.mark.asyncio
async def test_f_nothing_can_be_made_changed_or_read_from_files(stand: Stand, statement: str) -> None:
    async with tries.as_login(stand, Login.API) as api:
        # 42704: that language is not there
        assert await tries.sqlstate_of(api, statement) in {tries.DENIED, "42704"}


@pytest.mark.asyncio
async def test_f_operations_stay_as_they_were_made(stand: Stand) -> None:
    call, _ = tries.operation("Visits")
    name = call.split("FROM ")[1].partition("(")[0]
    async with tries.as_login(stand, Login.API) as api:
        for change in (
            f"ALTER FUNCTION {name} SECURITY INVOKER",
            f"ALTER FUNCTION {name} RESET ALL",
            f"ALTER FUNCTION {name} SET search_path = public",
            f"ALTER FUNCTION {name} OWNER TO api",
            f"DROP FUNCTION {name}",
            f"GRANT EXECUTE ON FUNCTION {name} TO PUBLIC WITH GRANT OPTION",
        ):
            assert await tries.sqlstate_of(api, change) in {tries.DENIED, "0LP01"}, change


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.asyncio
async def test_f_forged_settings_change_nothing(stand: Stand, books: Books, *, local: bool) -> None:
    async with tries.as_login(stand, Login.API) as api:
        async with api.transaction():
            await tries.forge(api, books.other, local=local)
            await api.execute("SELECT set_config('book.opened', '', $1)", local)
            body = await tries.read(api, books.owner_token)
            assert OWNER.told in body
            assert OTHER.told not in body
        await tries.forge(api, books.other, local=False)
        await api.execute("SELECT set_config('book.opened', '', false)")
        body = await tries.read(api, books.owner_token)
        assert OWNER.told in body
        assert OTHER.told not in body
        assert await tries.refused_read(api, None) == tries.NO_SESSION
        assert await tries.refused_read(api, "x" * 43) == tries.NO_SESSION


@pytest.mark.asyncio
async def test_f_a_setting_that_says_a_book_is_open_only_refuses(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.API) as api, api.transaction():
        await tries.forge(api, books.other)
        assert await tries.refused_read(api, books.owner_token) == tries.STALE


@pytest.mark.asyncio
async def test_f_after_rollback_to_a_savepoint_settings_made_by_hand_change_nothing(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.API) as api, api.transaction():
        inner = api.transaction()
        await inner.start()
        assert OTHER.told in await tries.read(api, books.other_token)
        await inner.rollback()
        await tries.forge(api, books.other)
        await api.execute("SELECT set_config('book.opened', '', true)")
        body = await tries.read(api, books.owner_token)
        assert OWNER.told in body
        assert OTHER.told not in body


@pytest.mark.asyncio
async def test_f_one_book_a_transaction_and_each_answer_is_its_tokens(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.API) as api, api.transaction():
        assert OWNER.told in await tries.read(api, books.owner_token)
        assert await tries.refused_read(api, books.other_token) == tries.STALE
        assert await tries.refused_read(api, books.owner_token) == tries.STALE
        await api.execute("SELECT set_config('book.opened', '', true)")  # the rule is bent, not the lock
        body = await tries.read(api, books.other_token)
        assert OTHER.told in body
        assert OWNER.told not in body


@pytest.mark.asyncio
async def test_f_two_operations_in_one_statement_do_not_mix(stand: Stand, books: Books) -> None:
    call, _ = tries.operation("Home")
    name = call.split("FROM ")[1].partition("(")[0]
    async with tries.as_login(stand, Login.API) as api:
        both = f"SELECT ({name}($1, NULL, NULL, NULL, 'vi')).body, ({name}($2, NULL, NULL, NULL, 'vi')).body"
        assert await tries.sqlstate_of(api, both, books.owner_token, books.other_token) == tries.STALE


@pytest.mark.asyncio
async def test_trap6_session_settings_do_not_open_a_door(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.API) as api:
        for setting in (
            "search_path = op, public",
            "search_path = pg_temp, op, pg_catalog",
            "standard_conforming_strings = off",
            "transform_null_equals = on",
            "plan_cache_mode = force_custom_plan",
            "TimeZone = 'Asia/Ho_Chi_Minh'",
            "DateStyle = 'German'",
            "IntervalStyle = 'iso_8601'",
            "bytea_output = 'escape'",
            "default_transaction_read_only = on",
            "enable_indexscan = off",
            "debug_parallel_query = on",
        ):
            await api.execute(f"SET {setting}")
            body = await tries.read(api, books.owner_token)
            assert OWNER.told in body, setting
            assert OTHER.told not in body, setting
            assert await tries.refused_read(api, books.owner_token, target=books.other) == tries.NO_SUCH_BOOK
            await api.execute("RESET ALL")
        await api.execute("SET row_security = off")
        assert await tries.refused_read(api, books.owner_token) == tries.DENIED


@pytest.mark.asyncio
async def test_trap2_no_key_and_no_token_stands_in_a_functions_source(
    stand: Stand, books: Books, settings: Settings
) -> None:
    secrets = [books.owner_token, books.other_token]
    for file in settings.secrets_dir.iterdir():
        secrets += [part for word in file.read_text().split() for part in word.split(":") if len(part) > 16]
    assert len(secrets) >= 10
    async with tries.as_login(stand, Login.API) as api:
        source = await api.fetchval(
            "SELECT string_agg(concat(prosrc, proconfig, obj_description(oid)), ' ') FROM pg_proc"
        )
        assert "open_book" in source
        assert [secret for secret in secrets if secret in source] == []
        told = await api.fetchval("SELECT string_agg(name || setting, ' ') FROM pg_settings")
        assert [secret for secret in secrets if secret in told] == []


@pytest.mark.usefixtures("books")
@pytest.mark.asyncio
async def test_f_statistics_and_other_sessions_tell_nothing(ground: Ground, settings: Settings, stand: Stand) -> None:
    async with tries.as_superuser(ground, settings) as superuser:
        await superuser.execute("ANALYZE")
        assert await superuser.fetchval("SELECT count(*) FROM pg_stats WHERE schemaname = 'book'") > 0
        async with superuser.transaction():
            await superuser.execute("SELECT 'canary of another session'")
            for login in (Login.API, Login.DEMO, Login.DESK, Login.WORKER, Login.INGEST):
                async with tries.as_login(stand, login) as connection:
                    seen = await connection.fetchval(
                        "SELECT count(*) FROM pg_stats WHERE schemaname IN ('book', 'auth', 'intake')"
                    )
                    assert seen == 0, login
                    activity = await connection.fetch("SELECT query FROM pg_stat_activity WHERE usename <> user")
                    assert [row for row in activity if "canary" in row["query"]] == [], login


@pytest.mark.asyncio
async def test_f_prepared_statements_that_alternate_between_two_citizens(stand: Stand, books: Books) -> None:
    call, variables = tries.operation("Visits")
    async with tries.as_login(stand, Login.API) as api:
        prepared = await api.prepare(call)
        for turn in range(40):
            token, told, hidden = (
                (books.owner_token, OWNER.told, OTHER.told) if turn % 2 else (books.other_token, OTHER.told, OWNER.told)
            )
            row = await prepared.fetchrow(token, None, None, None, "vi", *variables)
            assert row is not None
            assert told in row["body"].decode()
            assert hidden not in row["body"].decode()


@pytest.mark.asyncio
async def test_trap7_settings_are_gone_after_the_commit(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.API) as api:
        assert await tries.settings_left(api) == {None}
        async with api.transaction():
            await tries.read(api, books.owner_token)
            assert str(books.owner) in await tries.settings_left(api)
        assert await tries.settings_left(api) == {""}
        await tries.read(api, books.other_token)
        assert await tries.settings_left(api) == {""}


@pytest.mark.asyncio
async def test_trap3_a_revoked_session_ends_at_the_next_statement(stand: Stand, books: Books) -> None:
    token = await asyncio.to_thread(stand.citizen_token, books.owner)
    async with tries.as_login(stand, Login.API) as api:
        async with api.transaction():
            assert await api.fetchval("SELECT 1") == 1
            await asyncio.to_thread(end_session, stand, token)
            assert await tries.refused_read(api, token) == tries.NO_SESSION
        assert await tries.refused_read(api, token) == tries.NO_SESSION


@pytest.mark.parametrize("level", ["repeatable_read", "serializable", "read_uncommitted"])
@pytest.mark.asyncio
async def test_trap3_an_old_snapshot_is_refused(stand: Stand, books: Books, level: str) -> None:
    async with tries.as_login(stand, Login.API) as api:
        await api.execute(f"BEGIN ISOLATION LEVEL {level.replace('_', ' ')}")
        call, variables = tries.operation("Visits")
        said = await tries.refusal_of(api, call, books.owner_token, None, None, None, "vi", *variables)
        await api.execute("ROLLBACK")
        assert said["sqlstate"] == tries.STALE


@pytest.mark.asyncio
async def test_trap3_a_transaction_older_than_five_seconds_is_refused(stand: Stand, books: Books) -> None:
    async with tries.as_login(stand, Login.API) as api, tries.as_login(stand, Login.DEMO) as demo:

        async def refused_at_last(connection: tries.Connection, statement: str, *arguments: object) -> str:
            await connection.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
            async with connection.transaction():
                await connection.execute("SELECT pg_sleep(5.05)")  # the database's clock decides
                return await tries.sqlstate_of(connection, statement, *arguments)

        call, variables = tries.operation("Visits")
        first, second = await asyncio.gather(
            refused_at_last(api, call, books.owner_token, None, None, None, "vi", *variables),
            refused_at_last(demo, "SELECT auth.open_demo_book($1, NULL, NULL, 'x')", books.owner_token),
        )
        assert (first, second) == (tries.STALE, tries.STALE)
        assert OWNER.told in await tries.read(api, books.owner_token)


@pytest.mark.asyncio
async def test_trap9_a_strangers_book_and_an_absent_one_are_refused_alike(stand: Stand, books: Books) -> None:
    call, variables = tries.operation("Visits")
    async with tries.as_login(stand, Login.API) as api:
        told = [
            await tries.refusal_of(api, call, books.owner_token, None, target, None, "vi", *variables)
            for target in (books.other, UUID(int=7), UUID(int=0), UUID(int=2**128 - 1))
        ]
    assert told[0]["sqlstate"] == tries.NO_SUCH_BOOK
    assert all(one == told[0] for one in told)
    assert not any(str(books.other) in text for text in told[0].values())


@pytest.mark.asyncio
async def test_trap9_who_has_no_session_learns_nothing_of_books(stand: Stand, books: Books) -> None:
    call, variables = tries.operation("Visits")
    async with tries.as_login(stand, Login.API) as api:
        told = [
            await tries.refusal_of(api, call, token, None, target, None, "vi", *variables)
            for token in (None, "", "x" * 43)
            for target in (None, books.owner, UUID(int=7))
        ]
    assert told[0]["sqlstate"] == tries.NO_SESSION
    assert all(one == told[0] for one in told)
