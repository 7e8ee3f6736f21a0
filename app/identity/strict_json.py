"""JSON that signed documents may hold: one meaning only, whoever reads it."""

import json
import math
import re
from typing import Never

# PostgreSQL's text holds neither NUL nor half of a surrogate pair.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class NotStrictJson(ValueError):
    """The bytes are not one JSON object, or can be read in two ways."""


def read_object(document: bytes) -> dict[str, object]:
    """Read one JSON object: UTF-8, no name twice at any level, no NaN or infinity, no unstorable text.

    The caller limits the size.

    :raises NotStrictJson: otherwise; nothing of the document stands in the message.
    Source: RFC 7515 section 4, RFC 7519 section 4 (names must be unique), RFC 7493.
    """
    try:
        found: object = json.loads(
            document.decode("utf-8"),
            object_pairs_hook=_without_repetition,
            parse_float=_finite,
            parse_constant=_refused_constant,
        )
    except (ValueError, RecursionError):
        # The parser's own message quotes the document.
        raise NotStrictJson from None
    if not isinstance(found, dict):
        raise NotStrictJson
    _check_texts(found)
    return found


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotStrictJson
    return number


def _refused_constant(_name: str) -> Never:
    raise NotStrictJson


def _check_texts(document: dict[str, object]) -> None:
    waiting: list[object] = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and _UNSTORABLE.search(item):
            raise NotStrictJson
