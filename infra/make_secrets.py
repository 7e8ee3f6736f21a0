#!/usr/bin/env python3
"""Make the secret files of an installation: `python3 infra/make_secrets.py DIRECTORY`. What is there stays.

The files are readable and the directory is not: a container's account, which need not exist on this machine,
reads the files that are mounted into it; on the machine itself only the directory's owner gets to them.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from devkit.credentials import LOGINS, make_secrets


def main() -> int:
    """Make what is missing and name it."""
    parser = argparse.ArgumentParser(description="Make the secret files of an installation; what is there stays.")
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    made = make_secrets(directory, logins=["postgres", *(login for login in LOGINS if login != "demo")])
    for path in made:
        path.chmod(0o444)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
