"""accessLog: the citizen reads in words who looked, and may question it; nobody else reads anything."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.gateway.trusted import trusted_operations
from tests.audit.sealers import Sealers
from tests.audit.visitors import Visitors
from tests.conftest import Ground
from tests.people import Stand, now

DOCUMENTS = {known.name: known.id for known in trusted_operations().values()}
VERIFIER = Path(__file__).parents[2] / "infra" / "verify_access_log.py"


@pytest.fixture(scope="module")
def visitors(stand: Stand) -> Visitors:
    stand.facility("01901", name="Bệnh viện Thử nghiệm")
    return Visitors(stand)


@pytest.fixture(scope="module")
def doctor(visitors: Visitors) -> str:
    return visitors.practitioner("Trần Văn Đức")


@pytest.fixture
def citizen(visitors: Visitors) -> UUID:
    return visitors.citizen("Nguyễn Thị Lan")


@pytest.fixture
def token(visitors: Visitors, citizen: UUID) -> str:
    return visitors.stand.citizen_token(citizen)


def ask(
    http: httpx.Client,
    token: str,
    name: str,
    variables: Mapping[str, Any] | None = None,
    *,
    language: str = "vi",
) -> dict[str, Any]:
    """Send a released operation and return the whole answer."""
    headers = {"Accept-Language": language, "Authorization": f"Bearer {token}"}
    answer = http.post(
        "/graphql", json={"documentId": DOCUMENTS[name], "variables": dict(variables or {})}, headers=headers
    )
    body: dict[str, Any] = answer.json()
    return body


def log(http: httpx.Client, token: str, *, language: str = "vi", citizen: UUID | None = None) -> list[dict[str, Any]]:
    """Return the lines that a citizen reads, newest first."""
    variables = {} if citizen is None else {"citizenId": str(citizen)}
    body = ask(http, token, "AccessLog", variables, language=language)
    assert "errors" not in body, body
    return [edge["node"] for edge in body["data"]["accessLog"]["edges"]]


def test_a_view_is_told_in_words_of_both_languages(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str
) -> None:
    about = {"purpose": "TREATMENT", "facility": "01901", "sections": 9, "grant": "0198"}
    visitors.view(citizen, by=doctor, about=about)

    vietnamese, english = log(http, token)[0], log(http, token, language="en")[0]
    assert vietnamese["sentence"] == (
        "Trần Văn Đức (người hành nghề) tại Bệnh viện Thử nghiệm đã xem sổ sức khỏe để khám, chữa bệnh."
    )
    assert english["sentence"] == (
        "Trần Văn Đức (practitioner) at Bệnh viện Thử nghiệm viewed the health book for treatment."
    )
    assert vietnamese["actorKind"] == "PRACTITIONER"
    assert vietnamese["actor"] == "Trần Văn Đức (người hành nghề)"
    assert (vietnamese["number"], vietnamese["action"], vietnamese["category"]) == (1, "BOOK_OPENED", "VIEW")
    assert (vietnamese["facility"], vietnamese["purpose"]) == ("Bệnh viện Thử nghiệm", "TREATMENT")
    assert vietnamese["sections"] == ["VISITS", "TEST_RESULTS"]
    assert vietnamese["grantId"] == "0198"


@pytest.mark.parametrize(("about", "sentence"), [
    ({"kind": "EMERGENCY"}, "Trần Văn Đức (practitioner) viewed the health book in an emergency."),
    ({"kind": "PREVIEW"}, "Trần Văn Đức (practitioner) previewed the health book as others would see it."),
    ({"facility": "99999"}, "Trần Văn Đức (practitioner) at 99999 viewed the health book."),
    ({"scope": {"sections": 1}}, "Trần Văn Đức (practitioner) viewed the health book."),
])  # fmt: skip
def test_what_is_special_about_a_view_is_told(
    http: httpx.Client,
    visitors: Visitors,
    citizen: UUID,
    token: str,
    doctor: str,
    about: dict[str, Any],
    sentence: str,
) -> None:
    visitors.view(citizen, by=doctor, about=about)

    line = log(http, token, language="en")[0]
    assert line["sentence"] == sentence
    assert line["sections"] == (["VISITS"] if "scope" in about else None)


def test_people_are_told_from_machines_and_the_viewer_is_you(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str
) -> None:
    system = visitors.stand.facility("79001", name="Bệnh viện Khác")
    for actor in (token, system, None):
        visitors.write(citizen, "GRANT_REVOKED", by=actor)

    told = [(line["actorKind"], line["sentence"]) for line in log(http, token)]
    assert told == [
        ("SYSTEM", "Sổ Khỏe đã thu hồi một quyền xem."),
        ("FACILITY_SYSTEM", "Hệ thống của cơ sở y tế tại Bệnh viện Khác đã thu hồi một quyền xem."),
        ("OWNER", "Bạn đã thu hồi một quyền xem."),
    ]


def test_who_gave_and_who_was_given_are_told_apart(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str
) -> None:
    for actor in (token, doctor):
        visitors.write(citizen, "GRANT_GIVEN", by=actor)

    assert [line["sentence"] for line in log(http, token, language="en")] == [
        "Trần Văn Đức (practitioner) was given access to the health book.",
        "You gave access to the health book.",
    ]


def test_an_action_without_words_of_its_own_is_told_all_the_same(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str
) -> None:
    visitors.write(citizen, "SOMETHING_OF_A_LATER_RELEASE", by=token)

    assert log(http, token, language="en")[0]["sentence"] == "You changed a right or the account."


def test_the_log_is_read_in_pages_newest_first(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str
) -> None:
    for _ in range(5):
        visitors.write(citizen, "CODE_MADE", by=token)
    numbers, after = [], None
    while True:
        page = ask(http, token, "AccessLog", {"first": 2, "after": after})["data"]["accessLog"]
        numbers += [edge["node"]["number"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]

    assert numbers == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("whose", ["another", "nobody", "nonsense"])
def test_anothers_log_is_not_found(http: httpx.Client, visitors: Visitors, token: str, doctor: str, whose: str) -> None:
    other = visitors.citizen()
    visitors.view(other, by=doctor)
    asked = {"another": str(other), "nobody": "01980000-0000-7000-8000-000000000000", "nonsense": "x' OR 1"}[whose]

    body = ask(http, token, "AccessLog", {"citizenId": asked})
    assert body["data"] == {"accessLog": None}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_FOUND"]
    assert log(http, token) == []


@pytest.mark.parametrize("asked", ["__typename", "pageInfo { hasPreviousPage }", "edges { cursor }"])
def test_anothers_log_is_not_found_whatever_is_asked_of_it(
    http: httpx.Client, visitors: Visitors, token: str, doctor: str, asked: str
) -> None:
    for viewer, argument in ((token, f'(citizenId: "{visitors.citizen()}")'), (doctor, ""), (token, "")):
        query = f"{{ accessLog{argument} {{ {asked} }} }}"
        body = http.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {viewer}"}).json()
        assert (body["data"]["accessLog"] is None, "errors" in body) == ((viewer, argument) != (token, ""),) * 2


def test_a_practitioner_reads_no_log(http: httpx.Client, citizen: UUID, doctor: str) -> None:
    for variables in ({}, {"citizenId": str(citizen)}):
        body = ask(http, doctor, "AccessLog", variables)
        assert body["data"] == {"accessLog": None}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_FOUND"]


def represent(visitors: Visitors, child: UUID, parent: UUID, *, kind: str, born: date) -> None:
    visitors.stand.as_owner("UPDATE auth.citizen SET birth_on = :born WHERE id = :id", born=born, id=child)
    visitors.stand.as_owner(
        "INSERT INTO auth.representation (id, dependant_id, representative_id, kind, extent, evidence, valid_from, "
        "added_at, accepted_at) VALUES (gen_random_uuid(), :child, :parent, :kind, :extent, 'PAPER', '2020-01-01', "
        "now(), now())",
        child=child,
        parent=parent,
        kind=kind,
        extent=None if kind in {"PARENT", "GUARDIAN"} else "FULL",
    )


def years_ago(years: int) -> date:
    return (now() - timedelta(days=366 * years)).date()


def test_a_parent_reads_the_log_of_a_small_child(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str
) -> None:
    child = visitors.citizen("Nguyễn Văn Bé")
    represent(visitors, child, citizen, kind="PARENT", born=years_ago(3))
    visitors.view(child, by=doctor)

    assert [line["number"] for line in log(http, token, citizen=child)] == [1]


def test_a_representative_from_whom_something_may_be_hidden_does_not_read_the_log(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str
) -> None:
    grown = visitors.citizen("Nguyễn Văn Lớn")
    represent(visitors, grown, citizen, kind="PARENT", born=years_ago(16))
    visitors.view(grown, by=doctor)

    body = ask(http, token, "AccessLog", {"citizenId": str(grown)})
    assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_FOUND"]


def question(
    http: httpx.Client, token: str, line: str, *, key: str = "k", note: str | None = None, reason: str = "NO_VISIT"
) -> dict[str, Any]:
    asked = {"idempotencyKey": key, "entryId": line, "reason": reason, "note": note}
    return ask(http, token, "QuestionAccess", {"input": asked}, language="en")


def test_a_line_is_questioned_with_a_deadline_and_the_answer_is_shown(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str, ground: Ground
) -> None:
    visitors.view(citizen, by=doctor)
    line = log(http, token)[0]["id"]

    body = question(http, token, line, note="Tôi không\u200b khám\u00a0ở đó.\u202e\r\n")
    case = body["data"]["questionAccess"]["entry"]["question"]
    assert (case["state"], case["reason"], case["note"]) == ("OPEN", "NO_VISIT", "Tôi không khám ở đó.")
    today = visitors.stand.as_owner("SELECT auth.today() AS day")[0].day
    assert case["dueOn"] == (today + timedelta(days=10)).isoformat()
    assert "Tôi không khám" not in str(visitors.stand.as_owner("SELECT * FROM audit.question"))

    visitors.stand.as_owner("SELECT audit.answer_question(:id, 'JUSTIFIED', 'Phòng bảo vệ dữ liệu')", id=case["id"])
    newest, asked, questioned = log(http, token, language="en")
    assert newest["sentence"] == "Sổ Khỏe answered a question about this log."
    assert asked["sentence"] == "You questioned a line of this log."
    assert questioned["question"]["state"] == "JUSTIFIED"
    assert questioned["question"]["answeredBy"] == "Phòng bảo vệ dữ liệu"
    assert ground.cluster is not None


def test_a_line_is_questioned_once_and_a_repeat_answers_alike(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str
) -> None:
    visitors.view(citizen, by=doctor)
    line = log(http, token)[0]["id"]

    first = question(http, token, line)
    assert question(http, token, line) == first
    again = question(http, token, line, key="another")
    assert [error["extensions"]["code"] for error in again["errors"]] == ["CONFLICT"]
    assert visitors.lines(citizen)[-1].n == 2


@pytest.mark.parametrize("line", ["{other}.1", "{mine}.99", "{mine}.0", "x", "{mine}.1 ", "{mine}.99999999999999999"])
def test_a_line_that_is_not_ones_own_cannot_be_questioned(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str, line: str
) -> None:
    other = visitors.citizen()
    visitors.view(other, by=doctor)
    visitors.view(citizen, by=doctor)

    body = question(http, token, line.format(other=other, mine=citizen))
    assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_FOUND"]


def test_a_note_has_an_end(http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str) -> None:
    visitors.view(citizen, by=doctor)

    body = question(http, token, f"{citizen}.1", note="x" * 1001)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INVALID"]


def exported(http: httpx.Client, token: str) -> dict[str, Any]:
    """Download the log with its proofs, as the app's export does."""
    body = ask(http, token, "AccessLogExport")
    assert "errors" not in body, body
    return body


