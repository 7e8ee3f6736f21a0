"""A hospital that sends until it knows, and writes down outside of the system what it was told."""

import hashlib
import json
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.sockets import PATIENCE

AGAIN_SECONDS = 0.2


@dataclass(slots=True)
class Journal:
    """What was asked and what was answered, each line on the disk before anything else happens."""

    path: Path
    answers: dict[str, str] = field(default_factory=dict)  # the message's number by the digest of its bytes
    unknown: int = 0  # asked, and no answer came
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, **line: object) -> None:
        """Write a line for good."""
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def answered(self, digest: str, message_id: str) -> None:
        """Note a 202; the same bytes may never get another number.

        :raises AssertionError: when they did
        """
        self.write(digest=digest, answer=message_id)
        assert self.answers.setdefault(digest, message_id) == message_id, "the same bytes got another receipt"


def send(body: bytes, *, http: httpx.Client, token: str, journal: Journal) -> str:
    """Send a message until there is an answer, and return its number.

    :raises TimeoutError: when there is none
    """
    digest = hashlib.sha256(body).hexdigest()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/xml", "Idempotency-Key": digest}
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        journal.write(digest=digest, asked=True)
        try:
            answer = http.post("/ingest/qd4750", content=body, headers=headers)
        except httpx.TransportError:
            journal.unknown += 1
        else:
            if answer.status_code == httpx.codes.ACCEPTED:
                message_id = str(answer.json()["messageId"])
                journal.answered(digest, message_id)
                return message_id
            assert answer.status_code >= 500, answer.text
        time.sleep(AGAIN_SECONDS)
    message = "no answer in a minute"
    raise TimeoutError(message)
