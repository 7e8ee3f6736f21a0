"""What a defect in a route looks like from outside: an id, and nothing of itself."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.gateway import problems
from app.gateway.middleware import SAFE_HEADERS, Envelope

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
