"""Whether this process lives, and whether it can answer."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from app.core.context import House
from app.core.db import connection_errors
from app.core.settings import RELEASE

router = APIRouter()


@router.get("/livez")
async def livez() -> JSONResponse:
    """Answer as long as the process runs."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """Answer with release and commit when the database answers; 503 otherwise."""
    house: House = request.app.state.house
    with connection_errors():
        async with asyncio.timeout(2):
            await house.api.fetchval("SELECT 1")
    return JSONResponse({"status": "ready", "release": RELEASE, "commit": house.settings.commit})
