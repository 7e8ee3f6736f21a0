"""A message goes in through the hospital's door and is read on the citizen's phone."""

import httpx

from tests.ingestion import messages
from tests.people import Stand


def ask(http: httpx.Client, token: str, query: str) -> dict[str, object]:
    answer = http.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    assert "errors" not in body, body
    data = body["data"]
    assert isinstance(data, dict)
    return data


def test_a_message_is_sent_filed_and_read(http: httpx.Client, stand: Stand) -> None:
    sender = stand.facility("01901")
    answer = http.post(
        "/ingest/qd4750",
        content=messages.message(),
        headers={"Authorization": f"Bearer {sender}", "Content-Type": "application/xml"},
    )
    assert answer.status_code == 202, answer.text
    assert stand.process(answer.json()["messageId"]) == "filed"
    receipt = http.get(
        f"/ingest/messages/{answer.json()['messageId']}", headers={"Authorization": f"Bearer {sender}"}
    ).json()
    assert receipt["status"] == "filed"

    citizen = stand.citizen_token(stand.citizen_by(messages.VISIT["SO_CCCD"] or ""))
    data = ask(
        http, citizen, "{ me { fullName } healthBook { visits { nodes { facility { code } costs { total } } } } }"
    )

    assert data == {
        "me": {"fullName": messages.VISIT["HO_TEN"]},
        "healthBook": {"visits": {"nodes": [{"facility": {"code": "01901"}, "costs": {"total": "150700.50"}}]}},
    }
