"""Every shape that real senders produce, from the message to the book."""

import itertools
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.attacks.crowd import Member, message
from tests.ingestion import messages
from tests.ingestion.messages import Fields, encoded, file_xml, table_xml, visit_xml
from tests.people import Stand

_NUMBERS = itertools.count(4_000)
NO_NUMBER = {"SO_CCCD": "", "MA_THE_BHYT": "", "MA_DKBD": "", "GT_THE_TU": "", "GT_THE_DEN": ""}


@pytest.fixture(scope="module")
def sender(stand: Stand) -> str:
    return stand.facility()


@pytest.fixture
def member() -> Member:
    return Member(number=next(_NUMBERS))


def with_fields(member: Member, table: str = "XML1", **fields: str) -> bytes:
    tables: dict[str, Sequence[Fields]] = {**member.tables()}
    tables[table] = [{**tables[table][0], **fields}]
    return messages.envelope(visit_xml(tables), facility=member.facility)


def another_visit(member: Member, visit: str, **fields: str) -> bytes:
    """Return a message of another visit of the member, of XML1 alone."""
    return messages.envelope(visit_xml({"XML1": [{**member.tables()["XML1"][0], **fields, "MA_LK": visit}]}))


def concluded(stand: Stand, body: bytes, token: str) -> dict[str, Any]:
    kept = stand.keep(body, token=token)
    stand.process(kept)
    verdict = stand.receipt(kept, token=token).verdict
    assert verdict is not None
    return verdict


def codes(verdict: Mapping[str, Any]) -> set[str]:
    return {one["code"] for visit in verdict["visits"] for one in visit["problems"]}


def book(http: httpx.Client, stand: Stand, citizen: UUID, fields: str) -> Any:
    headers = {"Authorization": f"Bearer {stand.citizen_token(citizen)}", "Accept-Language": "vi"}
    answer = http.post("/graphql", json={"query": f"{{ healthBook {{ {fields} }} }}"}, headers=headers).json()
    assert "errors" not in answer, answer
    return answer["data"]["healthBook"]


def of(http: httpx.Client, stand: Stand, member: Member, fields: str) -> Any:
    return book(http, stand, stand.citizen_by(member.personal_id), fields)


def test_two_cards_of_one_visit(http: httpx.Client, stand: Stand, sender: str, member: Member) -> None:
    second = f"TE1{member.card[3:-6]}{990_000 + member.number}"
    cards = {"MA_THE_BHYT": f"{member.card};{second}", "MA_DKBD": "01901;79001", "GT_THE_TU": "20250101;20260101"}
    stand.file(with_fields(member, **cards, GT_THE_DEN="20251231;20261231"), token=sender)

    insurance = of(http, stand, member, "insurance { cardNumber validFrom validUntil benefitPercent benefitLevel }")

    assert [(one["cardNumber"], one["validFrom"], one["validUntil"]) for one in insurance["insurance"]] == [
        (member.card, "2025-01-01", "2025-12-31"),
        (second, "2026-01-01", "2026-12-31"),
    ]
    assert {one["benefitPercent"] for one in insurance["insurance"]} == {"80.00"}
    assert [one["benefitLevel"][:5] for one in insurance["insurance"]] == ["80 % ", "100 %"]


def test_a_card_of_ten_digits_and_one_of_fifteen_are_two_cards_of_one_person(
    http: httpx.Client, stand: Stand, sender: str, member: Member
) -> None:
    stand.file(message(member), token=sender)
    later = {"MA_THE_BHYT": member.card[-10:], "NGAY_VAO": "202611210815", "NGAY_RA": "202611211000", "SO_CCCD": ""}
    assert stand.file(another_visit(member, f"sau-{member.number}", **later), token=sender) == "filed"
    assert len(of(http, stand, member, "insurance { cardNumber }")["insurance"]) == 2


