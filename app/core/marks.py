"""Whether the keys at hand are those that this database was filled with.

A mark is HMAC-SHA-256 under the key over the names of file and key: it is the same for the same key and tells nothing
of it. Marks are noted at the first start with a key; a file without a key that was noted is refused at the start.
"""

import hashlib
import hmac
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.crypto import Vault, open_vault, read_key_file
from app.core.logins import Login, connect
from app.core.revision import REVISION, check_revision
from app.core.settings import Settings

if TYPE_CHECKING:
    import asyncpg

MARKED = ("sealing.keys", "index.keys", "mac.keys")
KEEPS_OLD_KEYS = ("sealing.keys",)
"""What an older line sealed it still opens. Of the other files the first line alone is used, and it cannot change."""


class OtherKeys(Exception):
    """A key file lacks a key that this database was filled with; the message names file and key id."""

    def __init__(self, what: str, *, way_out: str) -> None:
        super().__init__(what)
        self.way_out = way_out  # the command, where the key is lost for ever


def marks_of(path: Path) -> dict[str, bytes]:
    """Return the 32-byte marks of the keys that are used of a file, by key id.

    :raises KeyFileError: when it is missing or malformed
    """
    marks = {
        key_id: hmac.digest(key, f"key mark|{path.name}|{key_id}".encode(), hashlib.sha256)
        for key_id, key in read_key_file(path).items()
    }
    return marks if path.name in KEEPS_OLD_KEYS else dict([next(iter(marks.items()))])


async def note_keys(connection: "asyncpg.Connection[asyncpg.Record]", *paths: Path) -> None:
    """Compare the files with what the database has noted, and note what is new.

    :raises OtherKeys: when a key is missing that was used before
    :raises KeyFileError: when a file is missing or malformed
    """
    for path in paths:
        marks = marks_of(path)
        lost = await connection.fetch("SELECT auth.note_keys($1, $2, $3)", path.name, list(marks), list(marks.values()))
        if lost:
            what = f"{path.name} {lost[0][0]}"
            raise OtherKeys(what, way_out=f"sokhoe keys forget {what}")


async def open_known_vault(settings: Settings, login: Login) -> Vault:
    """Read the keys and compare them with the database's, which must not be older than this code.

    :raises OtherKeys: when a key is missing that was used before
    :raises KeyFileError: when a file is missing or malformed
    :raises DatabaseBehind: when `migrate` was not run
    """
    connection = await connect(settings, login)
    try:
        if login is Login.MIGRATOR:
            await connection.execute("SET ROLE auth_owner")
        await note_keys(connection, *(settings.secrets_dir / name for name in MARKED))
        check_revision(await connection.fetchval(REVISION))
    finally:
        await connection.close()
    return open_vault(settings.secrets_dir)


async def note_keys_at_hand(settings: Settings) -> None:
    """Compare and note those files that are there: who migrates needs no key. Nothing where no table is yet.

    :raises OtherKeys: when a key is missing that was used before
    """
    connection = await connect(settings, Login.MIGRATOR)
    try:
        if await connection.fetchval("SELECT count(*) = 0 FROM pg_proc WHERE proname = 'note_keys'"):
            return
        await connection.execute("SET ROLE auth_owner")
        paths = (settings.secrets_dir / name for name in MARKED)
        await note_keys(connection, *(path for path in paths if path.exists()))
    finally:
        await connection.close()
