"""What a process must not have in its memory: it would stay there for good, and no request would ever need it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NEVER = {
    "serve": {
        "alembic",
        "attr",
        "babel",
        "firebase_admin",
        "fluent",
        "google",
        "holidays",
        "icalendar",
        "pgqueuer",
        "requests",
    },
    "worker": {
        "alembic",
        "fastapi",
        "graphql",
        "holidays",
        "icalendar",
        "prometheus_client",
        "segno",
        "strawberry",
        "uvicorn",
    },
}
OF_NOBODY = {"pygments", "pytest", "rich"}
OURS = {"serve": {"app.demo", "app.worker", "app.notifications.fcm"}, "worker": {"app.demo", "app.gateway", "app.main"}}
NEEDED = {"serve": {"app.main", "graphql"}, "worker": {"app.worker", "firebase_admin"}}


@pytest.mark.parametrize("process", ["serve", "worker"])
def test_t12_a_process_imports_what_it_uses(process: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "SOKHOE_DATABASE_URL": "postgresql://127.0.0.1:1/nowhere",
        "SOKHOE_SECRETS_DIR": str(tmp_path),
        "SOKHOE_PUBLIC_URL": "http://127.0.0.1:1",
    }
    command = [sys.executable, "-X", "importtime", "-c", "from app.cli import main; main()", process]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False).stderr
    modules = {line.rsplit("|", 1)[1].strip() for line in told.splitlines() if line.startswith("import time:")}
    packages = {module.partition(".")[0] for module in modules}

    assert modules >= NEEDED[process], told[-500:]
    assert not packages & (NEVER[process] | OF_NOBODY)
    assert not modules & OURS[process]
