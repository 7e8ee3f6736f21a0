"""The stand-alone verifier: the words that a citizen reads must tell what was hashed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import verify_access_log as verifier
from app.audit import words
from tests.audit.sealers import Sealers
from tests.audit.visitors import Visitors
from tests.people import Stand
from tests.sharing.test_access_log import VERIFIER, ask, nodes, verdict

WORDS = "its words tell something else than its body"


@pytest.fixture(scope="module")
def visitors(stand: Stand) -> Visitors:
    stand.facility("01901", name="Bệnh viện Thử nghiệm")
    return Visitors(stand)


@pytest.fixture(scope="module")
def key(visitors: Visitors) -> str:
    return Sealers(visitors.stand).signer.verifier


def test_t16_the_verifier_knows_the_words_of_the_server() -> None:
    assert {kind: tuple(text) for kind, text in verifier.WHO.items()} == {
        kind.value: (text.vi, text.en) for kind, text in words.WHO.items()
    }
    assert {name: (text.vi, text.en) for name, text in words.PURPOSES.items()} == verifier.PURPOSES
    assert (words.YOU.vi, words.YOU.en) == verifier.YOU
    assert tuple(text.removesuffix("{facility}") for text in (words.AT.vi, words.AT.en)) == verifier.AT
    views = {None: words.ACTIONS["BOOK_OPENED"], "PREVIEW": words.IN_PREVIEW, "EMERGENCY": words.IN_EMERGENCY}
    assert {kind: (text.vi, text.en) for kind, text in views.items()} == verifier.VIEWED


@pytest.mark.parametrize("language", ["vi", "en"])
def test_t16_every_sentence_of_the_server_fits_its_body(
    tmp_path: Path, http: httpx.Client, visitors: Visitors, key: str, language: str
) -> None:
    owner = visitors.citizen("Nguyễn Thị {Lan}")
    token = visitors.stand.citizen_token(owner)
    actors = (token, visitors.practitioner("Trần Văn Đức"), visitors.stand.facility("79001", name="Bệnh viện T"), None)
    for actor in actors:
        for purpose in (*words.PURPOSES, "", None):
            visitors.write(owner, "BOOK_OPENED", by=actor, about={"purpose": purpose})
        for kind in ("EMERGENCY", "PREVIEW", "GRANT"):
            about = {"kind": kind, "purpose": "EMERGENCY", "facility": "01901"}
            visitors.write(owner, "BOOK_OPENED", by=actor, about=about)
        for action in (*words.ACTIONS, "SOMETHING_OF_A_LATER_RELEASE"):
            visitors.write(owner, action, by=actor, about={"purpose": "TREATMENT", "facility": "01901"})
    Sealers(visitors.stand).seal()
    pages: list[dict[str, Any]] = []
    after = None
    while not pages or after:
        pages.append(ask(http, token, "AccessLogExport", {"after": after}, language=language))
        ends = pages[-1]["data"]["accessLog"]["pageInfo"]
        after = ends["endCursor"] if ends["hasNextPage"] else None

    lines = sum(len(nodes(page)) for page in pages)
    assert lines > len(actors) * len(words.ACTIONS)
    assert verdict(tmp_path, pages, key) == (0, f"OK: {lines} lines, 0 not sealed yet\n")


DOCTORS = "Trần Văn Đức (practitioner) at Bệnh viện Thử nghiệm viewed the health book for treatment."


@pytest.fixture
def export(http: httpx.Client, visitors: Visitors) -> dict[str, Any]:
    """Return the export of a doctor's view, a change of the owner's, and a view without a facility."""
    owner = visitors.citizen("Nguyễn Thị Lan")
    token = visitors.stand.citizen_token(owner)
    doctor = visitors.practitioner("Trần Văn Đức")
    visitors.view(owner, by=doctor, about={"purpose": "TREATMENT", "facility": "01901"})
    visitors.write(owner, "GRANT_REVOKED", by=token)
    visitors.view(owner, by=doctor)
    Sealers(visitors.stand).seal()
    answer = ask(http, token, "AccessLogExport", language="en")
    assert [node["sentence"] for node in nodes(answer)][::-1] == [
        DOCTORS,
        "You revoked an access.",
        "Trần Văn Đức (practitioner) viewed the health book.",
    ]
    return answer


@pytest.mark.parametrize(("number", "sentence"), [
    (1, DOCTORS.replace("Đức", "An")),
    (1, DOCTORS.replace("practitioner", "representative")),
    (1, "You at Bệnh viện Thử nghiệm viewed the health book for treatment."),
    (1, "Sổ Khỏe viewed the health book for treatment."),
    (1, DOCTORS.replace(" at Bệnh viện Thử nghiệm", "")),
    (1, DOCTORS.replace("for treatment", "in an emergency")),
    (1, DOCTORS.replace(" for treatment", "")),
    (1, DOCTORS.replace("viewed", "previewed")),
    (1, DOCTORS.replace("viewed the health book for treatment", "asked for access to the health book for treatment")),
    (1, DOCTORS.replace(" viewed", "")),
    (1, DOCTORS.replace(" at ", " tại ")),
    (1, ""),
    (2, "Trần Văn Đức (practitioner) revoked an access."),
    (2, "You viewed the health book."),
    (2, "You at Bệnh viện Thử nghiệm revoked an access."),
    (3, "Trần Văn Đức (practitioner) at Bệnh viện Thử nghiệm viewed the health book."),
    (3, "Trần Văn Đức (practitioner) viewed the health book in an emergency."),
])  # fmt: skip
def test_t16_the_verifier_names_a_line_whose_words_tell_something_else(
    tmp_path: Path, export: dict[str, Any], key: str, number: int, sentence: str
) -> None:
    next(node for node in nodes(export) if node["number"] == number)["sentence"] = sentence

    code, text = verdict(tmp_path, export, key)
    assert (code, text.splitlines()) == (1, [f"WRONG: line {number}: {WORDS} / câu chữ khác với nội dung đã ghi"])


def test_t16_only_one_person_is_you(tmp_path: Path, http: httpx.Client, visitors: Visitors, key: str) -> None:
    owner, other = visitors.citizen("Nguyễn Thị Lan"), visitors.citizen("Nguyễn Thị Lan")
    token = visitors.stand.citizen_token(owner)
    for who in (token, visitors.stand.citizen_token(other)):
        visitors.write(owner, "GRANT_REVOKED", by=who)
    Sealers(visitors.stand).seal()
    answer = ask(http, token, "AccessLogExport", language="en")
    assert verdict(tmp_path, answer, key)[0] == 0

    nodes(answer)[0]["sentence"] = "You revoked an access."
    code, text = verdict(tmp_path, answer, key)
    assert (code, f"line 2: {WORDS}" in text) == (1, True)


def test_t16_what_was_hashed_is_printed_beside_the_words(tmp_path: Path, export: dict[str, Any], key: str) -> None:
    _, text = verdict(tmp_path, export, key, "--print")

    first, sentence = text.splitlines()[:2]
    body = json.loads(nodes(export)[-1]["proof"]["body"])
    assert first.startswith(f'1: "{body["at"]}" "BOOK_OPENED" {{')
    assert all(told in first for told in ('"facility": "01901"', '"name": "Trần Văn Đức"', '"purpose": "TREATMENT"'))
    assert sentence == f'    "{DOCTORS}"'


@pytest.mark.parametrize(("field", "value"), [
    ("body", "no JSON"), ("body", "[]"), ("body", "{}"), ("body", None), ("nonce", "xyz"), ("nonce", 1), ("leaf", "q"),
    ("leaf", None), ("index", "1"), ("size", None), ("path", None), ("path", ["q"]),
])  # fmt: skip
def test_t16_a_line_that_cannot_be_read_is_named(
    tmp_path: Path, export: dict[str, Any], key: str, field: str, value: object
) -> None:
    next(node for node in nodes(export) if node["number"] == 2)["proof"][field] = value

    code, text = verdict(tmp_path, export, key, "--print")
    assert (code, "WRONG: line 2: " in text, "Traceback" in text) == (1, True, False)


@pytest.mark.parametrize("note", ["", "x\n\n— sokhoe/visitors-book A\n", "— sokhoe/visitors-book", None])
def test_t16_a_head_that_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, export: dict[str, Any], key: str, note: str | None
) -> None:
    nodes(export)[0]["proof"]["checkpoint"] = note

    code, text = verdict(tmp_path, export, key)
    assert (code, text.startswith("WRONG: "), "Traceback" in text) == (1, True, False)


def test_t16_a_file_that_is_not_there_is_said_in_a_sentence(tmp_path: Path, export: dict[str, Any], key: str) -> None:
    code, text = verdict(tmp_path, export, key, "--known", "nowhere.txt")
    assert (code, text.startswith("WRONG: --known or --consistency cannot be read")) == (1, True)


def test_t16_a_log_that_powershell_saved_is_read_and_told_on_a_console_without_vietnamese(
    tmp_path: Path, export: dict[str, Any], key: str
) -> None:
    nodes(export)[0]["sentence"] = ""
    (tmp_path / "log.json").write_text(json.dumps(export, ensure_ascii=False), encoding="utf-16")
    command = [sys.executable, str(VERIFIER), "log.json", "--key", key, "--print"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, check=False, timeout=60, env={"PYTHONIOENCODING": "cp1252"}
    )

    assert (done.returncode, done.stderr) == (1, b"")
    assert f"WRONG: line 3: {WORDS}".encode() in done.stdout
