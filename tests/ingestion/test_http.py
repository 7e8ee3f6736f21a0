"""The hospitals' door over the wire: messages in, receipts out."""

import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4
from zlib import crc32

import httpx
import pytest

from tests.ingestion import messages
from tests.ingestion.messages import DRUG, LINES, RESULT, VISIT
from tests.people import Stand

XML = {"Content-Type": "application/xml"}
Door = tuple[httpx.Client, Stand, dict[str, str]]


@pytest.fixture(scope="module")
def sender(stand: Stand) -> dict[str, str]:
    return bearer(stand.facility("01901"))


@pytest.fixture
def door(http: httpx.Client, stand: Stand, sender: dict[str, str]) -> Door:
    return http, stand, sender


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def push(door: Door, body: bytes, **params: str) -> httpx.Response:
    http, _, sender = door
    return http.post("/ingest/qd4750", content=body, headers={**sender, **XML}, params=params)


def pushed_with_key(door: Door, body: bytes, key: str) -> httpx.Response:
    http, _, sender = door
    return http.post("/ingest/qd4750", content=body, headers={**sender, **XML, "Idempotency-Key": key})


def concluded(door: Door, body: bytes) -> dict[str, Any]:
    """Send a message, let the worker file it, and return the receipt."""
    http, stand, sender = door
    answer = push(door, body)
    assert answer.status_code == 202, answer.text
    stand.process(answer.json()["messageId"])
    receipt: dict[str, Any] = http.get(f"/ingest/messages/{answer.json()['messageId']}", headers=sender).json()
    return receipt


def kept(stand: Stand) -> int:
    found: int = stand.as_owner("SELECT count(*) FROM intake.message")[0].count
    return found


def another(name: str, *, number: str = "", **visit: str) -> bytes:
    """Return a message about a person and a visit of their own."""
    digits = number or f"0011850{crc32(name.encode()) % 100_000:05}"
    fields = {"HO_TEN": name, "SO_CCCD": digits, "MA_THE_BHYT": "", "MA_LK": f"01901.{digits}", **visit}
    return messages.envelope(messages.visit_xml({"XML1": [{**VISIT, **fields}]}))


def book_of(door: Door, personal_id: str, query: str) -> dict[str, Any]:
    http, stand, _ = door
    token = stand.citizen_token(stand.citizen_by(personal_id))
    answer = http.post("/graphql", json={"query": f"{{ healthBook {{ {query} }} }}"}, headers=bearer(token)).json()
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]["healthBook"]
    return found


def test_receipt_of_a_message(door: Door) -> None:
    http, stand, sender = door
    answer = push(door, another("Trần Văn Bình"))

    assert answer.status_code == 202
    first = answer.json()
    assert first.keys() == {"messageId", "receivedAt", "status"}
    assert first["status"] == "received"
    assert UUID(first["messageId"]).version == 7
    waiting = http.get(f"/ingest/messages/{first['messageId']}", headers=sender).json()
    assert (waiting["status"], waiting["concludedAt"], "visits" in waiting) == ("received", None, False)

    assert stand.process(first["messageId"]) == "filed"
    receipt = http.get(f"/ingest/messages/{first['messageId']}", headers=sender).json()
    assert {name: receipt[name] for name in ("messageId", "receivedAt", "status")} == {**first, "status": "filed"}
    assert receipt["concludedAt"] >= receipt["receivedAt"]
    (visit,) = receipt["visits"]
    assert (visit["status"], [one["change"] for one in visit["records"]]) == ("filed", ["added"])


def test_b162_the_same_bytes_again_give_the_same_receipt(door: Door) -> None:
    _, stand, _ = door
    body = another("Lê Thị Cúc")
    first = push(door, body)
    before = kept(stand)

    with ThreadPoolExecutor(8) as pool:
        again = list(pool.map(lambda _: push(door, body), range(8)))
    assert {(one.status_code, one.text) for one in again} == {(202, first.text)}

    stand.process(first.json()["messageId"])
    later = push(door, body)
    assert (later.status_code, later.json()) == (202, {**first.json(), "status": "filed"})
    assert kept(stand) == before
    assert stand.process(first.json()["messageId"]) is None


