"""Runs compiled bodies and makes of their texts the response's `data`."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.compiler.plan import Plan, Statement
from app.compiler.texts import BOOK, HOLE, SEAL, json_literal

Unseal = Callable[[str], str | None]
Path = tuple[str | int, ...]
HOLES = re.compile(HOLE.encode() + rb"(\d+)")
BOOKS = re.compile(BOOK.encode() + rb"(\d+);")
SEALED = re.compile(SEAL.encode() + rb'(\d+)"([^"]*)"')


class Connection(Protocol):
    """What is needed of an asyncpg connection."""

    async def fetchval(self, query: str, *args: object) -> Any:
        """Return the first column of the first row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The JSON text of `data`, and the paths of nulls that the contract forbids: each is an INTERNAL error."""

    data: bytes
    holes: tuple[Path, ...] = ()


async def run_statement(connection: Connection, statement: Statement, values: Mapping[str, object]) -> bytes | None:
    """Return the text of one part; nothing when its root row is missing."""
    text: bytes | None = await connection.fetchval(statement.sql, *statement.arguments(values))
    return text


def books_of(text: bytes) -> list[int]:
    """Return the numbers of the nested books that a payload holds."""
    return [int(number) for number in BOOKS.findall(text)]


def with_books(text: bytes, books: Mapping[int, bytes | None]) -> bytes:
    """Return a payload with its books in their places; null where one could not be opened."""
    return BOOKS.sub(lambda match: books[int(match[1])] or b"null", text)


def assemble(plan: Plan, bodies: Mapping[str, bytes | None], *, unseal: Unseal | None = None) -> Outcome:
    """Join the parts' texts, by response key, in the order of the response; a key without a text was not asked.

    A missing root row is null, and nulls all of `data` where the field may not be null; its error is the caller's.
    A null that the contract forbids nulls the nearest place that may be null. That is a fault of the data, told by
    `holes` and never silent, for null may mean "not in your scope".
    Source: GraphQL specification §6.4.4 Handling Execution Errors.

    :raises ValueError: when there is a sealed value and nothing to open it with
    """
    members = []
    for part in plan.parts:
        if part.key not in bodies:
            continue
        body = bodies[part.key]
        if body is None and not part.nullable:
            return Outcome(data=b"null")
        members.append(json_literal(part.key).encode() + b":" + (b"null" if body is None else body))
    text = b"{" + b",".join(members) + b"}"
    if plan.sealed_paths and SEAL.encode() in text:
        text = _opened(text, unseal)
    return _settled(text) if HOLE.encode() in text else Outcome(data=text)


def _opened(text: bytes, unseal: Unseal | None) -> bytes:
    if unseal is None:
        message = "a sealed value, and nothing to open it with"
        raise ValueError(message)

    def plain(match: re.Match[bytes]) -> bytes:
        up, base64 = match.groups()
        found = unseal(base64.decode("ascii"))
        if found is not None:
            return json_literal(found).encode()
        return b"null" if up == b"0" else HOLE.encode() + up

    return SEALED.sub(plain, text)


def _settled(text: bytes) -> Outcome:
    mark = "hole"
    while mark.encode() in text:
        mark += "_"
    found = json.loads(HOLES.sub(b'{"%s":\\1}' % mark.encode(), text))
    holes: list[Path] = []

    def settle(value: Any, path: Path) -> tuple[Any, int]:
        if isinstance(value, dict):
            if mark in value:
                holes.append(path)
                return None, int(value[mark])
            items: list[tuple[str | int, Any]] = list(value.items())
        elif isinstance(value, list):
            items = list(enumerate(value))
        else:
            return value, 0
        for key, item in items:
            value[key], up = settle(item, (*path, key))
            if up:
                return None, up - 1
        return value, 0

    data, _ = settle(found, ())
    return Outcome(data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), holes=tuple(holes))
