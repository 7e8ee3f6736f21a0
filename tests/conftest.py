"""A real PostgreSQL, the real migrations, a real server on loopback; one database a test module."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import hypothesis
import pytest
import uvicorn

from app.core.settings import Settings
from app.gateway.wire import Wire, server_of
from app.main import build_app
from app.migrate import migrate
from devkit.credentials import make_secrets, prepare_database
from devkit.postgres import Cluster, temporary_cluster
from tests import steps
from tests.people import Stand
from tests.sockets import PATIENCE

TEMPLATE = "sokhoe_template"
hypothesis.settings.register_profile("same every time", derandomize=True)  # --hypothesis-profile=default draws anew
hypothesis.settings.load_profile("same every time")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that last long first: what runs beside them is spread evenly then."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A cluster with the product installed in a template."""

    cluster: Cluster
    secrets: Path

    def settings(self, database: str, **changed: object) -> Settings:
        """Return demo settings for one database of this cluster."""
        url = f"postgresql://127.0.0.1:{self.cluster.port}/{database}"
        return Settings(
            database_url=url, secrets_dir=self.secrets, demo=True, api_pool_size=4, ingest_pool_size=4
        ).model_copy(update=changed)


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Start PostgreSQL once and install the product once."""
    secrets = tmp_path_factory.mktemp("secrets") / "secrets"
    with temporary_cluster(settings={"fsync": "off", "autovacuum": "off"}) as cluster:
        make_secrets(secrets)
        prepare_database(cluster, database=TEMPLATE, secrets_directory=secrets)
        found = Ground(cluster=cluster, secrets=secrets)
        asyncio.run(migrate(found.settings(TEMPLATE), progress=lambda _step: None))
        yield found


@pytest.fixture(scope="module")
def settings(ground: Ground) -> Iterator[Settings]:
    """Return the settings of a database of this module's own."""
    name = f"t_{uuid4().hex[:12]}"
    ground.cluster.create_database(name, template=TEMPLATE)
    ground.cluster.psql(
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC; "
        f"GRANT CONNECT ON DATABASE {name} TO "
        "api, desk, porter, ingest, worker, sealer, auditor, migrator, backup, demo; "
        "UPDATE audit.tree SET sealed_at = now()",  # as if a sealer had just been there
        database=name,
    )
    found = ground.settings(name)
    yield found
    steps.close(found)
    ground.cluster.drop_database(name)


@pytest.fixture(scope="module")
def stand(settings: Settings) -> Stand:
    """Return what a test puts into its database: facilities, messages, citizens and their tokens."""
    return Stand(settings)


@dataclass(slots=True)
class RunningServer:
    """The API on a loopback port, in a thread of its own."""

    settings: Settings
    wire: type[Wire] = Wire
    url: str = ""
    port: int = 0
    _server: uvicorn.Server | None = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Start and wait until it answers."""
        self._server = server_of(build_app(self.settings), host="127.0.0.1", port=self.port, wire=self.wire)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        give_up_at = time.monotonic() + PATIENCE
        while not self._server.started:
            if time.monotonic() > give_up_at or not self._thread.is_alive():
                message = "the server did not start"
                raise RuntimeError(message)
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop and wait."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=PATIENCE)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[RunningServer]:
    """Serve this module's database."""
    running = RunningServer(settings)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def http(server: RunningServer) -> Iterator[httpx.Client]:
    """Speak HTTP with the running server."""
    with httpx.Client(
        base_url=server.url, timeout=PATIENCE, verify=False
    ) as client:  # without reading certificates each time
        yield client
