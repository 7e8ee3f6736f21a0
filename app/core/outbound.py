"""What leaves for another server, and the little that may come back.

Only origins that the settings name; https, or this machine; no redirect is followed, no proxy or cookie of the
environment is used, nothing is decompressed, at most a stated number of bytes is read, and never longer than the
caller's own time limit. What the other side wrote never stands in an error.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import certifi
import httpx

from app.core.errors import Unavailable
from app.core.providers import is_loopback, origin_of

MOST_BYTES: Final = 1_048_576
CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 2.5
MOST_CONNECTIONS: Final = 20


class OutboundFailed(Unavailable):
    """The other server did not answer as it must: no connection, too slow, too much, a redirect. `why` is for logs."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the other server said."""

    status: int
    content_type: str
    body: bytes = field(repr=False)


class Outbound:
    """Asks other servers, by the rules above."""

    def __init__(self, client: httpx.AsyncClient, *, tls: ssl.SSLContext) -> None:
        self._client = client
        self._tls = tls

    async def get(
        self,
        url: str,
        *,
        origins: frozenset[str],
        headers: Mapping[str, str] | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> Reply:
        """Fetch a document.

        :raises OutboundFailed: when the address is not allowed, or there is no whole answer
        """
        return await self._send("GET", url, origins=origins, headers=headers, form=None, most_bytes=most_bytes)

    async def post(
        self, url: str, *, origins: frozenset[str], form: Mapping[str, str], most_bytes: int = MOST_BYTES
    ) -> Reply:
        """Send a form.

        :raises OutboundFailed: when the address is not allowed, or there is no whole answer
        """
        return await self._send("POST", url, origins=origins, headers=None, form=form, most_bytes=most_bytes)

    async def _send(
        self,
        method: str,
        url: str,
        *,
        origins: frozenset[str],
        headers: Mapping[str, str] | None,
        form: Mapping[str, str] | None,
        most_bytes: int,
    ) -> Reply:
        if origin_of(url) not in origins or not (url.startswith("https://") or is_loopback(url)):
            raise OutboundFailed("origin")
        if url.startswith("https://") and not self._tls.cert_store_stats()["x509_ca"]:
            self._tls.load_verify_locations(certifi.where())  # 3 MB, for who has a server to ask
        try:
            async with self._client.stream(method, url, headers=headers, data=form) as answer:
                if answer.is_redirect:
                    raise OutboundFailed("redirect")
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise OutboundFailed("encoding")
                body = bytearray()
                async for piece in answer.aiter_raw():
                    body += piece
                    if len(body) > most_bytes:
                        raise OutboundFailed("size")
                return Reply(
                    status=answer.status_code,
                    content_type=answer.headers.get("content-type", "").partition(";")[0].strip().lower(),
                    body=bytes(body),
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutboundFailed(type(error).__name__) from None


@asynccontextmanager
async def open_outbound() -> AsyncIterator[Outbound]:
    """Open a pool of connections to other servers, and close it at the end."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(
        verify=tls,
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=MOST_CONNECTIONS),
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "sokhoe"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    ) as client:
        yield Outbound(client, tls=tls)
