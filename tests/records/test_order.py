"""B170: versions of a visit may come in any order, and something may be taken back: one state in the end."""

import itertools
import json
from collections.abc import Mapping, Sequence
from uuid import UUID

import httpx
import pytest

from app.core.crypto import Place
from app.core.settings import Settings
from tests.attacks import tries
from tests.attacks.crowd import Member
from tests.conftest import Ground
from tests.ingestion import messages
from tests.ingestion.messages import EVERY, Fields
from tests.people import Stand

_NUMBERS = itertools.count(2_000)
ARRIVAL_ONLY = {
    "citizen_id", "id", "visit_id", "document_id", "prescription_id", "report_id", "source_id", "digest", "version",
    "message_id", "source_version", "filed_at", "number_sealed", "lookup", "withdrawn_at",
}  # fmt: skip
"""What tells of the way in, or differs between two books by nature."""
TABLES = (
    "visit", "visit_diagnosis", "visit_insurance", "visit_service", "prescription", "prescription_item", "test_report",
    "test_result", "document", "progress_note", "vital_signs", "withdrawal",
)  # fmt: skip
ORDERS = list(itertools.permutations(range(4)))


def tables_of(member: Member, *names: str, **changes: Mapping[str, str]) -> dict[str, Sequence[Fields]]:
    own = member.tables()
    named = {"HO_TEN": member.name}
    found: dict[str, Sequence[Fields]] = {}
    for name in names:
        line = {**(own[name][0] if name in own else EVERY[name]), "MA_LK": member.visit_id}
        if name in {"XML13", "XML14"}:
            line |= named
        found[name] = [{**line, **changes.get(name, {})}]
    return found


def four_versions(member: Member) -> list[bytes]:
    """Return what a hospital sends of one visit: early, late results, corrected drugs, and paid on that same day."""
    unpaid = {"NGAY_TTOAN": "", "LY_DO_VV": "Chưa thanh toán"}
    versions = (
        ("20261118", tables_of(member, "XML1", "XML2", "XML3", "XML5", XML1={**unpaid, "DIEN_THOAI": "0900000001"})),
        ("20261119", tables_of(member, "XML1", "XML3", "XML4", "XML14", XML1=unpaid, XML3={"TEN_DICH_VU": "Mới"})),
        (
            "20261120",
            tables_of(
                member, "XML1", "XML2", "XML7", "XML8", XML1={**unpaid, "GHI_CHU": "Sửa"}, XML2={"LIEU_DUNG": "Sửa"}
            ),
        ),
        (
            "20261120",
            tables_of(member, "XML1", "XML13", XML1={"LY_DO_VV": "Đã thanh toán", "DIEN_THOAI": "0900000004"}),
        ),
    )
    return [
        messages.envelope(messages.visit_xml(tables), facility=member.facility, issued=made)
        for made, tables in versions
    ]


def state_of(ground: Ground, settings: Settings, citizen: UUID) -> str:
    """Return everything that the book shows, but for what tells of the way in."""

    async def look() -> dict[str, list[str]]:
        async with tries.as_superuser(ground, settings) as superuser:
            found = {}
            for table in TABLES:
                rows = await superuser.fetch(f"SELECT * FROM book.{table} WHERE citizen_id = $1", citizen)
                found[table] = sorted(
                    json.dumps({k: str(v) for k, v in dict(row).items() if k not in ARRIVAL_ONLY}, sort_keys=True)
                    for row in rows
                )
            return found

    return json.dumps(tries.run(look), indent=1)


def phone_of(stand: Stand, citizen: UUID) -> str | None:
    (row,) = stand.as_owner("SELECT phone_sealed FROM auth.citizen WHERE id = :id", id=citizen)
    if row.phone_sealed is None:
        return None
    place = Place(table="auth.citizen", column="phone_sealed", row_id=citizen)
    return stand.vault.sealer.open(row.phone_sealed, place=place).decode()