def test_b162_an_idempotency_key_is_of_one_body(door: Door) -> None:
    _, stand, _ = door
    body, other = another("Phạm Văn Dũng"), another("Hoàng Thị Em")

    first = pushed_with_key(door, body, "nightly-1")
    assert first.status_code == 202
    assert pushed_with_key(door, body, "nightly-1").text == first.text
    assert push(door, body).text == first.text
    before = kept(stand)
    refused = pushed_with_key(door, other, "nightly-1")
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    assert "Idempotency-Key" in refused.json()["vi"]
    assert kept(stand) == before
    assert pushed_with_key(door, other, "nightly-2").status_code == 202


def test_b162_one_key_for_two_bodies_at_once(door: Door) -> None:
    bodies = [another(f"Người thứ {number}") for number in range(6)]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda body: pushed_with_key(door, body, "race").status_code, bodies))

    assert sorted(answers) == [202] + [409] * 5


def test_an_idempotency_key_is_of_its_facility(door: Door) -> None:
    http, stand, _ = door
    other = bearer(stand.facility("79001", name="Bệnh viện khác"))
    body = messages.envelope(messages.visit_xml({"XML1": [{**VISIT, "MA_CSKCB": "79001"}]}), facility="79001")

    assert pushed_with_key(door, another("Vũ Văn Giang"), "shared").status_code == 202
    headers = {**other, **XML, "Idempotency-Key": "shared"}
    assert http.post("/ingest/qd4750", content=body, headers=headers).status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "khóa"])
def test_unusable_idempotency_key(door: Door, key: str) -> None:
    http, _, sender = door
    raw = [(b"Idempotency-Key", key.encode()), *((n.encode(), v.encode()) for n, v in {**sender, **XML}.items())]

    answer = http.post("/ingest/qd4750", content=messages.message(), headers=raw)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID")
    assert "Idempotency-Key" in answer.json()["en"]


def test_two_idempotency_keys_are_refused(door: Door) -> None:
    http, _, sender = door
    raw = [*((n.encode(), v.encode()) for n, v in {**sender, **XML}.items())]
    raw += [(b"Idempotency-Key", b"one"), (b"Idempotency-Key", b"two")]

    answer = http.post("/ingest/qd4750", content=messages.message(), headers=raw)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID")
    assert "once" in answer.json()["en"]


def test_a_corrected_visit_is_a_new_message(door: Door) -> None:
    number = "001185077777"
    person: Mapping[str, str] = {"HO_TEN": "Đỗ Thị Hà", "SO_CCCD": number, "MA_THE_BHYT": "", "MA_LK": "visit-7"}
    lines = {name: {**fields, "MA_LK": "visit-7"} for name, fields in LINES.items()}
    tables = {**{name: [fields] for name, fields in lines.items()}, "XML1": [{**VISIT, **person}]}
    first = concluded(door, messages.envelope(messages.visit_xml(tables)))
    corrected = {**lines["XML2"], "TEN_THUOC": "Ibuprofen 200mg"}
    second = concluded(door, messages.envelope(messages.visit_xml({**tables, "XML2": [corrected]})))

    assert first["messageId"] != second["messageId"]
    changes = {one["kind"]: one["change"] for one in second["visits"][0]["records"]}
    assert (changes["VISIT"], changes["PRESCRIPTION"], changes["TEST_REPORT"]) == ("unchanged", "replaced", "unchanged")
    book = book_of(door, number, "visits { nodes { id } } prescriptions { nodes { items { drugName } } }")
    assert len(book["visits"]["nodes"]) == 1
    assert [item["drugName"] for node in book["prescriptions"]["nodes"] for item in node["items"]] == [
        "Ibuprofen 200mg"
    ]


