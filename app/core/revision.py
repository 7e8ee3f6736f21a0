"""Whether the database is as new as this code.

`migrate` writes its newest migration where every login may read it: as the comment of the schema `op`. A newer database
serves an older release (its functions stay until their sunset), an older one lacks what this release calls.
"""

from functools import cache
from pathlib import Path
from typing import Final

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
REVISION: Final = "SELECT obj_description(to_regnamespace('op'), 'pg_namespace')"


class DatabaseBehind(Exception):
    """The database is older than this code; the message names the revisions of both."""


@cache
def newest_revision() -> str:
    """Return the four digits of this code's newest migration."""
    return max(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))


def check_revision(revision: str | None) -> None:
    """Compare what the database answered to `REVISION` with this code.

    :raises DatabaseBehind: when it is older
    """
    if (revision or "") < newest_revision():
        raise DatabaseBehind(f"{revision or '?'} < {newest_revision()}")
