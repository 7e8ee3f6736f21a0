"""From an HTTP request to its context and its bytes, within limits."""

import re

from starlette.requests import Request

from app.core.context import Context, House
from app.core.errors import Invalid, Text, TooLarge, Unauthenticated, UnsupportedMediaType

_BEARER = re.compile(r"Bearer ([A-Za-z0-9._~+/=-]{16,512})\Z", re.IGNORECASE)


def house_of(request: Request) -> House:
    """Return the house of this process."""
    house: House = request.app.state.house
    return house


def bearer_token(request: Request) -> str | None:
    """Return the bearer token; nothing when there is no Authorization header.

    :raises Unauthenticated: when the header holds anything else than one bearer token
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        return None
    match = _BEARER.match(headers[0])
    if match is None or len(headers) > 1:
        raise Unauthenticated
    return match[1]


def context_of(request: Request) -> Context:
    """Return the request's context."""
    house = house_of(request)
    return Context(
        house=house,
        token=bearer_token(request),
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


async def read_body(request: Request, *, most_bytes: int) -> bytes:
    """Return the whole body.

    :raises TooLarge: as soon as more than `most_bytes` are announced or have come
    :raises Invalid: when the body is compressed, which is not accepted
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Invalid(Text("Không nhận nội dung nén (Content-Encoding).", "Content-Encoding is not accepted."))
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > most_bytes:
        raise _too_large(most_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
    return bytes(body)


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(
        Text(f"Nội dung gửi lên vượt quá {most_bytes} byte.", f"The body is longer than {most_bytes} bytes.")
    )


def require_media_type(request: Request, *, accepted: frozenset[str]) -> None:
    """Check the Content-Type.

    :raises UnsupportedMediaType: when it is none of `accepted`
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in accepted:
        listed = ", ".join(sorted(accepted))
        raise UnsupportedMediaType(Text(f"Content-Type phải là {listed}.", f"Content-Type must be {listed}."))
