"""Counts what goes on, without a person in it: routes' templates, statuses, operations' names, never an id.

In demo mode `/metrics` stands beside the API; otherwise on a port of its own, which the outside does not reach.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import accumulate

from fastapi import APIRouter, Request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    Metric,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import Response

from app.core.context import House
from app.core.errors import NotFound
from app.core.settings import RELEASE

router = APIRouter()

WITHIN_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
REGISTRY = CollectorRegistry(auto_describe=True)
BUILD = Gauge("sokhoe_build", "The release that runs.", ("release", "commit"), registry=REGISTRY)
POOL = Gauge("sokhoe_pool_connections", "Connections of a pool.", ("login", "state"), registry=REGISTRY)
PLAIN = "plain"


_answers: defaultdict[tuple[str, int], int] = defaultdict(int)
_operations: defaultdict[tuple[str, str], int] = defaultdict(int)
_took: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(WITHIN_SECONDS) + 1))
_seconds: defaultdict[str, float] = defaultdict(float)


def count_request(*, route: str, status: int, seconds: float) -> None:
    """Count one answer."""
    _answers[route, status] += 1
    _took[route][bisect_left(WITHIN_SECONDS, seconds)] += 1
    _seconds[route] += seconds


def count_operation(name: str, *, is_trusted: bool, outcome: str) -> None:
    """Count one operation: `answered`, `unchanged` (304) or `errors`."""
    _operations[name if is_trusted else PLAIN, outcome] += 1


class _Counted(Collector):
    """Tells what is counted with every request, in the library's words; its own counters take ten times as long."""

    def collect(self) -> Iterator[Metric]:
        """Return what was counted; another thread may ask."""
        answers = CounterMetricFamily("sokhoe_requests", "Requests answered.", labels=("route", "status"))
        for (route, status), count in tuple(_answers.items()):
            answers.add_metric((route, str(status)), count)
        yield answers
        told = "Time from the head of a request to the head of its answer."
        waits = HistogramMetricFamily("sokhoe_request_seconds", told, labels=("route",))
        for route, took in tuple(_took.items()):
            below = zip((*map(str, WITHIN_SECONDS), "+Inf"), accumulate(took), strict=True)
            waits.add_metric((route,), tuple(below), _seconds[route])
        yield waits
        told = "GraphQL operations by their trusted name; plain ones are one."
        operations = CounterMetricFamily("sokhoe_operations", told, labels=("operation", "outcome"))
        for labels, count in tuple(_operations.items()):
            operations.add_metric(labels, count)
        yield operations


REGISTRY.register(_Counted())


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Answer in the Prometheus text format, in demo mode only.

    :raises NotFound: outside of it
    """
    house: House = request.app.state.house
    if not house.settings.demo:
        raise NotFound
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


@contextmanager
def served_apart(house: House) -> Iterator[None]:
    """Serve the metrics on their own port and loopback address, where the settings name a port."""
    settings = house.settings
    BUILD.labels(RELEASE, settings.commit).set(1)
    for login, pool in {"api": house.api, "desk": house.desk}.items():
        POOL.labels(login, "open").set_function(partial(getattr, pool, "size"))
        POOL.labels(login, "idle").set_function(partial(getattr, pool, "idle"))
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
