"""What anybody may ask of the visitors' book: its signed head, its public keys, and that it only grew."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse

from app.audit import sql
from app.core.db import connection_errors
from app.core.errors import NotFound
from app.core.requests import house_of

MOST_DIGITS = 18

router = APIRouter(prefix="/audit")


@router.get("/checkpoint")
async def checkpoint(request: Request) -> PlainTextResponse:
    """Answer with the newest signed head. Source: C2SP tlog-checkpoint."""
    with connection_errors():
        note = await sql.latest_note(house_of(request).desk)
    if note is None:
        raise NotFound
    return PlainTextResponse(note)


@router.get("/keys")
async def keys(request: Request) -> PlainTextResponse:
    """Answer with the public keys that ever signed, one a line, the oldest first. Pin them from elsewhere too."""
    with connection_errors():
        known = await sql.verifiers(house_of(request).desk)
    return PlainTextResponse("".join(f"{key}\n" for key in known))


@router.get("/consistency")
async def consistency(request: Request) -> JSONResponse:
    """Prove that the tree of size `from` is the beginning of the one of size `to`. Source: RFC 9162 §2.1.4."""
    old, new = (_size(request.query_params.get(name)) for name in ("from", "to"))
    with connection_errors():
        path = await sql.consistency_path(house_of(request).desk, old=old, new=new)
    if path is None:
        raise NotFound
    return JSONResponse({"from": old, "to": new, "path": [sibling.hex() for sibling in path]})


def _size(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise NotFound
    return int(text)
