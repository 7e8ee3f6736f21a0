"""From an HTTP request to its context and its bytes, within limits."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Scope

from app.core.context import Context, House, ShownProof
from app.core.errors import Invalid, Text, TooLarge, Unauthenticated, UnsupportedMediaType

WHOLE = "sokhoe.whole"
"""A scope's mark of a request that has come to its end: nobody has to wait for a piece of it."""
_HEAD = "sokhoe.head"
_CREDENTIALS = re.compile(r"(Bearer|DPoP) ([A-Za-z0-9._~+/=-]{16,512})\Z", re.IGNORECASE)


class BodyTooSlow(Invalid):
    """The body, or its next piece, did not come in time."""

    http_status = 408
    default_text = Text("Nội dung gửi lên đến quá chậm.", "The body did not come in time.")


class BodyCutOff(Invalid):
    """The client went away before the body was whole: nobody reads this answer."""

    default_text = Text("Nội dung gửi lên bị cắt ngang.", "The body was cut off.")


def said(scope: Scope, name: bytes) -> Sequence[str]:
    """Return the values of a field of the head, whose name is in lower case; the head is read through once."""
    head: dict[bytes, tuple[str, ...]] | None = scope.get(_HEAD)
    if head is None:
        head = scope[_HEAD] = {}
        for field_name, value in scope["headers"]:
            told = value.decode("latin-1")
            head[field_name] = (*head[field_name], told) if field_name in head else (told,)
    return head.get(name, ())


def said_once(scope: Scope, name: bytes) -> str | None:
    """Return the first of them, if there is one."""
    values = said(scope, name)
    return values[0] if values else None


def house_of(request: Request) -> House:
    """Return the house of this process."""
    house: House = request.app.state.house
    return house


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An access token, and whether it comes with a proof of possession (RFC 9449)."""

    token: str = field(repr=False)
    with_proof: bool


def credentials_of(request: Request) -> Credentials | None:
    """Return the access token; nothing when there is no Authorization header.

    :raises Unauthenticated: when the header holds anything else than one token
    """
    shown = said(request.scope, b"authorization")
    if not shown:
        return None
    match = _CREDENTIALS.match(shown[0])
    if match is None or len(shown) > 1:
        raise Unauthenticated
    return Credentials(token=match[2], with_proof=match[1].lower() == "dpop")


def context_of(request: Request) -> Context:
    """Return the context of a request with a bearer token, or none.

    :raises Unauthenticated: when the Authorization header holds anything else
    """
    shown = credentials_of(request)
    if shown is not None and shown.with_proof:
        raise Unauthenticated
    return new_context(request, token=None if shown is None else shown.token)


def context_without_token(request: Request) -> Context:
    """Return the context of a request that proves itself by other means than an access token."""
    return new_context(request, token=None)


def new_context(request: Request, *, token: str | None, proof: ShownProof | None = None) -> Context:
    """Return the context of a request, with what it has proved so far."""
    house, state = house_of(request), request.scope["state"]
    return Context(
        house=house,
        token=token,
        proof=proof,
        language=state["language"],
        now=house.clock(),
        request_id=state["request_id"],
    )


def require_token(context: Context) -> str:
    """Return the bearer token.

    :raises Unauthenticated: when there is none; without an error code, for nothing was shown (RFC 6750 section 3.1)
    """
    if context.token is None:
        refusal = Unauthenticated()
        refusal.challenge = "Bearer"
        raise refusal
    return context.token


def announced_bytes(request: Request) -> int | None:
    """Return how long the body says that it is; nothing when it does not say so."""
    announced = said_once(request.scope, b"content-length")
    return int(announced) if announced is not None and announced.isascii() and announced.isdigit() else None


async def read_body(request: Request, *, most_bytes: int) -> bytes:
    """Return the whole body.

    :raises TooLarge: and so on as `read_large_body`
    """
    return bytes(await read_large_body(request, most_bytes=most_bytes))


async def read_large_body(request: Request, *, most_bytes: int) -> bytearray:
    """Return the whole body where it was gathered, without a second copy.

    :raises TooLarge: as soon as more than `most_bytes` are announced or have come
    :raises BodyTooSlow: when it is not whole, or its next piece is not there, in the time that the settings give
    :raises BodyCutOff: when the client goes away
    :raises UnsupportedMediaType: when the body is compressed, which is not accepted. Source: RFC 9110 §15.5.16
    """
    codings = said(request.scope, b"content-encoding")
    if codings and any(coding.strip().lower() != "identity" for coding in codings):
        raise UnsupportedMediaType(
            Text("Không nhận nội dung nén (Content-Encoding).", "Content-Encoding is not accepted.")
        )
    if (announced_bytes(request) or 0) > most_bytes:
        raise _too_large(most_bytes)
    body = bytearray()
    if WHOLE in request.scope:  # a timer costs more than the rest of this
        return await _gathered(request, body, most_bytes=most_bytes)
    settings, clock = house_of(request).settings, asyncio.get_running_loop().time
    end = clock() + settings.body_seconds
    try:
        async with asyncio.timeout_at(min(end, clock() + settings.body_idle_seconds)) as limit:
            again = lambda: limit.reschedule(min(end, clock() + settings.body_idle_seconds))  # noqa: E731
            return await _gathered(request, body, most_bytes=most_bytes, after_each=again)
    except TimeoutError:
        raise BodyTooSlow from None


async def _gathered(
    request: Request, body: bytearray, *, most_bytes: int, after_each: Callable[[], None] = lambda: None
) -> bytearray:
    while (piece := await request.receive())["type"] == "http.request":
        body += piece.get("body", b"")
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
        if not piece.get("more_body", False):
            return body
        after_each()
    raise BodyCutOff


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(
        Text(f"Nội dung gửi lên vượt quá {most_bytes} byte.", f"The body is longer than {most_bytes} bytes.")
    )


def require_media_type(request: Request, *, accepted: frozenset[str]) -> None:
    """Check the Content-Type.

    :raises UnsupportedMediaType: when it is none of `accepted`, or there are several
    """
    named = said(request.scope, b"content-type")
    if len(named) == 1 and named[0] in accepted:
        return
    kinds = {value.partition(";")[0].strip().lower() for value in named}
    if len(kinds) != 1 or not kinds <= accepted:
        listed = ", ".join(sorted(accepted))
        raise UnsupportedMediaType(Text(f"Content-Type phải là {listed}.", f"Content-Type must be {listed}."))
