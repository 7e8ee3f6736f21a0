"""What an operator sees, and nobody outside."""

import httpx
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.core.settings import Settings
from app.gateway import metrics
from tests.conftest import RunningServer
from tests.ingestion import messages
from tests.people import Stand
from tests.sockets import PATIENCE, free_port

NUMBER = messages.VISIT["SO_CCCD"] or ""


def test_b215_metrics_count_without_a_person_in_them(http: httpx.Client, stand: Stand) -> None:
    assert stand.file(messages.message(), token=stand.facility("01901")) == "filed"
    citizen = stand.citizen_by(NUMBER)
    token = {"Authorization": f"Bearer {stand.citizen_token(citizen)}"}
    for query in (
        "{ me { id fullName ... on Citizen { nationalId } } }",
        f'{{ healthBook(citizenId: "{citizen}") {{ version }} }}',
    ):
        assert http.post("/graphql", json={"query": query}, headers=token).status_code == 200
    assert http.get(f"/ingest/messages/{citizen}", headers=token).status_code in {401, 404}

    answer = http.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.type in {"gauge", "counter", "histogram"} and family.documentation for family in families)
    assert 'sokhoe_requests_total{route="/graphql",status="200"}' in answer.text
    assert 'sokhoe_operations_total{operation="plain",outcome="answered"}' in answer.text
    assert 'route="/ingest/messages/{message_id}"' in answer.text
    for secret in (str(citizen), NUMBER, "Nguyễn", token["Authorization"][7:]):
        assert secret not in answer.text


def test_a_route_is_told_how_long_it_takes() -> None:
    route = "/a-route-of-this-test"
    for seconds in (0.001, 0.002, 0.003, 7.0):
        metrics.count_request(route=route, status=200, seconds=seconds)
    told = generate_latest(metrics.REGISTRY).decode()
    for within, count in {"0.002": 2, "0.005": 3, "5.0": 3, "+Inf": 4}.items():
        assert f'sokhoe_request_seconds_bucket{{le="{within}",route="{route}"}} {count}.0' in told
    assert f'sokhoe_request_seconds_count{{route="{route}"}} 4.0' in told
    assert f'sokhoe_request_seconds_sum{{route="{route}"}} 7.006' in told
    assert f'sokhoe_requests_total{{route="{route}",status="200"}} 4.0' in told


def test_b215_outside_demo_mode_they_stand_on_a_port_of_their_own(settings: Settings) -> None:
    port = free_port()
    running = RunningServer(settings.model_copy(update={"demo": False, "metrics_port": port}))
    running.start()
    try:
        assert httpx.get(f"{running.url}/metrics", timeout=PATIENCE).status_code == 404
        told = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE).text
        named = {sample.name: sample for family in text_string_to_metric_families(told) for sample in family.samples}
        assert named["sokhoe_build"].labels["release"]
        assert named["sokhoe_pool_connections"].value >= 1
    finally:
        running.stop()
    try:
        httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=1)
    except httpx.ConnectError:
        return
    raise AssertionError(port)