def verdict(
    folder: Path, answer: object, key: str, *options: str, known: str | None = None, consistency: object = None
) -> tuple[int, str]:
    """Run the stand-alone verifier as a citizen would, away from the checkout."""
    (folder / "log.json").write_text(json.dumps(answer), encoding="utf-8")
    command = [sys.executable, "-I", str(VERIFIER), "log.json", "--key", key, *options]
    if known is not None:
        (folder / "old.txt").write_text(known, encoding="utf-8")
        command += ["--known", "old.txt"]
    if consistency is not None:
        (folder / "proof.json").write_text(json.dumps(consistency), encoding="utf-8")
        command += ["--consistency", "proof.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def export(http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str) -> dict[str, Any]:
    """Return the export of four sealed lines."""
    for _ in range(3):
        visitors.view(citizen, by=doctor, about={"purpose": "TREATMENT", "facility": "01901"})
    visitors.write(citizen, "GRANT_REVOKED", by=token)
    Sealers(visitors.stand).seal()
    return exported(http, token)


@pytest.fixture(scope="module")
def key(visitors: Visitors) -> str:
    return Sealers(visitors.stand).signer.verifier


def nodes(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in answer["data"]["accessLog"]["edges"]]


def test_t16_the_stand_alone_verifier_accepts_what_is_whole(tmp_path: Path, export: dict[str, Any], key: str) -> None:
    assert verdict(tmp_path, export, key) == (0, "OK: 4 lines, 0 not sealed yet\n")


def test_t16_a_line_that_is_not_sealed_yet_is_said_to_be_so(
    tmp_path: Path, http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, key: str
) -> None:
    visitors.write(citizen, "GRANT_REVOKED", by=token)

    assert verdict(tmp_path, exported(http, token), key) == (0, "OK: 1 lines, 1 not sealed yet\n")


@pytest.mark.parametrize(("field", "value", "said"), [
    ("nonce", "00" * 32, "line 2: its leaf is not the hash"),
    ("leaf", "11" * 32, "line 2: its leaf is not the hash"),
    ("path", [], "line 2: it is not in the sealed tree"),
    ("index", 0, "line 2: it is not in the sealed tree"),
])  # fmt: skip
def test_t16_the_verifier_names_the_line_whose_proof_was_changed(
    tmp_path: Path, export: dict[str, Any], key: str, field: str, value: object, said: str
) -> None:
    line = next(node for node in nodes(export) if node["number"] == 2)
    line["proof"][field] = value

    code, text = verdict(tmp_path, export, key)
    assert code == 1
    assert said in text


def test_t16_the_verifier_names_a_line_that_says_something_else(
    tmp_path: Path, export: dict[str, Any], key: str
) -> None:
    line = next(node for node in nodes(export) if node["number"] == 3)
    line["proof"]["body"] = line["proof"]["body"].replace("Trần Văn Đức", "Một Người Khác")

    code, text = verdict(tmp_path, export, key)
    assert (code, "line 3" in text, "line 2" in text) == (1, True, False)


@pytest.mark.parametrize(("field", "value"), [("action", "CODE_MADE"), ("at", "2026-01-01T00:00:00Z")])
def test_t16_the_verifier_names_a_line_that_is_shown_otherwise(
    tmp_path: Path, export: dict[str, Any], key: str, field: str, value: str
) -> None:
    line = next(node for node in nodes(export) if node["number"] == 3)
    line[field] = value

    assert "line 3: it is shown otherwise" in verdict(tmp_path, export, key)[1]


def test_t16_the_verifier_names_a_line_that_is_missing(tmp_path: Path, export: dict[str, Any], key: str) -> None:
    export["data"]["accessLog"]["edges"] = [
        edge for edge in export["data"]["accessLog"]["edges"] if edge["node"]["number"] != 2
    ]

    code, text = verdict(tmp_path, export, key)
    assert (code, "line 2: it is missing" in text) == (1, True)


def test_t16_the_verifier_says_which_older_lines_it_was_not_given(
    tmp_path: Path, export: dict[str, Any], key: str
) -> None:
    export["data"]["accessLog"]["edges"] = [
        edge for edge in export["data"]["accessLog"]["edges"] if edge["node"]["number"] > 2
    ]

    code, text = verdict(tmp_path, export, key)
    assert (code, text.startswith("OK: 2 lines, 0 not sealed yet; not in this file: lines 1 to 2 /")) == (0, True)


def test_t16_what_is_no_log_or_no_key_is_said_in_a_sentence(tmp_path: Path, export: dict[str, Any], key: str) -> None:
    code, text = verdict(tmp_path, {"data": None, "errors": []}, key)
    assert (code, text.startswith("WRONG: log.json is no answer of AccessLogExport"), "Traceback" in text) == (
        1,
        True,
        False,
    )
    code, text = verdict(tmp_path, export, "x")
    assert (code, text.startswith("WRONG: --key is no key"), "Traceback" in text) == (1, True, False)


def test_t16_a_head_of_another_key_is_refused(tmp_path: Path, export: dict[str, Any], key: str) -> None:
    name, _, _ = key.split("+", 2)
    other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

    assert name == "sokhoe/visitors-book"
    code, text = verdict(tmp_path, export, other)
    assert (code, "not signed by this key" in text) == (1, True)


def test_t16_two_signed_roots_of_one_size_are_refused(
    tmp_path: Path, visitors: Visitors, export: dict[str, Any], key: str
) -> None:
    size = nodes(export)[0]["proof"]["size"]
    other = Sealers(visitors.stand).signer.sign(size=size, root=b"\x01" * 32)

    code, text = verdict(tmp_path, export, key, known=other)
    assert (code, f"two roots were signed for one size, {size}" in text) == (1, True)


def test_t16_the_tree_must_continue_the_one_that_was_kept(
    tmp_path: Path, http: httpx.Client, visitors: Visitors, export: dict[str, Any], key: str, token: str, citizen: UUID
) -> None:
    kept = http.get("/audit/checkpoint").text
    old = nodes(export)[0]["proof"]["size"]
    visitors.write(citizen, "GRANT_REVOKED", by=token)
    Sealers(visitors.stand).seal()
    later = exported(http, token)
    new = nodes(later)[0]["proof"]["size"]

    proof = http.get("/audit/consistency", params={"from": old, "to": new}).json()
    assert (proof["from"], proof["to"]) == (old, new)
    assert verdict(tmp_path, later, key, known=kept, consistency=proof) == (0, "OK: 5 lines, 0 not sealed yet\n")
    code, text = verdict(tmp_path, later, key, known=kept, consistency={"path": ["00" * 32, *proof["path"][1:]]})
    assert (code, "does not continue" in text) == (1, True)
    assert verdict(tmp_path, later, key, known=kept)[0] == 1
    assert verdict(tmp_path, export, key, known=http.get("/audit/checkpoint").text)[0] == 1