def test_dry_run_tells_the_verdict_and_stores_nothing(door: Door) -> None:
    _, stand, _ = door
    before = (kept(stand), stand.as_owner("SELECT count(*) FROM auth.citizen")[0].count)

    good = push(door, another("Ngô Văn Hải"), dryRun="true")
    bad = push(door, messages.changed("XML1", NGAY_VAO="20261320"), dryRun="true")

    assert (good.status_code, good.json()["dryRun"], good.json()["status"]) == (200, True, "filed")
    assert "messageId" not in good.json()
    (problem,) = [one for one in bad.json()["visits"][0]["problems"] if one["effect"] == "REJECTS"]
    assert (bad.json()["status"], problem["table"], problem["field"]) == ("rejected", "XML1", "NGAY_VAO")
    assert (kept(stand), stand.as_owner("SELECT count(*) FROM auth.citizen")[0].count) == before
    assert push(door, b"<a><b></a>", dryRun="true").status_code == 400
    assert push(door, messages.message(), dryRun="perhaps").json()["code"] == "INVALID"


def test_receipts_of_others_and_of_nobody_look_alike(door: Door) -> None:
    http, stand, sender = door
    theirs = push(door, another("Bùi Thị Kim")).json()["messageId"]
    other = bearer(stand.facility("48195", name="Bệnh viện thứ ba"))

    def seen(message_id: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        answer = http.get(f"/ingest/messages/{message_id}", headers=headers)
        return answer.status_code, {**answer.json(), "requestId": ""}

    assert http.get(f"/ingest/messages/{theirs}", headers=sender).status_code == 200
    absent = seen(theirs, other)
    assert absent[0] == 404
    assert absent[1]["code"] == "NOT_FOUND"
    for wrong in (str(uuid4()), "0", "%00", "x" * 300, theirs[:-1], "'--"):
        assert seen(wrong, other) == absent
    assert http.get("/ingest/messages", headers=other).json() == {"messages": [], "next": None}


def test_list_of_receipts(http: httpx.Client, stand: Stand) -> None:
    mine = bearer(stand.facility("36001", name="Bệnh viện thứ tư"))
    door = (http, stand, mine)
    sent = [push(door, another(f"Mai Văn {number}")).json()["messageId"] for number in range(5)]
    stand.process(sent[0])
    stand.process(sent[3])

    def listed(**params: str) -> tuple[list[str], str | None]:
        answer = http.get("/ingest/messages", headers=mine, params=params)
        assert answer.status_code == 200, answer.text
        return [one["messageId"] for one in answer.json()["messages"]], answer.json()["next"]

    whole = http.get("/ingest/messages", headers=mine).json()
    assert [one["messageId"] for one in whole["messages"]] == sent
    assert whole["messages"][1].keys() == {"messageId", "receivedAt", "status", "concludedAt", "sizeBytes"}
    found, after = [], None
    for expected in (2, 2, 1):
        page, after = listed(first="2", **({} if after is None else {"after": after}))
        assert len(page) == expected
        found += page
    assert (found, after) == (sent, None)
    assert listed(status="rejected") == ([sent[0], sent[3]], None)
    assert listed(status="received", first="3") == ([sent[1], sent[2], sent[4]], None)
    since = whole["messages"][2]["receivedAt"]
    assert listed(since=since) == (sent[2:], None)
    assert listed(since=since.replace("Z", "+00:00")) == (sent[2:], None)
    bare = http.get(f"/ingest/messages?since={since.replace('Z', '+00:00')}", headers=mine).json()["messages"]
    assert [one["messageId"] for one in bare] == sent[2:]
    assert listed(since="9999-12-31T23:59:59Z") == ([], None)
    assert listed(since="0001-01-01T00:00:00Z") == (sent, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "yesterday"),
        ("since", "2026-11-22"),
        ("since", "2026-11-22T10:00:00"),
        ("since", "0001-01-01T00:00:00+14:00"),
        ("since", "9999-12-31T23:59:59-14:00"),
        ("since", "inf"),
        ("since", ""),
        ("status", "FILED"),
        ("status", ""),
        ("after", ""),
        ("after", "x"),
        ("after", "khóa"),
        ("after", "MjAyNi0xMS0yMnww"),
        ("after", "MjAyNi0xMS0yMlQwMDowMDowMHwwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDA="),
        ("after", "a" * 201),
        ("first", "0"),
        ("first", "201"),
        ("first", "-1"),
        ("first", "1e2"),
        ("first", "9" * 5000),
    ],
)
def test_b194_bad_parameters_are_named_in_both_languages(door: Door, name: str, value: str) -> None:
    http, _, sender = door
    answer = http.get("/ingest/messages", headers=sender, params={name: value})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == "INVALID"
    assert name in body["vi"]
    assert name in body["en"]
    assert body["vi"] != body["en"]
    assert value == "" or len(value) < 4 or value not in answer.text


