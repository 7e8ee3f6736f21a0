"""Answers the toy's operations from plain rows with graphql-core. Shares no code with the compiler: it is the judge.

Cursors are opaque in the contract; here they are `cursor:` and the order keys, and `canonical` brings real ones
into that form.
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from graphql import DocumentNode, ExecutionResult, build_schema, execute_sync

from tests.compiler.bench import Viewing, unseal
from tests.compiler.rows import TABLES
from tests.compiler.toy import SCHEMA

JUDGE = build_schema(SCHEMA.as_str())
Row = dict[str, Any]
Shown = dict[str, Any] | None


def judged(document: DocumentNode, variables: Mapping[str, object], viewing: Viewing) -> ExecutionResult:
    result = execute_sync(JUDGE, document, root_value=_Answers(viewing).root(), variable_values=dict(variables))
    assert isinstance(result, ExecutionResult)
    return result


def canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # JSON has one kind of number
    keys = cursor_keys(value) if isinstance(value, str) else None
    return value if keys is None else f"cursor:{json.dumps(keys)}"


def cursor_keys(text: str) -> list[str] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return None
    return [str(key) for key in found[1:]] if isinstance(found, list) and len(found) > 1 else None


def instant(value: datetime | None) -> str | None:
    if value is None:
        return None
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def number(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def shown(value: object) -> str:
    if isinstance(value, datetime):
        return str(instant(value))
    return value.isoformat() if isinstance(value, date) else str(value)


class _Answers:
    def __init__(self, viewing: Viewing) -> None:
        self.viewing = viewing

    def own(self, table: str) -> list[Row]:
        return [row for row in TABLES[table] if row["citizen_id"] == self.viewing.citizen]

    def root(self) -> Row:
        return {
            "book": lambda _info, **_arguments: self.book(),
            "me": lambda _info: self.me(),
            "facilities": lambda _info, **arguments: self.facilities(arguments),
        }

    def me(self) -> Shown:
        row = next((row for row in TABLES["viewer"] if row["id"] == self.viewing.viewer), None)
        if row is None:
            return None
        kind = {"p": "Practitioner", "c": "Citizen"}.get(row["role"], "Unheard")
        return {"__typename": kind, "name": row["name"], "id": str(row["id"]), "licence": row["licence"]}

    def facilities(self, arguments: Row) -> Shown:
        search = arguments.get("search")
        rows = [row for row in TABLES["facility"] if search is None or search in row["name"]]
        order = {"BY_NAME": ["name", "code"], "BEST_FIRST": ["-rank", "code"]}.get(
            str(arguments.get("order")), ["code"]
        )
        return self.connection(rows, order, arguments, 4, self.facility)

    def book(self) -> Shown:
        row = next((row for row in self.own("book")), None)
        if row is None:
            return None
        visits, entries = self.viewing.sections & 1, self.viewing.sections & 2
        return {
            "version": row["version"],
            "greeting": "chào \"bạn\" \\ 'ơi'",
            "language": self.viewing.language,
            "ownerName": row["owner_name"],
            "bornOn": None if row["born_on"] is None else row["born_on"].isoformat(),
            "nationalId": self.opened(row["sealed_id"]),
            "phone": self.opened(row["sealed_phone"]),
            "visits": lambda _info, **arguments: self.visits(arguments) if visits else None,
            "entries": lambda _info, **arguments: self.entries(arguments) if entries else None,
            "days": lambda _info, first: [self.entry(row) for row in self.own("entry")[::-1][:first]],
            "conditions": lambda _info, codes: self.conditions(codes) if visits else None,
            "lastVisits": [self.visit(row) for row in ordered(self.own("visit"), ["-started_at", "-id"])[:4]],
        }

    def opened(self, sealed: bytes | None) -> str | None:
        return None if sealed is None else unseal(base64.b64encode(sealed).decode())

    def visits(self, arguments: Row) -> Shown:
        rows = self.own("visit")
        conditions: dict[str, Callable[[Row, Any], bool]] = {
            "from": lambda row, value: row["started_at"].date() >= date.fromisoformat(value),
            "kind": lambda row, value: bool(row["kind"] == value),
            "facilityCode": lambda row, value: bool(row["facility_code"] == value),
            "ids": lambda row, value: str(row["id"]) in value,
            "urgent": lambda row, value: bool(row["urgent"] == value),
            "window": lambda row, value: (
                not value.get("begin") or row["started_at"].date() >= date.fromisoformat(value["begin"])
            ),
        }
        for name, condition in conditions.items():
            value = arguments.get(name)
            if value is not None:
                rows = [row for row in rows if condition(row, value)]
        return self.connection(rows, ["-started_at", "-id"], arguments, 3, self.visit)

    def entries(self, arguments: Row) -> Shown:
        return self.connection(self.own("entry"), ["recorded_on", "-title", "id"], arguments, 2, self.entry)

    def conditions(self, codes: Sequence[str]) -> list[Row]:
        starts = {row["id"]: row["started_at"] for row in self.own("visit")}
        rows = [row for row in self.own("diagnosis") if row["code"] in codes]
        times = Counter(row["code"] for row in rows)
        return [
            {
                "code": code,
                "times": count,
                "lastAt": instant(max(starts[row["visit_id"]] for row in rows if row["code"] == code)),
            }
            for code, count in sorted(times.items(), key=lambda item: (-item[1], item[0]))[:10]
        ]

    def visit(self, row: Row) -> Row:
        facility = next((one for one in TABLES["facility"] if one["code"] == row["facility_code"]), None)
        diagnoses = [one for one in self.own("diagnosis") if one["visit_id"] == row["id"]]
        by_remark = ordered([one for one in diagnoses if one["remark"] is not None], ["-remark", "line"])
        by_remark += ordered([one for one in diagnoses if one["remark"] is None], ["line"])
        main = ordered(diagnoses, ["line"])[:1]
        costs = {"total": number(row["cost_total"]), "paid": number(row["cost_paid"])}
        return {
            "id": str(row["id"]),
            "startedAt": instant(row["started_at"]),
            "endedAt": instant(row["ended_at"]),
            "kind": row["kind"],
            "outcome": row["outcome"],
            "weight": row["weight"],
            "days": row["days"],
            "counter": row["counter"],
            "tags": row["tags"],
            "doses": None if row["doses"] is None else [number(dose) for dose in row["doses"]],
            "note": row["note"],
            "urgent": row["urgent"],
            "costs": costs if row["days"] > 0 else None,
            "plainCosts": costs,
            "facility": facility and self.facility(facility),
            "maybeFacility": facility and self.facility(facility),
            "diagnoses": [self.diagnosis(one) for one in by_remark[:2]],
            "mainDiagnosis": self.diagnosis(main[0]) if main else None,
        }

    def facility(self, row: Row) -> Row:
        def parent(_info: object) -> Shown:
            found = next((one for one in TABLES["facility"] if one["code"] == row["parent_code"]), None)
            return None if found is None else self.facility(found)

        return {
            "__typename": "Facility",
            **{key: row[key] for key in ("code", "name", "rank")},
            "parent": parent,
        }

    def diagnosis(self, row: Row) -> Row:
        names = {(one["code"], one["language"]): one["text"] for one in TABLES["label"]}
        return {
            "line": row["line"],
            "code": row["code"],
            "name": names.get((row["code"], self.viewing.language)),
            "remark": row["remark"],
        }

    def entry(self, row: Row) -> Row:
        return {
            "__typename": {"m": "Measurement", "d": "Dose"}.get(row["what"], "Unheard"),
            "recordedOn": row["recorded_on"].isoformat(),
            "id": str(row["id"]),
            "title": row["title"],
            "amount": number(row["amount"]),
            "dose": row["dose"],
            "origin": lambda _info: self.origin(row),
        }

    def origin(self, row: Row) -> Shown:
        if row["origin"] == "someone":
            return {"__typename": "Someone", "code": row["origin_code"]}
        if row["origin"] != "facility":
            return {"__typename": "Unheard"}
        found = next((one for one in TABLES["facility"] if one["code"] == row["origin_code"]), None)
        return None if found is None else self.facility(found)

    def connection(
        self, rows: list[Row], order: list[str], arguments: Row, default: int, show: Callable[[Row], Row]
    ) -> Row:
        def cursor(row: Row) -> str:
            return f"cursor:{json.dumps([shown(row[key.removeprefix('-')]) for key in order])}"

        rows, after = ordered(rows, order), arguments.get("after")
        total, start = len(rows), 0
        if after is not None:
            known = f"cursor:{json.dumps(cursor_keys(after))}"
            everything = ordered([row for row in TABLES_OF_ORDER[tuple(order)] if self.is_mine(row)], order)
            place = next(at for at, row in enumerate(everything) if cursor(row) == known)
            beyond = [id(row) for row in everything[place + 1 :]]
            start = next((at for at, row in enumerate(rows) if id(row) in beyond), total)
        first = arguments.get("first")
        page = rows[start:][: default if first is None else first]
        return {
            "totalCount": total,
            "edges": [{"cursor": cursor(row), "node": show(row)} for row in page],
            "nodes": [show(row) for row in page],
            "pageInfo": {
                "hasNextPage": total > start + len(page),
                "hasPreviousPage": after is not None,
                "startCursor": cursor(page[0]) if page else None,
                "endCursor": cursor(page[-1]) if page else None,
            },
        }

    def is_mine(self, row: Row) -> bool:
        return bool(row.get("citizen_id", self.viewing.citizen) == self.viewing.citizen)


TABLES_OF_ORDER = {
    ("-started_at", "-id"): TABLES["visit"],
    ("recorded_on", "-title", "id"): TABLES["entry"],
    ("code",): TABLES["facility"],
    ("name", "code"): TABLES["facility"],
    ("-rank", "code"): TABLES["facility"],
}


def ordered(rows: list[Row], order: list[str]) -> list[Row]:
    for key in reversed(order):
        name, descending = key.removeprefix("-"), key.startswith("-")
        rows = sorted(rows, key=lambda row: row[name], reverse=descending)
    return rows
