"""What a defect in a route looks like from outside: an id, and nothing of itself; what a refusal does."""

import json

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.gateway import problems
from app.gateway.middleware import SAFE_HEADERS, Envelope
from app.ingestion.fhir import FhirRefused
from app.ingestion.fhir.words import FhirCode

SECRET = "Nguyễn Văn A"


def test_a_defect_of_a_route_is_told_by_its_id_and_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/broken/{thing}")
    async def broken(thing: str) -> None:
        raise ZeroDivisionError(SECRET + thing)

    answer = TestClient(Envelope(app)).get("/broken/9", headers={"accept-language": "en"})

    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert (told["code"], told["title"]) == ("INTERNAL", problems.INTERNAL_TEXT.en)
    assert told["requestId"] == answer.headers["x-request-id"]
    assert SAFE_HEADERS.items() <= dict(answer.headers).items()
    lines = capsys.readouterr().out
    assert lines.count('"defect"') == 1
    assert "/broken/{thing}" in lines
    assert SECRET not in lines + answer.text


def test_a_refusal_tells_its_exact_reason_beside_the_code() -> None:
    refusal = FhirRefused(FhirCode.JSON_NAME_TWICE)

    problem, outcome = (
        json.loads(bytes(problems.problem_response(refusal, language="en", request_id="9", path=path).body))
        for path in ("/ingest/qd4750", "/ingest/fhir")
    )

    assert (problem["code"], problem["reason"]) == ("INVALID", "JSON_NAME_TWICE")
    assert [one["code"] for one in outcome["issue"][0]["details"]["coding"]] == ["INVALID", "JSON_NAME_TWICE"]
