"""The front door: the HTTP application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp

from app.appointments import http as appointments_http
from app.audit import http as audit_http
from app.core.clock import utc_now
from app.core.context import open_house
from app.core.logs import configure_logs
from app.core.settings import Settings
from app.gateway import endpoint, explorer, health, metrics, problems, sockets
from app.gateway.middleware import Envelope
from app.gateway.straight import StraightWay
from app.gateway.warming import warm
from app.identity import browser, discovery
from app.identity import http as identity_http
from app.identity.provider import open_provider
from app.ingestion import http as ingestion_http
from app.ingestion.door import open_door
from app.notifications.live import Ear

NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}  # a span would hold variables


def build_app(settings: Settings) -> ASGIApp:
    """Return the application; its house opens when the server starts.

    What everything goes through stands around the framework, whose own layers are not on the straight way.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logs()
        async with open_house(settings, clock=utc_now) as house, open_door(settings) as door:
            app.state.house = house
            app.state.door = door
            app.state.ear = Ear(house.desk)
            app.state.identity_provider = open_provider(house)
            warming = asyncio.create_task(warm())
            with metrics.served_apart(house):
                yield
            warming.cancel()
            with suppress(asyncio.CancelledError):
                await warming

    app = FastAPI(
        title="Sổ Khỏe", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY
    )
    app.router.redirect_slashes = False
    problems.install(app)
    rooms = (
        health,
        metrics,
        audit_http,
        browser,
        discovery,
        identity_http,
        ingestion_http,
        appointments_http,
        endpoint,
        sockets,
    )
    for room in rooms:
        _let_head_be_asked(room.router)
        app.include_router(room.router)
    if settings.demo:
        app.include_router(explorer.router)
    straight = {
        "/graphql": endpoint.graphql,
        "/ingest/qd4750": ingestion_http.receive,
        "/ingest/fhir": ingestion_http.receive_fhir,
    }
    return Envelope(StraightWay(app, answers=straight))


def _let_head_be_asked(router: APIRouter) -> None:
    """Let HEAD be asked wherever GET is, but for signing in, which GET acts on. Source: RFC 9110 section 9.1."""
    for route in router.routes:
        if isinstance(route, APIRoute) and "GET" in (methods := route.methods or set()) and "/auth/" not in route.path:
            methods.add("HEAD")
