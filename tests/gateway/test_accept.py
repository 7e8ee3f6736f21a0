"""What a client accepts: media types and languages (RFC 9110 section 12.5)."""

import httpx
import pytest

from app.gateway.endpoint import GRAPHQL_RESPONSE, JSON, media_type_of
from tests.ingestion import messages
from tests.people import Stand

ME = "{ me { id } }"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/html, */*;q=0.8", JSON),
        (f"{GRAPHQL_RESPONSE}, */*", GRAPHQL_RESPONSE),
        ("application/*", GRAPHQL_RESPONSE),
        ("text/html", GRAPHQL_RESPONSE),
        (JSON, JSON),
        ("Application/JSON;charset=utf-8", JSON),
        (f"{JSON}, */*", JSON),
        (f"{JSON}, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{JSON}, {GRAPHQL_RESPONSE};q=0.9", JSON),  # as its client weighs them
        (f"{GRAPHQL_RESPONSE};charset=utf-8;q=0.5, {JSON};q=0.4", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=high, {JSON};q=1.5", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0, {JSON}", JSON),
        (f"{JSON};q=0", GRAPHQL_RESPONSE),
        (";;,,;q=", JSON),
        ("x," * 10_000 + JSON, GRAPHQL_RESPONSE),
    ],
)
def test_media_type_of_the_answer(accept: str, expected: str) -> None:
    assert media_type_of(accept) == expected


def test_a_list_may_come_in_several_fields(http: httpx.Client, stand: Stand) -> None:
    """RFC 9110 section 5.3."""
    lists = [
        ("Accept", JSON),
        ("Accept", GRAPHQL_RESPONSE),
        ("Accept-Language", "fr"),
        ("Accept-Language", "en"),
    ]
    assert stand.file(messages.message(), token=stand.facility("01901")) == "filed"
    token = stand.citizen_token(stand.citizen_by(messages.VISIT["SO_CCCD"] or ""))
    answer = http.post("/graphql", json={"query": ME}, headers=[("Authorization", f"Bearer {token}"), *lists])
    assert answer.headers["content-type"].startswith(GRAPHQL_RESPONSE)
    refused = http.post("/graphql", json={"query": ME}, headers=lists)
    assert refused.json()["errors"][0]["message"].startswith("The session")
