"""The service door as a program of its own."""

import os
import subprocess
import sys
from pathlib import Path

from app.core.settings import Settings


def environment(settings: Settings, **changed: str) -> dict[str, str]:
    """Return the variables of a process on one database."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONUNBUFFERED": "1",
        "SOKHOE_DATA": str(settings.secrets_dir / "none"),
        "SOKHOE_DATABASE_URL": settings.database_url,
        "SOKHOE_SECRETS_DIR": str(settings.secrets_dir),
        "SOKHOE_DEMO": "true",
        **changed,
    }


def command(*arguments: str) -> list[str]:
    """Return the command line of `sokhoe`."""
    return [sys.executable, "-c", "from app.cli import main; main()", *arguments]


def sokhoe(settings: Settings, *arguments: str) -> tuple[int, str]:
    """Run a command to its end; returns its exit code and what it printed."""
    done = subprocess.run(
        command(*arguments),
        env=environment(settings),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout
