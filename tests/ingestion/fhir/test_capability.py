"""A FHIR client asks the server what it takes before it sends, and writes the base of the server in its own way."""

import httpx

from app.ingestion.fhir import read_message
from app.ingestion.fhir.words import FhirCode
from tests.ingestion.fhir import bundles
from tests.people import Stand


def reason(kind: str) -> str | None:
    """Return why a resource of a kind is not filed, as its entry tells."""
    body = bundles.encoded(bundles.bundle({"one": {"resourceType": kind}}))
    (entry,) = read_message(body).entries
    return entry.reason


def test_anybody_is_told_what_is_taken(http: httpx.Client) -> None:
    answer = http.get("/ingest/fhir/metadata")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")
    told = answer.json()
    assert (told["resourceType"], told["fhirVersion"], told["kind"]) == ("CapabilityStatement", "4.0.1", "instance")
    (rest,) = told["rest"]
    assert [one["code"] for one in rest["interaction"]] == ["transaction", "batch"]
    assert len({one["type"] for one in rest["resource"]}) == len(rest["resource"]) > 20


def test_every_resource_that_is_told_is_read(http: httpx.Client) -> None:
    (rest,) = http.get("/ingest/fhir/metadata").json()["rest"]
    told = {one["type"] for one in rest["resource"]}
    reasons = {kind: reason(kind) for kind in (*told, "Claim", "CarePlan")}
    ignored = {kind for kind, why in reasons.items() if why is FhirCode.KIND_NOT_READ}
    assert ignored == {"Claim", "CarePlan"}


def test_a_base_with_a_slash_at_its_end_is_the_same_door(http: httpx.Client, stand: Stand) -> None:
    headers = {"Authorization": f"Bearer {stand.facility('01901')}", "Content-Type": "application/fhir+json"}
    paths = ("/ingest/fhir", "/ingest/fhir/")
    answers = [http.post(path, content=bundles.message(), headers=headers) for path in paths]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["messageId"] for answer in answers}) == 1


def test_sign_in_is_told_beside_the_base(http: httpx.Client) -> None:
    known = http.get("/ingest/fhir/.well-known/smart-configuration")
    assert known.json() == http.get("/.well-known/smart-configuration").json()
    assert known.json()["token_endpoint"].endswith("/auth/token")
