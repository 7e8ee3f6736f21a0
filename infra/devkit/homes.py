"""The directory that a cluster lives in, and the account that may use it.

What stands in a cluster's directory (its home), and who owns it:

    sokhoe-cluster      the mark: only a directory that has it is ever removed
    pgdata/             the data                                     the server's account, 0700
    run/                the unix socket                              the server's account, 0700
    postgresql.conf     written again at each start
    superuser.password                                               0400
    server.log          what the server says; it never holds a statement or a parameter
    binaries/           a copy of the programs, if the server's account cannot read the environment

Where the server's account cannot get to the directory (root's, mode 0700), nobody's permissions are loosened:
the home is `/var/lib/sokhoe-<hash of the path>` then, and the file `<directory>.location` says so.
"""

import hashlib
import os
import shutil
import sys
import time
from pathlib import Path

from devkit.accounts import Account

MARK = "sokhoe-cluster"
BUSY_SECONDS = 15


class PostgresError(Exception):
    """PostgreSQL could not do what it was asked for; the text is for the person at the terminal."""


class Home:
    """The directory of one cluster: `wanted`, or the place that stands for it."""

    def __init__(self, wanted: Path) -> None:
        self.wanted = wanted.absolute()
        self.note = self.wanted.parent / (self.wanted.name + ".location")
        self.path = self.wanted
        if self.note.exists():
            self.path = Path(self.note.read_text(encoding="utf-8").strip())
        self.account = self._find_account()

    @property
    def pgdata(self) -> Path:
        """Return PostgreSQL's own data directory."""
        return self.path / "pgdata"

    def make(self) -> None:
        """Make the directory, where the server's account can enter it.

        :raises PostgresError: when the directory holds something else, or no place serves.
        """
        self._make_marked(self.wanted)
        if self.account.can_enter(self.wanted):
            return
        library = Path("/Library/Application Support" if sys.platform == "darwin" else "/var/lib")
        self.path = library / f"sokhoe-{hashlib.sha256(str(self.wanted).encode()).hexdigest()[:12]}"
        self._make_marked(self.path)
        if not self.account.can_enter(self.path):
            raise PostgresError(f"{self.account.name} can enter neither {self.wanted} nor {self.path}")
        (self.wanted / MARK).unlink()
        self.wanted.rmdir()
        self.note.write_text(f"{self.path}\n", encoding="utf-8")

    def remove(self) -> None:
        """Remove the directory and the note. The last children of a killed server may write for a moment.

        :raises PostgresError: when the directory is not a cluster's.
        """
        if self.path.exists() and not (self.path / MARK).exists():
            raise PostgresError(f"{self.path} is not a cluster of Sổ Khỏe; it is left alone")
        give_up_at = time.monotonic() + BUSY_SECONDS
        while self.path.exists():
            try:
                shutil.rmtree(self.path)
            except OSError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.1)
        self.note.unlink(missing_ok=True)
        self.path = self.wanted

    def _find_account(self) -> Account:
        """Return the owner of the data if there is some, for only that account can use it."""
        try:
            if os.geteuid() == 0 and (self.pgdata / "PG_VERSION").exists():
                return Account.of(self.pgdata.stat().st_uid)
            return Account.for_postgres()
        except LookupError as problem:
            raise PostgresError(f"There is no account to run PostgreSQL: {problem}") from problem

    def _make_marked(self, directory: Path) -> None:
        mark = directory / MARK
        if directory.exists() and any(directory.iterdir()) and not mark.exists():
            raise PostgresError(f"{directory} holds something else than a cluster; it is left alone")
        if not directory.exists():
            directory.mkdir(parents=True)
            directory.chmod(0o755 if self.account.switch else 0o700)
        mark.write_text("A PostgreSQL cluster of Sổ Khỏe.\n", encoding="utf-8")
