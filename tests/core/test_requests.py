"""A head is read through once, and a body that has come needs no clock."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.requests import Request

from app.core.errors import TooLarge
from app.core.requests import WHOLE, read_body, said, said_once


def scope(*fields: tuple[bytes, bytes], **told: object) -> dict[str, Any]:
    return {"type": "http", "method": "POST", "path": "/", "headers": list(fields), **told}


def test_fields_are_told_by_name_in_their_order() -> None:
    head = scope((b"a", b"1"), (b"b", b"2"), (b"a", b"\xe9"), (b"a", b"1"))
    for _ in range(2):
        assert said(head, b"a") == ("1", "é", "1")
        assert (said_once(head, b"a"), said_once(head, b"b"), said_once(head, b"c")) == ("1", "2", None)
        assert said(head, b"c") == ()


def test_requests_do_not_share_a_head() -> None:
    one, other = scope((b"a", b"1")), scope((b"a", b"2"))
    assert (said_once(one, b"a"), said_once(other, b"a")) == ("1", "2")


def test_a_body_that_has_come_is_read_without_a_timer_and_within_its_limit() -> None:
    pieces = [b"12345", b"678"]

    def request() -> Request:
        left = list(pieces)

        async def receive() -> MutableMapping[str, Any]:
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left)}

        return Request(scope(**{WHOLE: True}), receive)  # no settings to take a time from

    assert asyncio.run(read_body(request(), most_bytes=8)) == b"12345678"
    with pytest.raises(TooLarge):
        asyncio.run(read_body(request(), most_bytes=7))
