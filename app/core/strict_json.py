"""JSON with one meaning only, whoever reads it."""

import json
import math
import re
from typing import Final, Never

MOST_DEPTH: Final = 64
_MOST_WHOLE: Final = 2**63
_MOST_DIGITS: Final = 20
# PostgreSQL's text holds neither NUL nor half of a surrogate pair.
_UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")


class NotStrictJson(ValueError):
    """The bytes are not one JSON object, or can be read in two ways."""


def read_object(document: bytes) -> dict[str, object]:
    """Read one JSON object: UTF-8, no name twice at any level, no unstorable text, at most MOST_DEPTH levels.

    Numbers are finite, whole ones of at most 64 bits. The caller limits the size.

    :raises NotStrictJson: otherwise; nothing of the document stands in the message.
    Source: RFC 7515 section 4, RFC 7519 section 4 (names must be unique), RFC 7493.
    """
    try:
        found: object = _DECODER.decode(document.decode("utf-8"))
    except (ValueError, RecursionError):
        # The parser's own message quotes the document.
        raise NotStrictJson from None
    if not isinstance(found, dict):
        raise NotStrictJson
    if not _is_plain(document):
        _check_depth_and_texts(found)
    return found


def _is_plain(document: bytes) -> bool:
    """Tell whether nothing can be wrong with depth and texts: few brackets, and no escapes.

    UTF-8 holds no half of a surrogate pair, and the parser takes no control character that is not escaped.
    """
    return b"\\" not in document and document.count(b"{") + document.count(b"[") <= MOST_DEPTH


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson
    return members


def _whole(digits: str) -> int:
    # Many digits cost the square of their number.
    number = int(digits) if len(digits) <= _MOST_DIGITS else _MOST_WHOLE
    if not -_MOST_WHOLE <= number < _MOST_WHOLE:
        raise NotStrictJson
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotStrictJson
    return number


def _refused_constant(_name: str) -> Never:
    raise NotStrictJson


_DECODER: Final = json.JSONDecoder(  # json.loads would make one a document
    object_pairs_hook=_without_repetition,
    parse_int=_whole,
    parse_float=_finite,
    parse_constant=_refused_constant,
)


def _check_depth_and_texts(document: dict[str, object]) -> None:
    level: list[object] = [document]
    depth = 0
    while level:
        below: list[object] = []
        for item in level:
            if isinstance(item, dict | list) and depth == MOST_DEPTH:
                raise NotStrictJson
            if isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and _UNSTORABLE.search(item):
                raise NotStrictJson
        level, depth = below, depth + 1