def test_b170_all_orders_of_four_versions_give_one_state(ground: Ground, settings: Settings, stand: Stand) -> None:
    sender = stand.facility()
    states, phones, versions = set(), set(), set()
    for order in ORDERS:
        member = Member(number=next(_NUMBERS))
        bodies = four_versions(member)
        assert [stand.file(bodies[turn], token=sender) for turn in order] == ["filed"] * 4
        citizen = stand.citizen_by(member.personal_id)
        states.add(state_of(ground, settings, citizen).replace(member.told, ""))
        phones.add(phone_of(stand, citizen))
        versions.add(len(visit_versions(ground, settings, citizen)))

    assert len(states) == 1
    (state,) = (json.loads(one) for one in states)
    (visit,) = state["visit"]
    assert json.loads(visit)["reason"] == "Đã thanh toán"
    assert json.loads(state["prescription_item"][0])["dose"] == "Sửa"
    assert json.loads(state["visit_service"][0])["name"] == "Mới"
    assert [len(state[name]) for name in ("test_report", "document", "vital_signs")] == [1, 5, 1]
    assert phones == {"0900000004"}
    assert min(versions) >= 3  # two of the four say the same of the visit itself


def late_results(member: Member) -> list[bytes]:
    """Return services, their results in a message without them, the services renamed, and the visit paid."""
    picture = {"MA_VAT_TU": "", "TEN_VAT_TU": "", "MA_NHOM": "2", "MA_DICH_VU": "18.0119.0028", "TEN_DICH_VU": "Phổi"}
    result = {"MA_DICH_VU": "18.0119.0028", "GIA_TRI": "", "KET_LUAN": "Bình thường"}
    versions = (
        ("20261118", tables_of(member, "XML1", "XML3", XML3=picture)),
        ("20261119", tables_of(member, "XML1", "XML4", XML4=result)),
        ("20261120", tables_of(member, "XML1", "XML3", XML3={**picture, "TEN_DICH_VU": "Phổi thẳng"})),
        ("20261121", tables_of(member, "XML1", XML1={"LY_DO_VV": "Đã thanh toán"})),
    )
    return [
        messages.envelope(messages.visit_xml(tables), facility=member.facility, issued=made)
        for made, tables in versions
    ]


def test_b170_results_that_come_without_their_service_are_known_by_it_in_any_order(
    ground: Ground, settings: Settings, stand: Stand
) -> None:
    sender = stand.facility()
    states = set()
    for order in ORDERS:
        member = Member(number=next(_NUMBERS))
        bodies = late_results(member)
        assert [stand.file(bodies[turn], token=sender) for turn in order] == ["filed"] * 4
        states.add(state_of(ground, settings, stand.citizen_by(member.personal_id)).replace(member.told, ""))

    assert len(states) == 1
    (report,) = json.loads(states.pop())["test_report"]
    assert [json.loads(report)[name] for name in ("category", "service_name")] == ["IMAGING", "Phổi thẳng"]


def visit_versions(ground: Ground, settings: Settings, citizen: UUID) -> list[str]:
    async def look() -> list[str]:
        async with tries.as_superuser(ground, settings) as superuser:
            rows = await superuser.fetch(
                "SELECT change FROM book.record_version WHERE citizen_id = $1 AND kind = 'VISIT' ORDER BY version",
                citizen,
            )
            return [row["change"] for row in rows]

    return tries.run(look)


def test_b170_an_older_version_that_comes_late_is_kept_and_not_shown(
    ground: Ground, settings: Settings, stand: Stand
) -> None:
    sender, member = stand.facility(), Member(number=next(_NUMBERS))
    bodies = four_versions(member)
    stand.file(bodies[3], token=sender)
    late = stand.keep(bodies[0], token=sender)

    assert stand.process(late) == "filed"

    verdict = stand.receipt(late, token=sender).verdict
    assert verdict is not None
    changes = {record["kind"]: record["change"] for record in verdict["visits"][0]["records"]}
    assert changes == {"VISIT": "replaced", "PRESCRIPTION": "added", "DOCUMENT": "added"}  # its services are the newest
    citizen = stand.citizen_by(member.personal_id)
    assert "OUTDATED" in visit_versions(ground, settings, citizen)
    (visit,) = json.loads(state_of(ground, settings, citizen))["visit"]
    assert json.loads(visit)["reason"] == "Đã thanh toán"


