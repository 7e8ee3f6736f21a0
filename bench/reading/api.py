"""The product's API with the bench's documents in place of the released ones."""

import sys
from pathlib import Path

from app.commands.console import read_settings
from app.gateway import trusted
from app.gateway.wire import server_of
from app.main import build_app


def main() -> None:
    """Serve."""
    folder, port = sys.argv[1:]
    trusted.FOLDER = Path(folder)
    server_of(build_app(read_settings()), host="127.0.0.1", port=int(port)).run()


if __name__ == "__main__":
    main()
