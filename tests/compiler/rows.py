"""The toy's rows: odd texts, ties, empty lists, a facility that does not exist, values that no contract can say."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

ODD_TEXTS = (
    "thường",
    "quote \" ' \\ / back",
    "\x01\x02\x03\x1f\x7f\x85\u2028\u2029\t\r\n",
    "😀👨\u200d👩\u200d👧 e\u0301\u0323 ﷽",
    "E'\\x01' $$ %s :name ${x} <b>",
    "",
    "Nguyễn Thị Ánh",
)
FULL = UUID("018f0000-0000-7000-8000-000000000001")
EMPTY = UUID("018f0000-0000-7000-8000-000000000002")
BROKEN = UUID("018f0000-0000-7000-8000-000000000003")
ABSENT = UUID("018f0000-0000-7000-8000-0000000000ff")
CITIZENS = (FULL, EMPTY, BROKEN)
MORNING = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
DICE = random.Random(20261122)

Rows = list[dict[str, Any]]


def _visit(citizen: UUID, number: int) -> dict[str, Any]:
    fraction = DICE.choice([0, 0, 500_000, 123_456])
    broken = citizen == BROKEN
    return {
        "citizen_id": citizen,
        "id": UUID(int=citizen.int * 1000 % 2**128 + DICE.randrange(2**60)),
        "started_at": MORNING + timedelta(days=number // 3, microseconds=fraction),  # three at a time may tie
        "ended_at": DICE.choice([None, MORNING + timedelta(days=number, hours=3)]),
        "kind": DICE.choice(["INPATIENT", "OUTPATIENT", "EMERGENCY"]),
        "outcome": DICE.choice([None, "INPATIENT", "UNHEARD"]) if broken else DICE.choice([None, "INPATIENT"]),
        "facility_code": DICE.choice(["01", "02", "99"]) if broken else DICE.choice(["01", "02", "03"]),
        "cost_total": None
        if broken and number % 4 == 0
        else Decimal(DICE.choice(["0", "1.50", "1200000.00", "-3E+2"])),
        "cost_paid": DICE.choice([None, Decimal("0.10")]),
        "weight": DICE.choice([None, 61.5, 1e300, 0.1])
        if not broken
        else DICE.choice([float("nan"), 2.0, float("inf")]),
        "days": DICE.choice([0, 1, 2]),
        "counter": 2**40 if broken and number % 3 == 0 else number,
        "tags": DICE.choice([[], ["a"], list(ODD_TEXTS), ["x", "y"]]),
        "doses": DICE.choice([None, [], [Decimal("1.0"), Decimal("2.25")]]),
        "note": DICE.choice([None, *ODD_TEXTS]),
        "urgent": DICE.random() < 0.5,
    }


def _diagnoses(visit: dict[str, Any]) -> Rows:
    return [
        {
            "citizen_id": visit["citizen_id"],
            "visit_id": visit["id"],
            "line": line,
            "code": DICE.choice(["J45", "I10", "E11", "ZZZ"]),
            "remark": DICE.choice([None, "b", "a", ODD_TEXTS[1]]),
        }
        for line in range(1, DICE.choice([1, 1, 3, 4]))
    ]


def _entry(citizen: UUID, number: int) -> dict[str, Any]:
    broken = citizen == BROKEN
    return {
        "citizen_id": citizen,
        "id": number,
        "recorded_on": date(2026, 1, 1) + timedelta(days=number // 4),
        "what": DICE.choice(["m", "d", "?"]) if broken else DICE.choice(["m", "d"]),
        "title": DICE.choice(["same", "same", *ODD_TEXTS]),
        "amount": DICE.choice([None, Decimal("5.0")]) if broken else Decimal("5.00"),
        "dose": DICE.choice([None, "2 viên"]),
        "origin": DICE.choice(["someone", "facility", "nobody"]) if broken else DICE.choice(["someone", "facility"]),
        "origin_code": DICE.choice(["01", "02", "98"]),
    }


def _book(citizen: UUID, number: int) -> dict[str, Any]:
    return {
        "citizen_id": citizen,
        "version": f"v{number}",
        "owner_name": ODD_TEXTS[number],
        "born_on": None if number == 1 else date(1990, 2, 28),
        "sealed_id": None if number == 1 else b"id-of-%d" % number * 30,
        "sealed_phone": None if citizen == BROKEN else b"phone-of-%d" % number,
    }


VISITS: Rows = [_visit(citizen, number) for citizen in (FULL, BROKEN) for number in range(17)]
TABLES: dict[str, Rows] = {
    "book": [_book(citizen, number) for number, citizen in enumerate(CITIZENS)],
    "visit": VISITS,
    "diagnosis": [row for visit in VISITS for row in _diagnoses(visit)],
    "facility": [
        {"code": "01", "name": "Bệnh viện 'A'", "rank": 1, "parent_code": None},
        {"code": "02", "name": 'Trạm "B"', "rank": 3, "parent_code": "01"},
        {"code": "03", "name": "Bệnh viện 'A'", "rank": 3, "parent_code": "02"},
        {"code": "04", "name": "100% B_", "rank": 2, "parent_code": "77"},
        {"code": "05", "name": "", "rank": 1, "parent_code": "05"},
        {"code": "06", "name": "cuối", "rank": 3, "parent_code": "01"},
    ],
    "label": [
        {"code": code, "language": language, "text": f'{language}:{code} "…"'}
        for code in ("J45", "I10")
        for language in ("vi", "en")
        if (code, language) != ("I10", "en")
    ],
    "entry": [_entry(citizen, number) for citizen in (FULL, BROKEN) for number in range(11)],
    "viewer": [
        {"id": 1, "role": "c", "name": "Công dân", "licence": None},
        {"id": 2, "role": "p", "name": "Bác sĩ", "licence": "012/CCHN"},
        {"id": 3, "role": "p", "name": "Không phép", "licence": None},
        {"id": 4, "role": "?", "name": "Lạ", "licence": None},
    ],
}