def test_a_nine_digit_id_is_an_identifier_of_its_own_kind(stand: Stand, sender: str, member: Member) -> None:
    assert stand.file(with_fields(member, SO_CCCD=f"0121{member.number:05}"), token=sender) == "filed"
    lookup = stand.vault.index.of(f"0121{member.number:05}", kind="OLD_ID")
    rows = stand.as_owner("SELECT kind FROM auth.identifier WHERE lookup = :lookup", lookup=lookup)
    assert [row.kind for row in rows] == ["OLD_ID"]
    # The card joins what the old and the new number name.
    assert stand.file(another_visit(member, f"sau-{member.number}"), token=sender) == "filed"
    assert stand.citizen_by(member.personal_id)


@pytest.mark.parametrize(
    ("sent", "shown", "exact"),
    [("198503120000", "1985-03-12", True), ("198500000000", "1985-01-01", False), ("19850312", "1985-03-12", True)],
)
def test_births_with_zeros(
    http: httpx.Client, stand: Stand, sender: str, member: Member, sent: str, shown: str, *, exact: bool
) -> None:
    assert stand.file(with_fields(member, NGAY_SINH=sent), token=sender) == "filed"
    owner = of(http, stand, member, "owner { birthDate birthDateIsExact }")["owner"]
    assert (owner["birthDate"], owner["birthDateIsExact"]) == (shown, exact)


def test_the_gateways_wider_lengths(stand: Stand, sender: str, member: Member) -> None:
    assert stand.file(with_fields(member, "XML4", MA_DICH_VU="2" * 50), token=sender) == "filed"
    wider = with_fields(member, NHOM_MAU="A Rh(D)+++", MA_DOITUONG_KCB="1.118")
    assert concluded(stand, wider, sender)["status"] == "filed"


def test_unknown_codes_are_kept_and_shown_as_sent(
    http: httpx.Client, stand: Stand, sender: str, member: Member
) -> None:
    body = with_fields(
        member,
        MA_BENH_CHINH="Z99.8X",
        MA_LOAI_KCB="77",
        MA_KHOA="K77",
        MA_DANTOC="99",
        KET_QUA_DTRI="9",
        MA_LOAI_RV="8",
    )

    verdict = concluded(stand, body, sender)

    assert verdict["status"] == "filed"
    fields = "kindCode kind departmentCodes outcome discharge diagnoses { code name }"
    shown = of(http, stand, member, f"visits {{ nodes {{ {fields} }} }} owner {{ ethnicGroup }}")
    (visit,) = shown["visits"]["nodes"]
    assert (visit["kindCode"], visit["kind"], visit["departmentCodes"]) == ("77", None, ["K77"])
    assert (visit["outcome"], visit["discharge"]) == ("9", "8")
    assert {"code": "Z99.8X", "name": None} in visit["diagnoses"]
    assert shown["owner"]["ethnicGroup"] == "99"


def test_a_payment_date_that_comes_later(http: httpx.Client, stand: Stand, sender: str, member: Member) -> None:
    for paid in ("", "202611201035"):
        assert stand.file(with_fields(member, NGAY_TTOAN=paid), token=sender) == "filed"
    (visit,) = of(http, stand, member, "visits { nodes { costs { paidAt } provenance { version } } }")["visits"][
        "nodes"
    ]
    assert (visit["costs"]["paidAt"], visit["provenance"]["version"]) == ("2026-11-20T03:35:00Z", 2)


def test_late_results(http: httpx.Client, stand: Stand, sender: str, member: Member) -> None:
    stand.file(message(member, without=("XML4",)), token=sender)
    late = {**member.tables()["XML4"][0], "NGAY_KQ": "202611220900"}
    body = messages.envelope(visit_xml({"XML1": member.tables()["XML1"], "XML4": [late]}), issued="20261122")
    assert stand.file(body, token=sender) == "filed"
    shown = of(
        http,
        stand,
        member,
        "visits { nodes { id } } prescriptions { nodes { id } } testResults { nodes { resultedAt } }",
    )
    assert [len(shown[name]["nodes"]) for name in ("visits", "prescriptions", "testResults")] == [1, 1, 1]
    assert shown["testResults"]["nodes"][0]["resultedAt"] == "2026-11-22T02:00:00Z"


