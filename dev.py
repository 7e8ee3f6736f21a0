#!/usr/bin/env python3
"""Every command of this project: `python3 dev.py --help`. Needs Python 3.11 and nothing else."""

# This file must be readable for old Pythons too: it is here that they are told.
import os
import shutil
import sys
from pathlib import Path

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
TOO_OLD = """\
Sổ Khỏe needs Python 3.11 or newer; {program} is Python {version}.
Install a newer one and run the same command with it:
  Debian 12, Ubuntu 24.04 or newer   apt install python3
  macOS                              brew install python@3.13, then: python3.13 dev.py …
  anywhere, with uv                  uv run --no-project --python 3.13 dev.py …"""


def main() -> int:
    """Run a command; where this Python is too old, let a newer one of this machine do it."""
    if sys.version_info < OLDEST:
        for name in NEWER:
            program = shutil.which(name)
            if program:
                os.execv(program, [program, *sys.argv])  # noqa: S606 — no shell is wanted
        version = "{}.{}".format(*sys.version_info[:2])
        sys.stderr.write(TOO_OLD.format(program=sys.executable, version=version) + "\n")
        return 1
    sys.path.insert(0, str(Path(__file__).resolve().parent / "infra"))
    from devkit.commands import dispatch  # noqa: PLC0415 — an old Python cannot read it

    return dispatch(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
