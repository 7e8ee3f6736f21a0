"""Whether this process lives, and whether it can answer."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from app.core.context import House
from app.core.db import connection_errors
from app.core.errors import Text, Unavailable
from app.core.revision import REVISION, DatabaseBehind, check_revision
from app.core.settings import RELEASE

_BEHIND = Text(
    "Cơ sở dữ liệu cũ hơn bản đang chạy. Người vận hành cần chạy `sokhoe migrate`.",
    "The database is older than this release. Its operator has to run `sokhoe migrate`.",
)

router = APIRouter()


@router.get("/livez")
async def livez() -> JSONResponse:
    """Answer as long as the process runs."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """Answer with release and commit when the database answers and is not older than this code; 503 otherwise."""
    house: House = request.app.state.house
    with connection_errors():
        async with asyncio.timeout(2):
            revision = await house.api.fetchval(REVISION)
    try:
        check_revision(revision)
    except DatabaseBehind:
        raise Unavailable(_BEHIND) from None
    return JSONResponse({"status": "ready", "release": RELEASE, "commit": house.settings.commit})
