"""Whether the database is as new as this code.

`migrate` writes what it installed where every login may read it, as the comment of the schema `op`: the newest
migration, then the digest of each state of the repeatable SQL that was installed since, the present one last. A newer
database serves an older release (its functions stay until their sunset), an older one lacks what this release calls.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
REVISION: Final = "SELECT obj_description(to_regnamespace('op'), 'pg_namespace')"
_DIGITS = 12
_MOST_STATES = 50


class DatabaseBehind(Exception):
    """The database is older than this code; the message names the revisions of both."""


@cache
def newest_revision() -> str:
    """Return the four digits of this code's newest migration."""
    return max(path.name[:4] for path in (_ROOT / "migrations" / "versions").glob("[0-9]*.py"))


@cache
def repeatable_sql() -> str:
    """Return the digest of this code's functions, policies and grants, in 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted((_ROOT / "app").glob("*/sql/*.sql")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_ROOT).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:_DIGITS]


def note_installed(noted: str | None) -> str:
    """Return what to write after an install, where `noted` was written before.

    A release that comes back takes away what came after it: that is not installed any more.
    """
    revision, *states = (noted or "?").split()
    mine, own = newest_revision(), repeatable_sql()
    kept = [] if revision != mine else states[: states.index(own)] if own in states else states
    return " ".join([mine, *kept[1 - _MOST_STATES :], own])


def check_revision(noted: str | None) -> None:
    """Compare what the database answered to `REVISION` with this code.

    :raises DatabaseBehind: when it is older
    """
    revision, *states = (noted or "?").split()
    mine, own = newest_revision(), repeatable_sql()
    if revision == "?" or revision < mine:
        raise DatabaseBehind(f"{revision} < {mine}")
    if revision == mine and own not in states:
        raise DatabaseBehind(" ".join([revision, *states[-1:], "<", mine, own]))
