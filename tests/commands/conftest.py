"""A command line of its own: no setting and no running demo of this machine counts."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.settings import Settings
from tests.commands.running import Sokhoe


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting and no running demo of this machine counts; what a command sets is gone afterwards."""
    for name in [name for name in os.environ if name.startswith("SOKHOE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SOKHOE_DATA", str(tmp_path / "data"))
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def sokhoe() -> Sokhoe:
    return Sokhoe()


@pytest.fixture
def installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment name a database in which the product is installed."""
    monkeypatch.setenv("SOKHOE_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SOKHOE_SECRETS_DIR", str(settings.secrets_dir))
    monkeypatch.setenv("SOKHOE_DEMO", "true")


@pytest.fixture
def own_secrets(installed: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a copy of the secrets that a test may spoil."""
    del installed
    folder = tmp_path / "secrets"
    shutil.copytree(settings.secrets_dir, folder)
    for path in folder.iterdir():
        path.chmod(0o600)
    monkeypatch.setenv("SOKHOE_SECRETS_DIR", str(folder))
    return folder
