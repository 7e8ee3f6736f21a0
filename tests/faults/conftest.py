"""A house of its own for each test that hurts it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.settings import Settings
from app.migrate import migrate
from devkit.credentials import make_secrets, prepare_database
from devkit.postgres import Cluster, temporary_cluster
from tests.faults.house import DATABASE, House
from tests.sockets import free_port


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Give a cluster of its own, whose port stays when it is killed."""
    fixed = free_port()
    monkeypatch.setattr("devkit.postgres._free_port", lambda: fixed)
    with temporary_cluster() as cluster:
        yield cluster


@pytest.fixture
def installed(cluster: Cluster, tmp_path: Path) -> Settings:
    """Install the product on it."""
    secrets = tmp_path / "secrets"
    make_secrets(secrets)
    prepare_database(cluster, database=DATABASE, secrets_directory=secrets)
    url = f"postgresql://127.0.0.1:{cluster.port}/{DATABASE}"
    settings = Settings(database_url=url, secrets_dir=secrets, demo=True)
    asyncio.run(migrate(settings, progress=lambda _step: None))
    return settings


@pytest.fixture
def house(cluster: Cluster, installed: Settings, tmp_path: Path) -> Iterator[House]:
    """Start the product."""
    with House(cluster=cluster, settings=installed, port=free_port(), marks=tmp_path).opened() as house:
        yield house