def test_b154_a_decomposed_name_is_the_same_and_stored_composed(
    http: httpx.Client, stand: Stand, sender: str, member: Member
) -> None:
    stand.file(message(member), token=sender)
    decomposed = with_fields(
        member, HO_TEN=unicodedata.normalize("NFD", member.name), LY_DO_VV=unicodedata.normalize("NFD", "Khám lại")
    )
    assert stand.file(decomposed, token=sender) == "filed"
    shown = of(http, stand, member, "owner { fullName } visits { nodes { reason } }")
    assert shown == {"owner": {"fullName": member.name}, "visits": {"nodes": [{"reason": "Khám lại"}]}}


def test_b166_a_signature_is_kept_and_told_as_not_verified(stand: Stand, sender: str, member: Member) -> None:
    unsigned = concluded(stand, message(member), sender)
    signed = messages.envelope(visit_xml(member.tables()), signature="<Signature>MII…</Signature>")

    assert unsigned["signature"] == "absent"
    assert concluded(stand, signed, sender)["signature"] == "not_verified"


@pytest.mark.parametrize(("table", "sensitive"), [("XML6", "HIV"), ("XML15", "TUBERCULOSIS")])
def test_sensitive_tables_are_held_back_and_stand_in_no_table(
    stand: Stand, sender: str, member: Member, table: str, sensitive: str
) -> None:
    mark = f"kín-{member.number}-{table}"
    inner = file_xml(table, encoded(f"<X><MA_LK>{member.visit_id}</MA_LK><MA_PHAC_DO>{mark}</MA_PHAC_DO></X>"))
    body = messages.envelope(visit_xml(member.tables()).replace("</HOSO>", inner + "</HOSO>"))

    verdict = concluded(stand, body, sender)

    held = {"kind": table, "key": member.visit_id, "change": "held_back", "sensitive": sensitive}
    assert held in verdict["visits"][0]["records"]
    assert codes(verdict) == {"TABLE_HELD_BACK"}
    assert mark not in json.dumps(verdict, ensure_ascii=False)


@pytest.mark.parametrize("table", ["XML0", "XML9", "XML10", "XML11", "XML12"])
def test_other_tables_are_acknowledged_as_not_shown(stand: Stand, sender: str, member: Member, table: str) -> None:
    inner = file_xml(table, encoded(f"<X><MA_LK>{member.visit_id}</MA_LK></X>"))
    verdict = concluded(
        stand, messages.envelope(visit_xml(member.tables()).replace("</HOSO>", inner + "</HOSO>")), sender
    )
    assert verdict["visits"][0]["tablesKept"] == [table]
    assert codes(verdict) == {"TABLE_KEPT_NOT_SHOWN"}


def test_a_message_made_in_the_future_counts_as_made_today(stand: Stand, sender: str, member: Member) -> None:
    verdict = concluded(stand, messages.envelope(visit_xml(member.tables()), issued="20991231"), sender)
    assert [one["code"] for one in verdict["problems"]] == ["ENVELOPE_MADE_LATER"]
    assert verdict["status"] == "filed"


# Newborns.

CHILD = {"NGAY_SINH": "202611192314", "GIOI_TINH": "1", "NGAY_VAO": "202611192314", "CAN_NANG": "3.20", **NO_NUMBER}


