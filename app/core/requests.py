"""From an HTTP request to its context and its bytes, within limits."""

import asyncio
import re
from dataclasses import dataclass, field

from starlette.requests import Request

from app.core.context import Context, House, ShownProof
from app.core.errors import Invalid, Text, TooLarge, Unauthenticated, UnsupportedMediaType

_CREDENTIALS = re.compile(r"(Bearer|DPoP) ([A-Za-z0-9._~+/=-]{16,512})\Z", re.IGNORECASE)


class BodyTooSlow(Invalid):
    """The body, or its next piece, did not come in time."""

    http_status = 408
    default_text = Text("Nội dung gửi lên đến quá chậm.", "The body did not come in time.")


class BodyCutOff(Invalid):
    """The client went away before the body was whole: nobody reads this answer."""

    default_text = Text("Nội dung gửi lên bị cắt ngang.", "The body was cut off.")


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
    headers = request.headers.getlist("authorization")
    if not headers:
        return None
    match = _CREDENTIALS.match(headers[0])
    if match is None or len(headers) > 1:
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
    house = house_of(request)
    return Context(
        house=house,
        token=token,
        proof=proof,
        language=request.state.language,
        now=house.clock(),
        request_id=request.state.request_id,
    )


def require_token(context: Context) -> str:
    """Return the bearer token.

    :raises Unauthenticated: when there is none
    """
    if context.token is None:
        raise Unauthenticated
    return context.token


def announced_bytes(request: Request) -> int | None:
    """Return how long the body says that it is; nothing when it does not say so."""
    announced = request.headers.get("content-length", "")
    return int(announced) if announced.isascii() and announced.isdigit() else None


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
    :raises Invalid: when the body is compressed, which is not accepted
    """
    if any(coding.strip().lower() != "identity" for coding in request.headers.getlist("content-encoding")):
        raise Invalid(Text("Không nhận nội dung nén (Content-Encoding).", "Content-Encoding is not accepted."))
    if (announced_bytes(request) or 0) > most_bytes:
        raise _too_large(most_bytes)
    settings, clock = house_of(request).settings, asyncio.get_running_loop().time
    end = clock() + settings.body_seconds
    body = bytearray()
    try:
        async with asyncio.timeout_at(min(end, clock() + settings.body_idle_seconds)) as limit:
            while (piece := await request.receive())["type"] == "http.request":
                body += piece.get("body", b"")
                if len(body) > most_bytes:
                    raise _too_large(most_bytes)
                if not piece.get("more_body", False):
                    return body
                limit.reschedule(min(end, clock() + settings.body_idle_seconds))
    except TimeoutError:
        raise BodyTooSlow from None
    raise BodyCutOff


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(
        Text(f"Nội dung gửi lên vượt quá {most_bytes} byte.", f"The body is longer than {most_bytes} bytes.")
    )


def require_media_type(request: Request, *, accepted: frozenset[str]) -> None:
    """Check the Content-Type.

    :raises UnsupportedMediaType: when it is none of `accepted`, or there are several
    """
    named = {value.partition(";")[0].strip().lower() for value in request.headers.getlist("content-type")}
    if len(named) != 1 or not named <= accepted:
        listed = ", ".join(sorted(accepted))
        raise UnsupportedMediaType(Text(f"Content-Type phải là {listed}.", f"Content-Type must be {listed}."))
