"""HEAD: what GET would answer, without the body (RFC 9110 section 9.3.2)."""

import httpx
import pytest

READ = (
    "/livez",
    "/readyz",
    "/audit/keys",
    "/.well-known/oauth-authorization-server",
    "/jwks.json",
    "/ingest/fhir/metadata",
)
TOLD = ("content-type", "content-length", "cache-control", "x-content-type-options")


@pytest.mark.parametrize("path", READ)
def test_head_tells_what_get_would(http: httpx.Client, path: str) -> None:
    whole, head = http.get(path), http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers.get(name) for name in TOLD] == [whole.headers.get(name) for name in TOLD]


def test_head_of_what_only_its_sender_may_read_is_refused_as_get_is(http: httpx.Client) -> None:
    assert http.head("/ingest/messages").status_code == http.get("/ingest/messages").status_code == 401


@pytest.mark.parametrize("path", ["/auth/login", "/auth/callback"])
def test_head_does_not_sign_in(http: httpx.Client, path: str) -> None:
    assert http.head(path).status_code == 405
