"""The newest signed head, kept outside of the database: it shows that the log was cut off, after a restore for one."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from app.audit import checkpoints, sql
from app.audit.checkpoints import BadCheckpoint


class LogCut(Exception):
    """The database's tree does not continue what this log has signed; the message names the log and the head."""


@dataclass(slots=True)
class KeptHead:
    """What the sealer knows by itself: in memory, and in a file where there is one for it."""

    path: Path | None
    note: str = field(default="", init=False)

    def __post_init__(self) -> None:
        """Read the file."""
        if self.path is not None and self.path.exists():
            self.note = self.path.read_text(encoding="utf-8")

    async def check(self, connection: sql.Connection, *, verifiers: tuple[str, ...], origin: str) -> None:
        """Compare with the database before anything is signed. A head of a log with another name is of another log.

        :raises LogCut: when the head is not of the database's tree, or is none
        """
        named = self.note.partition("\n")[0]
        if not self.note or named != origin:
            return
        try:
            kept = checkpoints.read(self.note, verifiers=verifiers)
        except BadCheckpoint as error:
            raise LogCut(f"{origin}, {self.path}: {error}") from None
        if await sql.root_at(connection, size=kept.size) != kept.root:
            raise LogCut(f"{origin}, {kept.size}")

    def keep(self, note: str) -> None:
        """Keep a head that is committed. The last one of a log with another name stays beside it, for ever.

        :raises OSError: when it cannot be written
        """
        if self.path is not None:
            before = self.note.split("\n")
            if self.note and before[0] != note.partition("\n")[0]:
                self.path.rename(f"{self.path}.ended-at-{before[1]}")
            made = self.path.with_name(f"{self.path.name}.new")
            with made.open("w", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            made.replace(self.path)
        self.note = note
