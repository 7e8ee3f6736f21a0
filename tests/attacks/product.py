"""The product as it runs: the API and the worker, each a process of its own, with their logs in files."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.core.settings import Settings
from tests.sockets import PATIENCE, free_port


@dataclass(frozen=True, slots=True)
class Product:
    """Where the API listens, and what both processes have said so far."""

    url: str
    folder: Path

    def said(self) -> bytes:
        """Return the standard output and error of both processes."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.glob("*.log")))


@contextmanager
def running(settings: Settings, folder: Path) -> Iterator[Product]:
    """Run `sokhoe serve` and `sokhoe worker` on one database until the end."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.defpath,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "SOKHOE_DATA": str(folder),
        "SOKHOE_DATABASE_URL": settings.database_url,
        "SOKHOE_SECRETS_DIR": str(settings.secrets_dir),
        "SOKHOE_DEMO": "true",
        "SOKHOE_PUBLIC_URL": url,
    }
    with ExitStack() as stack:
        api = stack.enter_context(_process(folder, "api", environment, "serve", "--port", str(port)))
        stack.enter_context(_process(folder, "worker", environment, "worker"))
        _wait_ready(url, api)
        yield Product(url, folder)


@contextmanager
def _process(
    folder: Path, name: str, environment: dict[str, str], *arguments: str
) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", "from app.cli import main; main()", *arguments]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(url: str, api: "subprocess.Popen[bytes]") -> None:
    give_up_at = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        if api.poll() is not None or time.monotonic() > give_up_at:
            message = "the API did not start"
            raise RuntimeError(message)
        time.sleep(0.02)