@pytest.mark.parametrize("content_type", ["", "application/json", "application/fhir+json", "text/plain", "xml", "*/*"])
def test_other_content_types(door: Door, content_type: str) -> None:
    http, stand, sender = door
    before = kept(stand)
    answer = http.post("/ingest/qd4750", content=messages.message(), headers={**sender, "Content-Type": content_type})

    assert (answer.status_code, answer.json()["code"]) == (415, "INVALID")
    assert "application/xml" in answer.json()["en"]
    assert kept(stand) == before


def test_accepted_content_types(door: Door) -> None:
    http, _, sender = door
    for content_type in ("application/xml; charset=utf-8", "text/xml", "APPLICATION/XML"):
        headers = {**sender, "Content-Type": content_type}
        assert http.post("/ingest/qd4750?dryRun=true", content=messages.message(), headers=headers).status_code == 200


def test_b161_a_number_of_another_person_waits(door: Door) -> None:
    number = "001185088888"
    assert concluded(door, another("Lý Thị Lan", number=number))["status"] == "filed"
    twin = another("Lý Thị Liên", number=number, MA_LK="visit-of-the-twin")

    receipt = concluded(door, twin)

    assert receipt["status"] == "quarantined"
    (problem,) = [one for one in receipt["visits"][0]["problems"] if one["effect"] == "QUARANTINES"]
    assert (problem["code"], problem["table"], problem["field"]) == ("NAME_DIFFERS", "XML1", "HO_TEN")
    assert "họ tên khác" in problem["vi"]
    assert "another name" in problem["en"]
    assert "Liên" not in str(receipt)
    assert number not in str(receipt)
    assert len(book_of(door, number, "visits { nodes { id } }")["visits"]["nodes"]) == 1


def test_some_visits_of_a_message(door: Door) -> None:
    good = {**VISIT, "HO_TEN": "Tạ Văn Minh", "SO_CCCD": "001085099999", "MA_THE_BHYT": "", "MA_LK": "part-1"}
    nobody = {**good, "SO_CCCD": "", "MA_LK": "part-2"}
    broken = {**good, "NGAY_VAO": "soon", "MA_LK": "part-3"}
    visits = [messages.visit_xml({"XML1": [{**one, "GIOI_TINH": "1"}]}) for one in (good, nobody, broken)]

    receipt = concluded(door, messages.envelope(*visits))

    assert receipt["status"] == "partly"
    assert [(one["visit"], one["status"]) for one in receipt["visits"]] == [
        ("part-1", "filed"),
        ("part-2", "quarantined"),
        ("part-3", "rejected"),
    ]
    for visit in receipt["visits"][1:]:
        worst = [one for one in visit["problems"] if one["effect"] in {"QUARANTINES", "REJECTS"}]
        assert worst
        assert all(one["vi"] and one["en"] and one["vi"] != one["en"] for one in worst)
        assert all(one["table"] == "XML1" and one["visit"] == visit["visit"] for one in worst)
        assert visit["records"] == []


def test_b163_nobody_sends_for_another_facility(door: Door) -> None:
    _, stand, _ = door
    foreign = {**VISIT, "HO_TEN": "Trịnh Thị Nga", "SO_CCCD": "001185066666", "MA_CSKCB": "79001", "MA_LK": "foreign"}
    body = messages.envelope(messages.visit_xml({"XML1": [foreign]}), facility="79001")

    receipt = concluded(door, body)

    assert receipt["status"] == "rejected"
    (problem,) = [one for one in receipt["problems"] if one["effect"] == "REJECTS"]
    assert (problem["code"], problem["field"]) == ("FACILITY_NOT_YOURS", "MACSKCB")
    lookup = stand.vault.index.of("001185066666", kind="PERSONAL_ID")
    assert stand.as_owner("SELECT FROM auth.identifier WHERE lookup = :lookup", lookup=lookup) == []


