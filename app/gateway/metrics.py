"""Counts what goes on, without a person in it: routes' templates, statuses, operations' names, never an id.

In demo mode `/metrics` stands beside the API; otherwise on a port of its own, which the outside does not reach.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from fastapi import APIRouter, Request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
)
from starlette.responses import Response

from app.core.context import House
from app.core.errors import NotFound
from app.core.settings import RELEASE, Settings

router = APIRouter()

REGISTRY = CollectorRegistry(auto_describe=True)
REQUESTS = Counter("sokhoe_requests", "Requests answered.", ("route", "status"), registry=REGISTRY)
SECONDS = Histogram(
    "sokhoe_request_seconds",
    "Time from the head of a request to the head of its answer.",
    ("route",),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
OPERATIONS = Counter(
    "sokhoe_operations",
    "GraphQL operations by their trusted name; plain ones are one.",
    ("operation", "outcome"),
    registry=REGISTRY,
)
BUILD = Gauge("sokhoe_build", "The release that runs.", ("release", "commit"), registry=REGISTRY)
POOL = Gauge("sokhoe_pool_connections", "Connections of a pool.", ("login", "state"), registry=REGISTRY)
PLAIN = "plain"


def count_request(*, route: str, status: int, seconds: float) -> None:
    """Count one answer."""
    _requests(route, status).inc()
    _seconds(route).observe(seconds)


def count_operation(name: str, *, is_trusted: bool, outcome: str) -> None:
    """Count one operation: `answered`, `unchanged` (304) or `errors`."""
    _operations(name if is_trusted else PLAIN, outcome).inc()


# Looking a counter up by its labels costs more than counting.
@lru_cache(maxsize=512)
def _requests(route: str, status: int) -> Counter:
    return REQUESTS.labels(route, str(status))


@lru_cache(maxsize=512)
def _seconds(route: str) -> Histogram:
    return SECONDS.labels(route)


@lru_cache(maxsize=512)
def _operations(name: str, outcome: str) -> Counter:
    return OPERATIONS.labels(name, outcome)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Answer in the Prometheus text format, in demo mode only.

    :raises NotFound: outside of it
    """
    house: House = request.app.state.house
    if not house.settings.demo:
        raise NotFound
    return Response(_text(house), media_type=CONTENT_TYPE_LATEST)


def _text(house: House) -> bytes:
    _look(house)
    return generate_latest(REGISTRY)


def _look(house: House) -> None:
    for login, pool in {"api": house.api, "desk": house.desk}.items():
        POOL.labels(login, "open").set(pool.size)
        POOL.labels(login, "idle").set(pool.idle)


@contextmanager
def served_apart(settings: Settings) -> Iterator[None]:
    """Serve the metrics on their own port and loopback address, where the settings name a port."""
    BUILD.labels(RELEASE, settings.commit).set(1)
    if settings.metrics_port is None:
        yield
        return
    server, thread = start_http_server(settings.metrics_port, addr=settings.metrics_host, registry=REGISTRY)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
