"""Facilities publish by JSON and CSV; what is wrong is told by line, in both languages."""

import json
from pathlib import Path
from typing import Any
from unicodedata import normalize
from uuid import UUID

import httpx
import pytest

from app.appointments.reading import COLUMNS, read_csv, read_json
from tests.appointments.clinic import Clinic, bearer, contradictions, schedule, tomorrow

HEADER = ",".join(COLUMNS)


def table(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines]).encode()


def line(day: str = "T2", since: str = "07:30", until: str = "11:30", code: str = "K01-P1", **changed: str) -> str:
    known = {
        "schedule": code,
        "department": "K01",
        "room": "P1",
        "practitioner": "",
        "practitioner_name": "",
        "capacity": "2",
        "slot_minutes": "15",
        "valid_from": tomorrow().isoformat(),
        "valid_until": tomorrow(30).isoformat(),
        "holidays": "no",
        "sensitive": "",
        "day": day,
        "from": since,
        "to": until,
    }
    return ",".join({**known, **changed}[name] for name in COLUMNS)


def places(problems: Any) -> list[str]:
    return [one.place for one in problems]


def test_a_table_is_read_rules_and_exceptions() -> None:
    closed, extra = tomorrow(3).isoformat(), tomorrow(4).isoformat()
    plan = read_csv(table(line("T2"), line("CN", "08:00", "09:00"), line(closed, "", ""), line(extra), line(code="B")))

    assert plan.problems == ()
    first, second = plan.schedules
    assert (first.code, second.code, first.capacity, first.slot_minutes) == ("K01-P1", "B", 2, 15)
    assert sorted(first.weekly) == [0, 6]
    assert [len(first.exceptions[day]) for day in (tomorrow(3), tomorrow(4))] == [0, 1]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([line(), line("T2", "11:00", "12:00")], ["line 3"]),
        ([line("T9")], ["line 2: day"]),
        ([line(since="7h30")], ["line 2: from"]),
        ([line(since="11:30", until="07:30")], ["line 2: to"]),
        ([line(), line("T3", capacity="3")], ["line 3: capacity"]),
        ([line(capacity="0")], ["line 2: capacity"]),
        ([line(capacity="hai")], ["line 2: capacity"]),
        ([line(capacity="00000000199999999999")], ["line 2: capacity"]),
        ([line(department="Nội")], ["line 2: department"]),
        ([line(code="")], ["line 2: schedule"]),
        ([line(valid_until="31/12/2026")], ["line 2: valid_until", "line 2: valid_until"]),
        ([line(valid_until="2020-01-01")], ["line 2: valid_until"]),
        ([line(slot_minutes="600")], ["line 2: slot_minutes"]),
        ([line(holidays="maybe")], ["line 2: holidays"]),
        ([line(), "a,b"], ["line 3"]),
    ],
)
def test_what_is_wrong_with_a_table_is_told_by_line(lines: list[str], told: list[str]) -> None:
    problems = read_csv(table(*lines)).problems
    assert places(problems) == told
    assert all(one.text.vi != one.text.en and one.text.vi and one.text.en for one in problems)


def test_words_of_a_plan_are_nfc() -> None:
    words = "Bác sĩ Nguyễn Thị Ngọc"
    (plan,) = read_csv(table(line(room=normalize("NFD", words), practitioner_name=normalize("NFD", words)))).schedules
    assert (plan.room, plan.practitioner_name) == (words, words)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"a,b\n1,2", b'schedule,"unclosed'])
def test_what_is_no_table_of_ours_is_said_so(body: bytes) -> None:
    assert len(read_csv(body).problems) == 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"capacity": "x"}, "schedules[0].capacity"),
        ({"capacity": True}, "schedules[0].capacity"),
        ({"room": 5}, "schedules[0].room"),
        ({"weekly": "MON"}, "schedules[0].weekly"),
        ({"weekly": [{"day": "MONDAY", "from": "08:00", "to": "09:00"}]}, "schedules[0].weekly[0].day"),
        ({"weekly": [{"day": "MON", "from": "8", "to": "09:00"}]}, "schedules[0].weekly[0].from"),
        ({"weekly": ["x"]}, "schedules[0].weekly[0].day"),
        ({"exceptions": [{"on": "tomorrow"}]}, "schedules[0].exceptions[0].on"),
        ({"worksOnHolidays": "sometimes"}, "schedules[0].worksOnHolidays"),
        ({"patientName": "x"}, "schedules[0].patientName"),
        ({"validUntil": "2099-01-01"}, "schedules[0].validUntil"),
    ],
)
def test_what_is_wrong_with_json_is_told_by_place(changed: dict[str, Any], told: str) -> None:
    plan = read_json(json.dumps({"schedules": [schedule(**changed)]}).encode())
    assert told in places(plan.problems)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"schedules": 5}', b'{"schedules": [], "schedules": []}', b'{"x": 1}'])
