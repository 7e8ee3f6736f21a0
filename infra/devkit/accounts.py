"""Under which account PostgreSQL runs: it refuses root."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SERVER_ACCOUNTS = ("postgres", "_postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Run programs as one account; `switch` is false when it is the caller's own."""

    name: str
    uid: int
    gid: int
    switch: bool

    @classmethod
    def for_postgres(cls) -> "Account":
        """Return the caller's own account, or, for root, an existing one with no rights.

        :raises LookupError: when root finds none of SERVER_ACCOUNTS.
        """
        if os.geteuid() != 0:
            return cls.of(os.geteuid())
        for name in SERVER_ACCOUNTS:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
        raise LookupError("PostgreSQL refuses root, and this machine has none of " + ", ".join(SERVER_ACCOUNTS))

    @classmethod
    def of(cls, uid: int) -> "Account":
        """Return the account of a user id.

        :raises KeyError: when the id has no passwd entry; PostgreSQL refuses such an id.
        """
        entry = pwd.getpwuid(uid)
        return cls(name=entry.pw_name, uid=uid, gid=entry.pw_gid, switch=uid != os.geteuid())

    def run(
        self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end and return what it printed; a bad exit code does not raise."""
        return subprocess.run(
            [str(part) for part in command],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=env,
            cwd=cwd,
            umask=0o077,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def spawn(
        self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, output: int
    ) -> subprocess.Popen[bytes]:
        """Start in a session of its own, so that a Ctrl-C in the terminal does not reach it."""
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd=cwd,
            umask=0o077,
            start_new_session=True,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def give(self, path: Path) -> None:
        """Make the account the owner of what the caller has just made."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, directory: Path) -> bool:
        """Tell whether the account can traverse to a directory. Tried, not computed: ACLs count too."""
        command: list[str | Path] = ["/bin/sh", "-c", 'cd "$1" && test -r .', "sh", directory]
        return self.run(command, cwd=Path("/")).returncode == 0

    def can_run(self, program: Path) -> bool:
        """Tell whether the account can run a program where it stands, with its libraries."""
        try:
            return self.run([program, "--version"], cwd=Path("/")).returncode == 0
        except PermissionError:
            return False
