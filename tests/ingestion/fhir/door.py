"""A facility's way in with FHIR, and what became of what it sent."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.people import Stand

FHIR = "application/fhir+json"


Look = Callable[[str], list[dict[str, Any]]]


class Door:
    """A facility's way in."""

    def __init__(self, http: httpx.Client, stand: Stand, code: str, look: Look) -> None:
        self.http, self.stand, self.look = http, stand, look
        self.token = stand.facility(code)
        self.headers = {"Authorization": f"Bearer {self.token}", "Content-Type": FHIR}

    def push(self, body: bytes, *, path: str = "/ingest/fhir", **headers: str) -> httpx.Response:
        return self.http.post(path, content=body, headers={**self.headers, **headers})

    def concluded(self, body: bytes, *, path: str = "/ingest/fhir", **headers: str) -> dict[str, Any]:
        answer = self.push(body, path=path, **headers)
        assert answer.status_code == 202, answer.text
        self.stand.process(answer.json()["messageId"])
        return self.receipt(answer.json()["messageId"])

    def receipt(self, message_id: str, **headers: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(
            f"/ingest/messages/{message_id}", headers={**self.headers, **headers}
        ).json()
        return found


def outcomes(receipt: dict[str, Any]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for entry in receipt["entries"]:
        told.setdefault(entry["resource"], []).append(entry["outcome"])
    return told


def codes(receipt: dict[str, Any]) -> list[str]:
    return [one["code"] for one in receipt["problems"]] + [
        one["code"] for v in receipt["visits"] for one in v["problems"]
    ]


def book(door: Door, table: str, columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in door.look(f"SELECT {columns} FROM book.{table} ORDER BY 1")]


def of(
    number: str, *names: str, kind: str = "transaction", change: Callable[[dict[str, Json]], object] | None = None
) -> bytes:
    """Return a message about a person and a visit of this number's own."""

    def own(all_: dict[str, Json]) -> None:
        if "patient" in all_:
            all_["patient"]["identifier"] = [{"system": f"{bundles.SID}/cccd", "value": f"0011850{number}"}]
        if "visit" in all_:
            all_["visit"]["identifier"][0]["value"] = f"V{number}"
        if "study" in all_:
            all_["study"]["identifier"][0]["value"] = f"urn:oid:1.2.840.99.{number}"
        for name, resource in all_.items():
            if "id" in resource:
                resource["id"] = f"{name}-{number}"
        if change is not None:
            change(all_)

    return bundles.message(*names, kind=kind, change=own)