def test_what_is_no_plan_is_said_so(body: bytes) -> None:
    assert read_json(body).problems


def test_one_code_stands_for_one_schedule() -> None:
    plan = read_json(json.dumps({"schedules": [schedule(), schedule()]}).encode())
    assert places(plan.problems) == ["schedules[1].code"]


def send(clinic: Clinic, body: bytes, kind: str = "text/csv", *, dry_run: bool = False) -> httpx.Response:
    headers = {**bearer(clinic.token), "Content-Type": kind}
    url = "/ingest/schedules" + ("?dryRun=true" if dry_run else "")
    return clinic.http.post(url, content=body, headers=headers)


def test_a_table_is_published_and_judged_first(clinic: Clinic) -> None:
    body = table(*(line(day) for day in ("T2", "T3", "T4", "T5", "T6", "T7", "CN")))
    person = clinic.person()

    judged = send(clinic, body, dry_run=True).json()
    assert (judged["status"], judged["dryRun"]) == ("accepted", True)
    assert clinic.slots(person) == []
    published = send(clinic, body).json()

    assert published["status"] == "published"
    assert published["schedules"][0]["slots"] == judged["schedules"][0]["slots"] > 0
    assert len(clinic.slots(person)) == 50


def test_nothing_is_published_of_a_plan_with_an_error(clinic: Clinic) -> None:
    answer = send(clinic, table(line(), line("T3", "x")))

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], [one["place"] for one in body["problems"]]) == ("INVALID", ["line 3: from"])
    assert body["problems"][0]["vi"] != body["problems"][0]["en"]
    assert clinic.slots(clinic.person()) == []


def test_b142_a_plan_is_published_by_facilities_alone(clinic: Clinic) -> None:
    person = clinic.person()
    body = json.dumps({"schedules": [schedule()]}).encode()
    for headers in ({}, bearer(person.token), bearer("x" * 43)):
        answer = clinic.http.post(
            "/ingest/schedules", content=body, headers={**headers, "Content-Type": "application/json"}
        )
        assert answer.status_code == 401
    assert send(clinic, body, kind="application/xml").status_code == 415


def test_publishing_again_keeps_ids_and_bookings(clinic: Clinic) -> None:
    clinic.publish(schedule(capacity=2))
    person = clinic.person()
    before = clinic.slots(person)
    clinic.book(person, before[0])

    told = clinic.publish(schedule(capacity=1)).json()["schedules"]

    after = clinic.slots(person)
    assert told == [{"code": "A", "slots": 56, "withdrawn": 0}]
    assert [one["id"] for one in after] == [one["id"] for one in before]
    assert [one["remaining"] for one in after[:2]] == [0, 1]
    assert not contradictions(clinic.stand)


def test_capacity_never_falls_below_who_is_booked(clinic: Clinic) -> None:
    clinic.publish(schedule(capacity=3))
    people = [clinic.person() for _ in range(3)]
    slot = clinic.slots(people[0])[0]
    for one in people:
        clinic.book(one, slot)

    clinic.publish(schedule(capacity=1))

    assert clinic.slots(people[0])[0]["capacity"] == 3
    assert not contradictions(clinic.stand)


def test_i2_a_practitioner_is_not_at_two_places_at_once(clinic: Clinic) -> None:
    doctor = {"practitionerCertificate": "001234/HNO-CCHN", "practitionerName": "Bác sĩ Thử"}
    assert clinic.publish(schedule("A", **doctor)).status_code == 200

    clash = clinic.publish(schedule("B", **doctor))
    later = clinic.publish(schedule("C", weekly=[{"day": "MON", "from": "09:00", "to": "10:00"}], **doctor))

    assert (clash.status_code, clash.json()["code"]) == (409, "CONFLICT")
    assert later.status_code == 200
    assert not contradictions(clinic.stand)
    assert {one["room"] for one in clinic.slots(clinic.person())} >= {"PA"}


def test_one_facility_cannot_touch_anothers_schedule(clinic: Clinic) -> None:
    other = Clinic(clinic.stand, clinic.http, code=f"8{clinic.code[1:]}").open()
    clinic.publish(schedule("SAME"))
    other.publish(schedule("SAME", weekly=[]))

    person = clinic.person()
    assert len(clinic.slots(person)) == 50
    assert other.slots(person) == []
    clinic.stand.as_owner("SELECT 1 FROM care.slot WHERE id = :id", id=UUID(clinic.slots(person)[0]["id"]))


def test_the_samples_of_the_guide_are_right() -> None:
    guide = (Path(__file__).parents[2] / "infra" / "connector-guide.md").read_text(encoding="utf-8")
    table, plan = (
        next(block.split("\n", 1)[1] for block in guide.split("```") if start in block) for start in (HEADER, '"terms"')
    )

    assert [read(one.encode()).problems for read, one in ((read_csv, table), (read_json, plan))] == [(), ()]
    assert [one.code for one in read_csv(table.encode()).schedules] == ["K01-P101"]
