"""Papers as a citizen reads them, and their rows behind the policies, each guarded by itself."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.settings import Settings
from app.sharing.scope import EVERY_SECTION, BookSection
from tests.attacks import tries
from tests.attacks.crowd import Member
from tests.conftest import Ground
from tests.ingestion import messages
from tests.ingestion.messages import PAPERS, Fields
from tests.people import Stand

OWNER = Member(number=5_001)
OPEN = "SELECT citizen_id FROM auth.open_book($1, NULL, NULL, 'test')"
ROWS = {"document": 5, "progress_note": 1, "vital_signs": 1, "withdrawal": 1}
DATED = {
    "document": "dated_at",
    "progress_note": "noted_at",
    "vital_signs": "measured_at",
    "withdrawal": "dated_at",
    "visit_insurance": "shown_at",
}
SECTIONS = {
    "document": {BookSection.DOCUMENTS},
    "progress_note": {BookSection.DOCUMENTS},
    "vital_signs": {BookSection.VISITS, BookSection.DOCUMENTS},
    "withdrawal": {BookSection.VISITS},
}


@pytest.fixture(scope="module")
def owner(ground: Ground, settings: Settings, stand: Stand) -> UUID:
    tables: dict[str, Sequence[Fields]] = {
        **OWNER.tables(),
        **{name: [{**line, "MA_LK": OWNER.visit_id}] for name, line in PAPERS.items()},
    }
    for table in ("XML13", "XML14"):
        tables[table] = [{**tables[table][0], "HO_TEN": OWNER.name}]
    assert stand.file(messages.envelope(messages.visit_xml(tables)), token=stand.facility()) == "filed"
    citizen = stand.citizen_by(OWNER.personal_id)

    async def took_back() -> None:
        async with tries.as_superuser(ground, settings) as superuser:
            await superuser.execute(
                "INSERT INTO book.withdrawal SELECT citizen_id, gen_random_uuid(), facility_code, 'x', 'VISIT', "
                "started_at, now(), 'Gửi nhầm' FROM book.visit WHERE citizen_id = $1",
                citizen,
            )

    tries.run(took_back)
    return citizen


@pytest.fixture
def token(stand: Stand, owner: UUID) -> str:
    return stand.citizen_token(owner)


def ask(http: httpx.Client, token: str, query: str) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "vi"}
    answer = http.post("/graphql", json={"query": f"{{ healthBook {{ {query} }} }}"}, headers=headers).json()
    assert "errors" not in answer, answer
    return answer["data"]["healthBook"]


def test_a_citizen_reads_every_kind_of_paper(http: httpx.Client, token: str) -> None:
    found = ask(
        http,
        token,
        "documents { nodes { __typename kind facility { code } ... on DischargePaper { department restDays } "
        "... on RecordSummary { outcome course } ... on ReferralPaper { validFrom validUntil reason } "
        "... on ReexaminationPaper { appointmentAt } "
        "... on ProgressReport { notes { vitalSigns { pulsePerMinute } } } } }",
    )
    by_kind = {one.pop("kind"): one for one in found["documents"]["nodes"]}
    for one in by_kind.values():
        assert one.pop("facility") == {"code": "01901"}

    assert by_kind == {
        "DISCHARGE": {"__typename": "DischargePaper", "department": "Khoa Khám bệnh", "restDays": 3},
        "RECORD_SUMMARY": {"__typename": "RecordSummary", "outcome": "Đỡ", "course": PAPERS["XML8"]["QT_BENHLY"]},
        "REFERRAL": {
            "__typename": "ReferralPaper",
            "validFrom": "2026-11-20",
            "validUntil": "2026-12-04",
            "reason": "Đủ điều kiện chuyển tuyến",
        },
        "REEXAMINATION": {"__typename": "ReexaminationPaper", "appointmentAt": "2026-12-04T01:00:00Z"},
        "PROGRESS": {"__typename": "ProgressReport", "notes": [{"vitalSigns": {"pulsePerMinute": 88}}]},
    }


def test_one_kind_of_paper_and_pages(http: httpx.Client, token: str) -> None:
    only = ask(http, token, "documents(kind: REFERRAL) { nodes { kind } }")["documents"]["nodes"]
    assert only == [{"kind": "REFERRAL"}]
    page = ask(http, token, "documents(first: 2) { nodes { id } pageInfo { hasNextPage endCursor } }")["documents"]
    assert page["pageInfo"]["hasNextPage"] is True
    after = page["pageInfo"]["endCursor"]
    rest = ask(http, token, f'documents(first: 50, after: "{after}") {{ nodes {{ id }} }}')["documents"]["nodes"]
    assert len({one["id"] for one in (*page["nodes"], *rest)}) == 5


def test_vital_signs_are_reached_from_the_visit(http: httpx.Client, token: str) -> None:
    (visit,) = ask(
        http,
        token,
        "visits { nodes { vitalSigns { measuredAt temperatureCelsius systolicMmHg diastolicMmHg } revisitOn } }",
    )["visits"]["nodes"]
    assert visit == {
        "vitalSigns": [
            {
                "measuredAt": "2026-11-20T01:30:00Z",
                "temperatureCelsius": "38.50",
                "systolicMmHg": 120,
                "diastolicMmHg": 80,
            }
        ],
        "revisitOn": ["2026-12-04"],
    }


async def put(reader: tries.Connection, **values: str) -> None:
    for name, value in values.items():
        await reader.execute("SELECT set_config($1, $2, true)", f"book.{name}", value)


async def counted(reader: tries.Connection) -> dict[str, int]:
    return {table: await reader.fetchval(f"SELECT count(*) FROM book.{table}") for table in ROWS}


@pytest.mark.parametrize("section", list(BookSection))
@pytest.mark.asyncio
async def test_each_table_shows_its_own_sections(stand: Stand, token: str, section: BookSection) -> None:
    async with tries.as_role(stand, "book_reader") as reader, reader.transaction():
        await reader.fetch(OPEN, token)
        assert await counted(reader) == ROWS
        await put(reader, sections=str(section.bit))
        assert await counted(reader) == {
            table: rows if section in SECTIONS[table] else 0 for table, rows in ROWS.items()
        }
        await put(reader, sections=str(EVERY_SECTION - section.bit))
        assert await counted(reader) == {
            table: rows if SECTIONS[table] - {section} else 0 for table, rows in ROWS.items()
        }


@pytest.mark.asyncio
async def test_each_table_is_bounded_by_its_own_date_and_mask(
    ground: Ground, settings: Settings, stand: Stand, owner: UUID, token: str
) -> None:
    moment = timedelta(microseconds=1)
    async with tries.as_role(stand, "book_reader") as reader, tries.as_superuser(ground, settings) as superuser:
        for table, column in DATED.items():
            async with reader.transaction():
                await reader.fetch(OPEN, token)
                latest = await reader.fetchval(f"SELECT max({column}) FROM book.{table}")
                for since, until, there in ((latest, latest + moment, True), (latest + moment, None, False)):
                    ends = until.isoformat() if until else "infinity"
                    await put(reader, since=since.isoformat(), until=ends, whole="false")
                    assert bool(await reader.fetchval(f"SELECT count(*) FROM book.{table}")) is there, table
            await superuser.execute(f"UPDATE book.{table} SET masked = true WHERE citizen_id = $1", owner)
            async with reader.transaction():
                await reader.fetch(OPEN, token)
                await put(reader, unmasked="false")
                assert await reader.fetchval(f"SELECT count(*) FROM book.{table}") == 0, table
            await superuser.execute(f"UPDATE book.{table} SET masked = false WHERE citizen_id = $1", owner)


@pytest.mark.asyncio
async def test_no_table_opens_without_a_book(stand: Stand) -> None:
    async with tries.as_role(stand, "book_reader") as reader:
        states = {await tries.sqlstate_of(reader, f"SELECT count(*) FROM book.{table}") for table in ROWS}
        assert states == {tries.NO_BOOK}
        assert await tries.sqlstate_of(reader, "SELECT count(*) FROM book.arrival_order") == tries.DENIED
