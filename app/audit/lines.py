"""What is hashed of a line, made of its columns again: the judge does not ask the database's own functions."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.audit.tree import leaf_hash


def canonical(value: object) -> str:
    """Return canonical JSON. Source: RFC 8785, for what stands in a line: ASCII keys and whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def body_of(line: Mapping[str, Any]) -> str:
    """Return the body of a line, by its columns."""
    at: datetime = line["at"]
    actor_id: UUID | None = line["actor_id"]
    return canonical(
        {
            "v": 1,
            "citizen": str(line["citizen_id"]),
            "n": line["n"],
            "previous": line["previous"].hex(),
            "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "action": line["action"],
            "category": line["category"],
            "actor": {
                "kind": line["actor_kind"],
                "id": None if actor_id is None else str(actor_id),
                "name": line["actor_name"],
                "facility": line["facility_code"],
            },
            "about": json.loads(line["about"]),
        }
    )


def leaf_of(line: Mapping[str, Any]) -> bytes:
    """Return the leaf that a line must have."""
    return leaf_hash(bytes(line["nonce"]) + body_of(line).encode())
