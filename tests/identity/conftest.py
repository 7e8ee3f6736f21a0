"""One server and one identity provider a module."""

from collections.abc import Iterator

import pytest

from app.core import outbound
from app.core.settings import Settings
from tests.conftest import RunningServer
from tests.identity.signing_in import Instead, Scene, make_scene
from tests.sockets import PATIENCE


@pytest.fixture(scope="session", autouse=True)
def patient() -> Iterator[None]:
    """Wait for a provider as long as the settings say: it runs in this process, which may have to wait itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbound, "CONNECT_SECONDS", PATIENCE)
        patch.setattr(outbound, "READ_SECONDS", PATIENCE)
        yield


@pytest.fixture(scope="module")
def scene(settings: Settings) -> Iterator[Scene]:
    made, provider, port = make_scene(settings)
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    yield made
    server.stop()
    provider.stop()


@pytest.fixture(scope="module")
def odd(scene: Scene) -> Iterator[tuple[Scene, Instead]]:
    """Give another server whose provider says what is put in the place of its answers."""
    made, provider, port = make_scene(scene.settings)
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    yield made, provider.instead
    server.stop()
    provider.stop()