def birth_of(mother: Member, *children: Mapping[str, str]) -> bytes:
    """Return the mother's visit with birth certificates."""
    said = "".join(
        "<DU_LIEU_GIAY_CHUNG_SINH>"
        + "".join(f"<{name}>{value}</{name}>" for name, value in {"MA_LK": mother.visit_id, **child}.items())
        + "</DU_LIEU_GIAY_CHUNG_SINH>"
        for child in children
    )
    root = "CHI_TIEU_DU_LIEU_GIAY_CHUNG_SINH"
    table = f"<{root}><DSACH_GIAYCHUNGSINH>{said}</DSACH_GIAYCHUNGSINH></{root}>"
    files = file_xml("XML1", encoded(table_xml("XML1", mother.tables()["XML1"]))) + file_xml("XML9", encoded(table))
    return messages.envelope(f"<HOSO>{files}</HOSO>")


def certificate(number: str = "12", **fields: str) -> dict[str, str]:
    return {"NGAY_SINH_CON": "202611192314", "GIOI_TINH_CON": "1", "SO": number, "QUYEN_SO": "3", **fields}


def newborn_visit(mother: Member, visit: str, **fields: str) -> bytes:
    line = {**mother.tables()["XML1"][0], **CHILD, "MA_LK": visit, "MA_BN": visit, "HO_TEN": mother.name, **fields}
    return messages.envelope(visit_xml({"XML1": [line]}))


def child_of(stand: Stand, mother: Member) -> list[UUID]:
    rows = stand.as_owner(
        "SELECT child_id FROM auth.birth WHERE mother_id = :mother ORDER BY certificate",
        mother=stand.citizen_by(mother.personal_id),
    )
    return [row.child_id for row in rows]


def test_a_newborn_waits_and_is_linked_by_the_mothers_birth_certificate(
    http: httpx.Client, stand: Stand, sender: str, member: Member
) -> None:
    visit = f"con-{member.number}"
    kept = stand.keep(newborn_visit(member, visit), token=sender)
    assert stand.process(kept) == "quarantined"
    assert stand.receipt(kept, token=sender).status == "quarantined"

    assert stand.file(birth_of(member, certificate(HO_TEN_CON="Nguyễn Bé")), token=sender) == "filed"

    assert stand.receipt(kept, token=sender).status == "received"  # taken up again by itself
    assert stand.process(kept) == "filed"
    (child,) = child_of(stand, member)
    shown = book(http, stand, child, "owner { fullName birthDate nationalId } visits { nodes { recordNumber } }")
    assert shown["owner"]["birthDate"] == "2026-11-19"
    assert len(shown["visits"]["nodes"]) == 1
    mothers = of(http, stand, member, "visits { nodes { id } }")["visits"]["nodes"]
    assert len(mothers) == 1  # the child's visit stands in the child's book alone


def test_a_newborn_whose_mother_came_first_and_one_in_the_same_message(
    stand: Stand, sender: str, member: Member
) -> None:
    stand.file(birth_of(member, certificate()), token=sender)
    assert (
        stand.file(newborn_visit(member, f"con-{member.number}", HO_TEN=f"Con bà {member.name}"), token=sender)
        == "filed"
    )

    other = Member(number=next(_NUMBERS))
    line = {**other.tables()["XML1"][0], **CHILD, "MA_LK": f"con-{other.number}", "HO_TEN": other.name}
    mothers = birth_of(other, certificate()).decode().split("<DANHSACHHOSO>")[1].split("</DANHSACHHOSO>")[0]
    both = messages.envelope(visit_xml({"XML1": [line]}), mothers)
    assert stand.file(both, token=sender) == "filed"
    assert len(child_of(stand, other)) == 1


def test_the_temporary_card_of_the_certificate_finds_the_child_under_its_own_name_later(
    http: httpx.Client, stand: Stand, sender: str, member: Member
) -> None:
    card = f"TE101{7_700_000_000 + member.number}"
    stand.file(birth_of(member, certificate(MA_THE_TAM=card)), token=sender)
    line = {
        "MA_THE_BHYT": card,
        "SO_CCCD": f"0012{20_000_000 + member.number}",
        "HO_TEN": "Lê Thị Bé",
        "NGAY_SINH": "202611190000",
    }
    visit = newborn_visit(member, f"sau-{member.number}", **line, NGAY_VAO="202611210800", NGAY_RA="202611210900")

    assert stand.file(visit, token=sender) == "filed"

    (child,) = child_of(stand, member)
    shown = book(http, stand, child, "owner { fullName nationalId }")["owner"]
    assert shown == {"fullName": "Lê Thị Bé", "nationalId": line["SO_CCCD"]}


