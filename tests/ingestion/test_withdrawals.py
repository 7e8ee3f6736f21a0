"""A facility takes back what it sent in error; nobody learns from it what others have."""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from app.core.clock import VIETNAM_TIME
from tests.attacks.crowd import Member, message
from tests.ingestion import messages
from tests.people import Stand, now

Answer = httpx.Response


@pytest.fixture(scope="module")
def sender(stand: Stand) -> str:
    return stand.facility()


def ask(http: httpx.Client, token: str, body: Mapping[str, object] | bytes, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    return http.post("/ingest/withdrawals", content=content, headers=sent)


def book_of(http: httpx.Client, stand: Stand, member: Member, fields: str) -> Any:
    token = stand.citizen_token(stand.citizen_by(member.personal_id))
    headers = {"Authorization": f"Bearer {token}"}
    answer = http.post("/graphql", json={"query": f"{{ healthBook {{ version {fields} }} }}"}, headers=headers).json()
    assert "errors" not in answer, answer
    return answer["data"]["healthBook"]


SHOWN = """
  visits { nodes { id } } prescriptions { nodes { id } } testResults { nodes { id } }
  conditions { code } insurance { validFrom }
  withdrawals { kind reason withdrawnAt visitStartedAt facility { code } }
"""


def test_a_withdrawn_visit_is_gone_and_the_citizen_sees_why(http: httpx.Client, stand: Stand, sender: str) -> None:
    member = Member(number=3_001)
    stand.file(message(member), token=sender)
    before = book_of(http, stand, member, SHOWN)
    assert all(before[name]["nodes"] for name in ("visits", "prescriptions", "testResults"))
    asked = {"facility": "01901", "visit": member.visit_id, "reason": "Nhầm người bệnh"}

    answer = ask(http, sender, asked)

    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "received"
    assert stand.process(answer.json()["messageId"]) == "filed"
    receipt = stand.receipt(answer.json()["messageId"], token=sender).verdict
    assert receipt is not None
    assert {(one["kind"], one["change"]) for one in receipt["visits"][0]["records"]} == {
        ("VISIT", "withdrawn"),
        ("PRESCRIPTION", "withdrawn"),
        ("TEST_REPORT", "withdrawn"),
    }
    after = book_of(http, stand, member, SHOWN)
    assert [after[name]["nodes"] for name in ("visits", "prescriptions", "testResults")] == [[], [], []]
    assert (after["conditions"], after["insurance"]) == ([], [])
    (told,) = after["withdrawals"]
    assert (told["kind"], told["reason"], told["facility"]) == ("VISIT", "Nhầm người bệnh", {"code": "01901"})
    assert int(after["version"]) > int(before["version"])
    again = ask(http, sender, asked)
    assert again.json()["messageId"] == answer.json()["messageId"]


def test_history_stays(stand: Stand, http: httpx.Client, sender: str) -> None:
    member = Member(number=3_002)
    stand.file(message(member), token=sender)
    answer = ask(http, sender, {"visit": member.visit_id, "reason": "Gửi nhầm"})
    stand.process(answer.json()["messageId"])

    rows = stand.as_owner(
        "SELECT count(*) FROM intake.message WHERE id IN (SELECT message_id FROM auth.filing WHERE source_id = :visit)",
        visit=member.visit_id,
    )
    assert rows[0].count == 2  # the message as it was sent, and its withdrawal


def test_a_withdrawn_visit_may_be_sent_again_and_for_somebody_else(
    http: httpx.Client, stand: Stand, sender: str
) -> None:
    wrong, right = Member(number=3_003), Member(number=3_004)
    as_sent = messages.envelope(messages.visit_xml(wrong.tables()), issued="20261122")
    stand.file(as_sent, token=sender)
    mine = {name: [{**line[0], "MA_LK": wrong.visit_id}] for name, line in right.tables().items()}
    corrected = messages.envelope(messages.visit_xml(mine), issued="20261122", signature="lần 2")
    kept = stand.keep(corrected, token=sender)
    assert stand.process(kept) == "quarantined"
    answer = ask(http, sender, {"visit": wrong.visit_id, "reason": "Nhầm người bệnh"})
    stand.process(answer.json()["messageId"])
    fresh = messages.envelope(messages.visit_xml(mine), issued="20261122", signature="lần 3")

    assert stand.file(fresh, token=sender) == "filed"

    assert book_of(http, stand, right, SHOWN)["visits"]["nodes"]
    assert book_of(http, stand, wrong, SHOWN)["visits"]["nodes"] == []
    second = ask(http, sender, {"visit": wrong.visit_id, "reason": "Nhầm người bệnh"})
    assert second.json()["messageId"] != answer.json()["messageId"]  # another visit stands there now
    assert stand.process(second.json()["messageId"]) == "filed"
    assert book_of(http, stand, right, SHOWN)["visits"]["nodes"] == []


def test_a_receipt_tells_that_its_visit_was_taken_back_since(http: httpx.Client, stand: Stand, sender: str) -> None:
    """The same bytes get the same receipt, also after a withdrawal: without this it would say no more than "added"."""
    member, headers = Member(number=3_090), {"Authorization": f"Bearer {sender}"}
    body, sent = message(member), {**headers, "Content-Type": "application/xml"}
    kept = http.post("/ingest/qd4750", content=body, headers=sent).json()["messageId"]
    stand.process(kept)

    def told() -> Any:
        (visit,) = http.get(f"/ingest/messages/{kept}", headers=headers).json()["visits"]
        return visit

    assert "withdrawnAt" not in told()
    withdrawn = ask(http, sender, {"visit": member.visit_id, "reason": "Gửi nhầm"})
    stand.process(withdrawn.json()["messageId"])

    assert http.post("/ingest/qd4750", content=body, headers=sent).json()["messageId"] == kept
    assert withdrawn.json()["receivedAt"] <= told()["withdrawnAt"]


def test_b162_a_withdrawal_asked_again_under_its_key_is_the_first_one_although_the_visit_came_back(
    http: httpx.Client, stand: Stand, sender: str
) -> None:
    member = Member(number=3_021)
    stand.file(message(member), token=sender)
    asked, key = {"visit": member.visit_id, "reason": "Nhầm người bệnh"}, {"Idempotency-Key": "withdrawal-1"}
    first = ask(http, sender, asked, **key).json()["messageId"]
    assert stand.process(first) == "filed"
    back = messages.envelope(messages.visit_xml(member.tables()), issued="20261122", signature="lần 2")
    assert stand.file(back, token=sender) == "filed"

    again, other = ask(http, sender, asked, **key), ask(http, sender, {**asked, "reason": "Nhầm"}, **key)

    assert (again.status_code, again.json()["messageId"]) == (202, first)
    assert (other.status_code, other.json()["code"]) == (409, "CONFLICT")


def test_a_hidden_visit_that_is_withdrawn_and_sent_again_is_hidden_still(
    http: httpx.Client, stand: Stand, sender: str
) -> None:
    member = Member(number=3_009)
    stand.file(message(member, issued="20261120"), token=sender)
    (visit,) = book_of(http, stand, member, SHOWN)["visits"]["nodes"]
    hide = "mutation ($input: MaskRecordsInput!) { maskRecords(input: $input) { changed } }"
    wanted = {"input": {"idempotencyKey": "hide-3009", "recordIds": [visit["id"]]}}
    token = stand.citizen_token(stand.citizen_by(member.personal_id))
    sent = {"query": hide, "variables": wanted}
    done = http.post("/graphql", json=sent, headers={"Authorization": f"Bearer {token}"})
    assert done.json()["data"]["maskRecords"]["changed"] == 1
    answer = ask(http, sender, {"visit": member.visit_id, "reason": "Gửi nhầm"})
    assert stand.process(answer.json()["messageId"]) == "filed"

    made = f"{now().astimezone(VIETNAM_TIME):%Y%m%d}"  # what was made before a day of withdrawal stays withdrawn
    assert stand.file(message(member, issued=made), token=sender) == "filed"

    again = book_of(http, stand, member, "visits { nodes { isMasked } } prescriptions { nodes { isMasked } }")
    assert again["visits"]["nodes"] == again["prescriptions"]["nodes"] == [{"isMasked": True}]


def test_one_record_is_withdrawn_by_the_key_of_its_receipt(http: httpx.Client, stand: Stand, sender: str) -> None:
    member = Member(number=3_005)
    kept = stand.keep(message(member), token=sender)
    stand.process(kept)
    verdict = stand.receipt(kept, token=sender).verdict
    assert verdict is not None
    key = next(one["key"] for one in verdict["visits"][0]["records"] if one["kind"] == "TEST_REPORT")
    body = {"visit": member.visit_id, "record": {"kind": "TEST_REPORT", "key": key}, "reason": "Nhầm ống máu"}

    answer = ask(http, sender, body)

    assert stand.process(answer.json()["messageId"]) == "filed"
    after = book_of(http, stand, member, SHOWN)
    assert len(after["visits"]["nodes"]) == len(after["prescriptions"]["nodes"]) == 1
    assert after["testResults"]["nodes"] == []
    assert after["withdrawals"][0]["kind"] == "TEST_REPORT"


def test_b163_what_is_unknown_and_what_is_anothers_look_alike(http: httpx.Client, stand: Stand, sender: str) -> None:
    member = Member(number=3_006)
    stand.file(message(member), token=sender)
    stranger = stand.facility("01907", name="Bệnh viện khác")
    reason = {"reason": "Gửi nhầm"}
    unknown_record = {"record": {"kind": "DOCUMENT", "key": "discharge:1"}}

    answers = [
        ask(http, stranger, {"visit": member.visit_id, **reason}),
        ask(http, sender, {"visit": "không có", **reason}),
        ask(http, stranger, {"visit": "không có", **reason}),
        ask(http, sender, {"visit": member.visit_id, **reason, **unknown_record}),
        ask(http, sender, {"visit": member.visit_id, **reason, "facility": "01907"}),
    ]

    def told(answer: Answer) -> tuple[int, dict[str, Any]]:
        return answer.status_code, {**answer.json(), "requestId": ""}

    assert [answer.status_code for answer in answers] == [404] * 5
    assert all(told(answer) == told(answers[0]) for answer in answers)
    assert book_of(http, stand, member, SHOWN)["visits"]["nodes"]


def test_a_visit_that_waits_is_not_in_the_book_to_be_withdrawn(http: httpx.Client, stand: Stand, sender: str) -> None:
    member = Member(
        number=3_007, fields={"SO_CCCD": "", "MA_THE_BHYT": "", "MA_DKBD": "", "GT_THE_TU": "", "GT_THE_DEN": ""}
    )
    assert stand.file(message(member), token=sender) == "quarantined"

    assert ask(http, sender, {"visit": member.visit_id, "reason": "Gửi nhầm"}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"visit": "a", "visit": "b", "reason": "x"}',
        {"visit": "a"},
        {"reason": "a"},
        {"visit": "", "reason": "a"},
        {"visit": "a", "reason": " "},
        {"visit": "a", "reason": "x" * 501},
        {"visit": "a", "reason": "x\ny"},
        {"visit": 1, "reason": "a"},
        {"visit": "a", "reason": "a", "record": "rx"},
        {"visit": "a", "reason": "a", "record": {"kind": "VISIT", "key": "a"}},
        {"visit": "a", "reason": "a", "record": {"kind": "DOCUMENT"}},
        {"visit": "a", "reason": "a", "because": "b"},
        {"visit": "a", "reason": "a", "facility": 5},
    ],
)
def test_b158_a_malformed_withdrawal_names_what_is_wrong(
    http: httpx.Client, sender: str, body: Mapping[str, object] | bytes
) -> None:
    answer = ask(http, sender, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID"), answer.text
    assert answer.json()["vi"]
    assert answer.json()["en"]


def test_who_may_not(http: httpx.Client, stand: Stand, sender: str) -> None:
    member = Member(number=3_008)
    stand.file(message(member), token=sender)
    body = {"visit": member.visit_id, "reason": "Gửi nhầm"}
    citizen = stand.citizen_token(stand.citizen_by(member.personal_id))

    assert ask(http, "no-token-of-anybody", body).status_code == 401
    assert ask(http, citizen, body).status_code == 401
    assert ask(http, sender, body, **{"Content-Type": "text/plain"}).status_code == 415
    assert ask(http, sender, b"{" + b" " * 20_000).status_code == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b'{"visit":' + b"[" * 7_000 + b"]" * 7_000 + b"}", 400, id="b156 depth"),
        pytest.param(b'{"visit":' + b"[" * 100_000, 413, id="b156 depth 100,000"),
        pytest.param(b'{"visit":1e999,"reason":"a"}', 400, id="b157 infinity"),
        pytest.param(b'{"visit":NaN,"reason":"a"}', 400, id="b157 NaN"),
        pytest.param(b'{"visit":' + b"9" * 15_000 + b',"reason":"a"}', 400, id="b157 digits"),
        pytest.param(b'{"visit":"a","visit":"b","reason":"a"}', 400, id="b158 twice"),
        pytest.param(b'{"visit":"a","reason":"a","record":[' + b"0," * 6_000 + b"0]}", 400, id="b159 array"),
        pytest.param(b'{"visit":[' + b"0," * 1_000_000 + b"0]}", 413, id="b159 array of a million"),
    ],
)
def test_b156_to_b159_json_bombs_are_refused_at_once(http: httpx.Client, sender: str, body: bytes, status: int) -> None:
    start = time.process_time()
    answer = ask(http, sender, body)

    assert (answer.status_code, answer.json()["code"]) == (status, "INVALID"), answer.text
    assert time.process_time() - start < 2  # of this process, which serves too, however busy others keep the machine
