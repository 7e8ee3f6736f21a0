"""`GET /graphql` in a browser, in demo mode only: GraphiQL, served from here and reaching nothing but this server."""

from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.core.errors import NotFound

router = APIRouter()

FOLDER: Final = Path(__file__).parent / "graphiql"
_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
FILES: Final = {
    "react.js": _SCRIPT,
    "react-dom.js": _SCRIPT,
    "graphiql.js": _SCRIPT,
    "start.js": _SCRIPT,
    "graphiql.css": _STYLE,
    "page.css": _STYLE,
}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/graphql")
async def page(request: Request) -> Response:
    """Answer a browser with the page; queries come by POST alone."""
    if "text/html" not in request.headers.get("accept", ""):
        raise HTTPException(405, headers={"Allow": "POST"})
    return Response(
        _read("page.html"), media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY}
    )


@router.get("/graphiql/{name}")
async def file(name: str) -> Response:
    """Answer with a part of the page."""
    if name not in FILES:
        raise NotFound
    return Response(_read(name), media_type=FILES[name])


@cache
def _read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()