def test_b161_twins_of_one_minute_and_sex_are_not_told_apart(stand: Stand, sender: str, member: Member) -> None:
    stand.file(birth_of(member, certificate("1"), certificate("2")), token=sender)
    verdict = concluded(stand, newborn_visit(member, f"sinh-đôi-{member.number}"), sender)
    assert (verdict["status"], codes(verdict)) == ("quarantined", {"TWINS_UNCLEAR"})


def test_twins_of_two_minutes_have_a_book_each(stand: Stand, sender: str, member: Member) -> None:
    later = {"NGAY_SINH_CON": "202611192319"}
    stand.file(birth_of(member, certificate("1"), certificate("2", **later)), token=sender)
    first = newborn_visit(member, f"một-{member.number}")
    second = newborn_visit(member, f"hai-{member.number}", NGAY_SINH="202611192319")
    assert [stand.file(one, token=sender) for one in (first, second)] == ["filed", "filed"]
    assert len(set(child_of(stand, member))) == 2


@pytest.mark.parametrize(
    "differing",
    [{"GIOI_TINH": "2"}, {"NGAY_SINH": "202611192315"}, {"HO_TEN": "Trần Thị Khác"}],
    ids=lambda one: next(iter(one)),
)
def test_a_newborn_that_does_not_fit_waits(
    stand: Stand, sender: str, member: Member, differing: dict[str, str]
) -> None:
    stand.file(birth_of(member, certificate()), token=sender)
    verdict = concluded(stand, newborn_visit(member, f"khác-{member.number}", **differing), sender)
    assert codes(verdict) == {"NO_IDENTIFIER"}


def test_another_facilitys_certificate_links_nobody(stand: Stand, sender: str, member: Member) -> None:
    stand.file(birth_of(member, certificate()), token=sender)
    stranger = stand.facility("01908", name="Bệnh viện khác")
    line = {**member.tables()["XML1"][0], **CHILD, "MA_LK": "con", "HO_TEN": member.name, "MA_CSKCB": "01908"}
    verdict = concluded(stand, messages.envelope(visit_xml({"XML1": [line]}), facility="01908"), stranger)
    assert codes(verdict) == {"NO_IDENTIFIER"}


def test_the_same_certificate_again_registers_nobody_twice(stand: Stand, sender: str, member: Member) -> None:
    body = birth_of(member, certificate())
    stand.file(body, token=sender)
    assert stand.file(body.replace(b"<NGAYLAP>20261120", b"<NGAYLAP>20261121"), token=sender) == "filed"
    assert len(child_of(stand, member)) == 1


def test_the_facts_of_a_person(http: httpx.Client, stand: Stand, sender: str, member: Member) -> None:
    stand.file(message(member), token=sender)
    owner = of(http, stand, member, "owner { phone address ethnicGroup nationality occupation bloodGroup }")["owner"]
    assert owner == {
        "phone": "0912345678",
        "address": messages.VISIT["DIA_CHI"],
        "ethnicGroup": "Kinh",
        "nationality": "Việt Nam",
        "occupation": "Không có nghề nghiệp hoặc chưa xác định",
        "bloodGroup": "O+",
    }
    dump = stand.as_owner(
        "SELECT c::text AS row FROM auth.citizen c WHERE id = :id", id=stand.citizen_by(member.personal_id)
    )
    assert "0912345678" not in dump[0].row
    assert "Quán Sứ" not in dump[0].row