def withdraw(http: httpx.Client, token: str, body: Mapping[str, object]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return http.post("/ingest/withdrawals", content=json.dumps(body).encode(), headers=headers)


@pytest.mark.parametrize("record", [None, "PRESCRIPTION"], ids=["visit", "record"])
def test_b170_all_orders_of_three_versions_and_a_withdrawal_give_one_state(
    ground: Ground, settings: Settings, stand: Stand, http: httpx.Client, record: str | None
) -> None:
    """A withdrawal of what is not there yet is refused, and asked for again as a sender does."""
    sender = stand.facility()
    states = set()
    for order in ORDERS:
        member = Member(number=next(_NUMBERS))
        bodies = four_versions(member)[:3]
        asked: dict[str, object] = {"visit": member.visit_id, "reason": "Gửi nhầm"}
        if record:
            asked["record"] = {"kind": record, "key": "rx:20261120:001234/BYT-CCHN"}

        def take_back(asked: Mapping[str, object] = asked) -> bool:
            answer = withdraw(http, sender, asked)
            if answer.status_code == 404:
                return False
            assert answer.status_code == 202, answer.text
            return stand.process(answer.json()["messageId"]) == "filed"

        taken_back = True
        for turn in order:
            if turn < 3:
                assert stand.file(bodies[turn], token=sender) == "filed"
            else:
                taken_back = take_back()
        assert taken_back or take_back()
        states.add(state_of(ground, settings, stand.citizen_by(member.personal_id)).replace(member.told, ""))

    assert len(states) == 1
    (state,) = (json.loads(one) for one in states)
    assert len(state["withdrawal"]) == 1
    kept = {name for name, rows in state.items() if rows} - {"withdrawal"}
    if record is None:
        assert kept == set()
    else:
        assert kept == set(TABLES) - {"withdrawal", "prescription", "prescription_item"}


def test_b170_all_orders_of_four_visits_describe_a_person_as_the_newest_does(stand: Stand) -> None:
    sender = stand.facility()
    for turn, order in enumerate(ORDERS):
        member = Member(number=next(_NUMBERS))
        bodies = []
        for visit in range(4):
            own = {"NGAY_VAO": f"2026111{visit}0815", "NGAY_RA": f"2026111{visit}1030", "NGAY_TTOAN": ""}
            told = {"DIEN_THOAI": f"090000000{visit}" if visit < 3 else "", "MA_DANTOC": f"0{visit + 1}"}
            line = {**member.tables()["XML1"][0], **own, **told, "MA_LK": f"{member.visit_id}.{visit}"}
            bodies.append(messages.envelope(messages.visit_xml({"XML1": [line]}), issued="20261120"))
        for one in order:
            assert stand.file(bodies[one], token=sender) == "filed", turn
        citizen = stand.citizen_by(member.personal_id)
        (row,) = stand.as_owner("SELECT ethnic_code FROM auth.citizen WHERE id = :id", id=citizen)
        assert row.ethnic_code == "04"
        assert phone_of(stand, citizen) == "0900000002"  # the newest visit that tells one


def test_the_same_description_again_leaves_the_book_as_it_is(stand: Stand) -> None:
    sender, member = stand.facility(), Member(number=next(_NUMBERS))
    for made in ("20261118", "20261119"):
        tables = tables_of(member, "XML1")
        stand.file(messages.envelope(messages.visit_xml(tables), issued=made), token=sender)
    citizen = stand.citizen_by(member.personal_id)

    (row,) = stand.as_owner("SELECT version FROM auth.book WHERE citizen_id = :id", id=citizen)
    assert row.version == 1