def test_b169_markup_and_formulas_are_only_text(door: Door) -> None:
    number = "001185055555"
    wild = '=HYPERLINK("http://127.0.0.1:9","x") <script>alert(\'1\')</script> {{7*7}} %s \\u0000 \' OR 1=1--'
    visit = {**VISIT, "HO_TEN": "Ông <b>Đinh</b> Văn Oai", "SO_CCCD": number, "MA_THE_BHYT": "", "MA_LK": "wild"}
    tables = {
        "XML1": [visit],
        "XML2": [{**DRUG, "MA_LK": "wild", "TEN_THUOC": wild, "CACH_DUNG": wild}],
        "XML4": [{**RESULT, "MA_LK": "wild", "GIA_TRI": "<5", "KET_LUAN": wild}],
    }

    assert concluded(door, messages.envelope(messages.visit_xml(tables)))["status"] == "filed"

    book = book_of(
        door,
        number,
        "owner { fullName } prescriptions { nodes { items { drugName instruction } } } "
        "testResults { nodes { conclusion results { valueText } } }",
    )
    assert book["owner"]["fullName"] == "Ông <b>Đinh</b> Văn Oai"
    (item,) = book["prescriptions"]["nodes"][0]["items"]
    assert item == {"drugName": wild, "instruction": wild}
    (report,) = book["testResults"]["nodes"]
    assert report == {"conclusion": wild, "results": [{"valueText": "<5"}]}


def test_b154_composed_and_decomposed_names_are_one_person(door: Door) -> None:
    name, number = "Nguyễn Thị Phượng", "001185044444"
    decomposed = unicodedata.normalize("NFD", name)
    assert decomposed != name

    first = concluded(door, another(decomposed, number=number, MA_LK="nfd"))
    second = concluded(door, another(name, number=number, MA_LK="nfc"))

    assert (first["status"], second["status"]) == ("filed", "filed")
    book = book_of(door, number, "owner { fullName } visits { nodes { id } }")
    assert book["owner"]["fullName"] == name
    assert len(book["visits"]["nodes"]) == 2


def test_b163_two_facilities_may_name_their_visits_alike(
    http: httpx.Client, stand: Stand, sender: dict[str, str]
) -> None:
    other = bearer(stand.facility("56001", name="Bệnh viện thứ năm"))
    number = "001185033333"
    body = another("Quách Thị Quyên", number=number, MA_LK="same-name")
    theirs = messages.envelope(
        messages.visit_xml(
            {
                "XML1": [
                    {
                        **VISIT,
                        "HO_TEN": "Quách Thị Quyên",
                        "SO_CCCD": number,
                        "MA_THE_BHYT": "",
                        "MA_LK": "same-name",
                        "MA_CSKCB": "56001",
                    }
                ]
            }
        ),
        facility="56001",
    )

    assert concluded((http, stand, sender), body)["status"] == "filed"
    assert concluded((http, stand, other), theirs)["status"] == "filed"

    book = book_of((http, stand, sender), number, "visits { nodes { facility { code } } }")
    assert {node["facility"]["code"] for node in book["visits"]["nodes"]} == {"01901", "56001"}


def test_other_methods(door: Door) -> None:
    http, _, sender = door
    for method, path, allowed in (
        ("GET", "/ingest/qd4750", {"POST"}),
        ("PUT", "/ingest/qd4750", {"POST"}),
        ("POST", "/ingest/messages", {"GET", "HEAD"}),
        ("DELETE", f"/ingest/messages/{uuid4()}", {"GET", "HEAD"}),
        ("OPTIONS", "/ingest/qd4750", {"POST"}),
    ):
        answer = http.request(method, path, headers=sender)
        assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, allowed)
        assert answer.json()["code"] == "INVALID"
