"""Whether every server answers the same: leaf by leaf, whatever its spelling of times and numbers."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from bench.reading.book import Person
from bench.reading.questions import OPERATIONS
from bench.reading.servers import Server

NUMBERS = {"quantity", "value"}


def compare(servers: Sequence[Server], people: Sequence[Person]) -> dict[str, int]:
    """Compare every server's answers with those of the first; return how many leaves each operation has."""
    leaves = {}
    for operation in OPERATIONS:
        for person in people:
            expected, *others = [(server.name, _data(server, operation, person)) for server in servers]
            leaves[operation] = _count(expected[1])
            for name, found in others:
                if found != expected[1]:
                    raise SystemExit(f"{name} and {expected[0]} differ: {operation}, {_first(expected[1], found)}")
    return leaves


def _data(server: Server, operation: str, person: Person) -> Any:
    answer = server.ask(operation, person)
    body = answer.json()
    if answer.status_code != 200 or body.get("errors"):
        raise SystemExit(f"{server.name}, {operation}: {answer.status_code} {answer.text[:300]}")
    data = body["data"]
    return _plain(data.get("healthBook", data), "")


def _plain(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return _plain(value["nodes"], key) if value.keys() == {"nodes"} else {k: _plain(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(item, key) for item in value]
    if key.endswith("At") and value is not None:
        text = value if value[-3] != "+" else f"{value}:00"
        return datetime.fromisoformat(text).astimezone(UTC)
    if key in NUMBERS and value is not None:
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return value
    return value


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_count(item) for item in value.values())
    return sum(_count(item) for item in value) if isinstance(value, list) else 1


def _first(expected: Any, found: Any, path: str = "") -> str:
    """Return where two answers part."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        return next((_first(expected[k], found[k], f"{path}.{k}") for k in expected if expected[k] != found[k]), path)
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return next((_first(one, two, f"{path}[{n}]") for n, (one, two) in pairs if one != two), path)
    return f"{path}: {str(expected)[:200]} / {str(found)[:200]}"
