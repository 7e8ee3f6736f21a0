"""A running push service, and one that a worker's steps speak with."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from app.demo.push_service import PushService, build_push_service, send_url, write_account
from tests.sockets import PATIENCE


@dataclass(slots=True)
class Service:
    """A push service on loopback."""

    url: str
    state: PushService = field(default_factory=PushService)

    @property
    def send_url(self) -> str:
        return send_url(self.url)

    def write_credentials(self, secrets: Path) -> None:
        """Write the service account's key where a worker looks for it."""
        write_account(self.state, file=secrets / "fcm.json", url=self.url)


@contextmanager
def push_service() -> Iterator[Service]:
    """Run one."""
    state = PushService()
    with served(build_push_service(state)) as url:
        yield Service(url=url, state=state)


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Run an application on loopback, in a thread of its own; yields its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none", date_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + PATIENCE
    while not server.started:
        if time.monotonic() > give_up_at:
            message = "the push service did not start"
            raise RuntimeError(message)
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=PATIENCE)
