"""Where things stand on this machine."""

import hashlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNTIME_LOCK = ROOT / "requirements.lock"
DEVELOPMENT_LOCK = ROOT / "requirements-dev.lock"


def user_data_dir() -> Path:
    """Return the folder for programs' data, as `sokhoe` does; root's can be traversed by other accounts."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if os.geteuid() == 0:
        return Path("/var/lib")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def demo_data_dir(chosen: Path | None = None) -> Path:
    """Return the demo's folder: the chosen one, `SOKHOE_DATA`, or `sokhoe` in the user's data folder."""
    wanted = chosen or os.environ.get("SOKHOE_DATA") or user_data_dir() / "sokhoe"
    return Path(wanted).expanduser().resolve()


def environment_dirs() -> tuple[Path, Path]:
    """Return where the Python environment may stand: in the checkout, or outside if that is read-only."""
    checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return ROOT / ".venv", user_data_dir() / f"sokhoe-environment-{checkout}"
