"""Booking, moving and cancelling, by the citizen's own door."""

from datetime import datetime, time, timedelta
from uuid import UUID

import pytest

from tests.appointments.clinic import (
    BOOK,
    CANCEL,
    DAYS,
    MINE,
    RESCHEDULE,
    SLOTS,
    Clinic,
    contradictions,
    key,
    schedule,
    tomorrow,
)
from tests.identity.families import today

CHANGES = """query($since: String) { bookChanges(since: $since) { cursor records { kind section version }
  tombstones { id } } }"""


def test_slots_are_found_by_facility_department_and_day(clinic: Clinic) -> None:
    assert clinic.publish(schedule("A"), schedule("B", departmentCode="K18", capacity=3)).status_code == 200
    person = clinic.person()

    page = clinic.slots(person, first=5)
    assert [one["startsAt"][11:16] for one in page] == ["01:00", "01:00", "01:15", "01:15", "01:30"]
    children = clinic.slots(person, department="K18", to=tomorrow().isoformat())
    assert [(one["departmentCode"], one["remaining"], one["capacity"]) for one in children] == [("K18", 3, 3)] * 4
    assert {one["department"] for one in children} == {"Khoa Nhi"}
    assert clinic.slots(person, code="99999") == []


def test_pages_follow_one_another(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person, seen, after = clinic.person(), [], None
    while True:
        asked = {"code": clinic.code, "from": tomorrow().isoformat(), "to": tomorrow(14).isoformat()}
        found = clinic.ask(person, SLOTS, **asked, first=25, after=after)["data"]["appointmentSlots"]
        seen += [one["id"] for one in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == 14 * 4


def test_a_booking_takes_the_place_and_stands_in_the_book(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    (slot, *_) = clinic.slots(person)

    made = clinic.book(person, slot, reason="Đau đầu ba ngày")

    assert (made["state"], made["startsAt"], made["reason"]) == ("LIVE", slot["startsAt"], "Đau đầu ba ngày")
    assert made["facility"] == {"code": clinic.code}
    (shown,) = clinic.appointments(person)
    assert (shown["id"], shown["origin"], shown["reason"]) == (made["id"], "BOOKED", "Đau đầu ba ngày")
    assert [one["remaining"] for one in clinic.slots(person)[:2]] == [0, 1]
    assert clinic.events(person) == ["APPOINTMENT_BOOKED"]
    (kept,) = clinic.stand.as_owner("SELECT * FROM care.appointment WHERE id = :id", id=UUID(made["id"]))
    assert "Đau đầu".encode() not in kept.reason_sealed
    assert not contradictions(clinic.stand)


@pytest.mark.parametrize(
    ("reason", "kept"),
    [("\u202eĐau\u200b đầu\r\nba\u00a0ngày\x07", "Đau đầu\nba ngày"), (" \r\n", None), ("", None), (None, None)],
)
def test_a_reason_is_kept_as_a_person_reads_it(clinic: Clinic, reason: str | None, kept: str | None) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    assert clinic.book(person, clinic.slots(person)[0], reason=reason)["reason"] == kept


def test_the_books_version_grows_so_that_a_kept_screen_is_not_shown_again(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    headers = {"Authorization": f"Bearer {person.token}"}
    empty = clinic.http.post("/graphql", json={"query": MINE}, headers=headers)
    again = {**headers, "If-None-Match": empty.headers["etag"]}
    assert clinic.http.post("/graphql", json={"query": MINE}, headers=again).status_code == 304

    made = clinic.book(person, clinic.slots(person)[0])
    fresh = clinic.http.post("/graphql", json={"query": MINE}, headers=again)

    assert fresh.status_code == 200
    assert fresh.json()["data"]["healthBook"]["appointments"]["nodes"][0]["id"] == made["id"]


def test_a_full_slot_is_refused_in_words(clinic: Clinic) -> None:
    clinic.publish(schedule())
    first, second = clinic.person(), clinic.person()
    (slot, *_) = clinic.slots(first)
    clinic.book(first, slot)

    assert clinic.refusal(second, BOOK, slotId=slot["id"]) == ("CONFLICT", "Khung giờ này vừa hết chỗ.")
    assert clinic.appointments(second) == []
    assert clinic.events(second) == []


def test_i2_nobody_is_at_two_places_at_once(clinic: Clinic) -> None:
    other = Clinic(clinic.stand, clinic.http, code=f"7{clinic.code[1:]}").open()
    clinic.publish(schedule())
    other.publish(schedule(weekly=[{"day": day, "from": "08:05", "to": "09:05"} for day in DAYS]))
    person = clinic.person()
    slot = clinic.slots(person)[0]
    clinic.book(person, slot)
    rival = next(one for one in other.slots(person) if one["startsAt"][:10] == slot["startsAt"][:10])

    code, words = other.refusal(person, BOOK, slotId=rival["id"])

    assert (code, words) == ("CONFLICT", "Bạn đã có lịch hẹn khác trùng giờ này.")
    clinic.book(person, clinic.slots(person)[4])  # the next one does not touch it
    assert not contradictions(clinic.stand)


@pytest.mark.parametrize("slot", ["x", str(UUID(int=5)), "' OR 1=1--"])
def test_a_slot_that_is_none_is_gone_or_not_found(clinic: Clinic, slot: str) -> None:
    code, _ = clinic.refusal(clinic.person(), BOOK, slotId=slot)
    assert code in {"CONFLICT", "NOT_FOUND"}


def test_rules_of_the_facility_lead_time_and_most_bookings(clinic: Clinic) -> None:
    clinic.publish(schedule(), terms={"leadMinutes": 3 * 24 * 60, "mostLive": 2})
    person = clinic.person()
    slots = clinic.slots(person)
    assert clinic.refusal(person, BOOK, slotId=slots[0]["id"])[0] == "REFUSED"
    late = [one for one in slots if one["startsAt"] > (tomorrow(5)).isoformat()]
    clinic.book(person, late[0])
    clinic.book(person, late[1])
    assert clinic.refusal(person, BOOK, slotId=late[2]["id"])[0] == "REFUSED"


def test_rules_of_the_facility_cancel_until(clinic: Clinic) -> None:
    clinic.publish(schedule(), terms={"cancelMinutes": 14 * 24 * 60})
    person = clinic.person()
    slots = clinic.slots(person)
    made = clinic.book(person, slots[0])

    assert clinic.refusal(person, CANCEL, appointmentId=made["id"])[0] == "REFUSED"
    assert clinic.refusal(person, RESCHEDULE, appointmentId=made["id"], slotId=slots[1]["id"])[0] == "REFUSED"
    assert [one["state"] for one in clinic.appointments(person)] == ["LIVE"]


def test_a_booking_is_moved_and_keeps_its_id(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    slots = clinic.slots(person)
    made = clinic.book(person, slots[0])

    moved = clinic.do(person, RESCHEDULE, appointmentId=made["id"], slotId=slots[5]["id"])["appointment"]

    assert (moved["id"], moved["startsAt"]) == (made["id"], slots[5]["startsAt"])
    assert [one["remaining"] for one in clinic.slots(person)[:6]] == [1, 1, 1, 1, 1, 0]
    assert clinic.events(person) == ["APPOINTMENT_BOOKED", "APPOINTMENT_CHANGED"]
    assert not contradictions(clinic.stand)


def test_a_move_that_fails_keeps_the_old_place(clinic: Clinic) -> None:
    clinic.publish(schedule("A"), schedule("B", departmentCode="K18"))
    first, second = clinic.person(), clinic.person()
    mine, taken = clinic.slots(first, department="K03")[:2]
    elsewhere = clinic.slots(first, department="K18")[3]
    made = clinic.book(first, mine)
    clinic.book(second, taken)

    assert clinic.refusal(first, RESCHEDULE, appointmentId=made["id"], slotId=taken["id"])[0] == "CONFLICT"
    assert clinic.refusal(first, RESCHEDULE, appointmentId=made["id"], slotId=elsewhere["id"])[0] == "INVALID"

    assert [one["startsAt"] for one in clinic.appointments(first)] == [mine["startsAt"]]
    assert not contradictions(clinic.stand)


def test_a_cancelled_place_is_free_again(clinic: Clinic) -> None:
    clinic.publish(schedule())
    first, second = clinic.person(), clinic.person()
    (slot, *_) = clinic.slots(first)
    made = clinic.book(first, slot)

    done = clinic.do(first, CANCEL, appointmentId=made["id"])["appointment"]
    assert (done["state"], done["cancelledBy"]) == ("CANCELLED", "CITIZEN")
    clinic.do(first, CANCEL, appointmentId=made["id"])  # once more is no error

    clinic.book(second, slot)
    assert clinic.events(first) == ["APPOINTMENT_BOOKED", "APPOINTMENT_CANCELLED"]
    assert not contradictions(clinic.stand)


def test_b131_anothers_appointment_is_not_found(clinic: Clinic) -> None:
    clinic.publish(schedule())
    owner, stranger = clinic.person(), clinic.person()
    slots = clinic.slots(owner)
    made = clinic.book(owner, slots[0])

    assert clinic.refusal(stranger, CANCEL, appointmentId=made["id"])[0] == "NOT_FOUND"
    assert clinic.refusal(stranger, RESCHEDULE, appointmentId=made["id"], slotId=slots[1]["id"])[0] == "NOT_FOUND"
    assert clinic.refusal(stranger, BOOK, slotId=slots[1]["id"], citizenId=str(owner.id))[0] == "NOT_FOUND"
    assert [one["state"] for one in clinic.appointments(owner)] == ["LIVE"]
    assert clinic.appointments(stranger) == []


def test_e7_one_key_books_once_and_answers_alike(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    slots = clinic.slots(person)
    same = {"idempotencyKey": key(), "slotId": slots[0]["id"]}

    first, again = (clinic.ask(person, BOOK, input=same) for _ in range(2))
    other = clinic.ask(person, BOOK, input={**same, "slotId": slots[1]["id"]})

    assert first == again
    assert other["errors"][0]["extensions"]["code"] == "CONFLICT"
    assert len(clinic.appointments(person)) == 1


def test_b142_neither_a_hospital_nor_a_weak_account_books(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    (slot, *_) = clinic.slots(person)
    asked = {"query": BOOK, "variables": {"input": {"idempotencyKey": key(), "slotId": slot["id"]}}}
    headers = {"Authorization": f"Bearer {clinic.token}"}
    assert clinic.http.post("/graphql", json=asked, headers=headers).status_code == 401
    clinic.stand.as_owner("UPDATE auth.session SET level = 1 WHERE citizen_id = :id", id=person.id)
    assert clinic.refusal(person, BOOK, slotId=slot["id"])[0] == "REFUSED"


def test_upcoming_and_past_appointments_are_told_apart(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    slots = clinic.slots(person)
    ids = [clinic.book(person, slots[place])["id"] for place in (0, 4, 8)]
    clinic.stand.as_owner(
        "UPDATE care.appointment SET starts_at = starts_at - interval '30 days', "
        "ends_at = ends_at - interval '30 days' WHERE id = :id",
        id=UUID(ids[0]),
    )

    assert [one["id"] for one in clinic.appointments(person, upcoming=True)] == [ids[2], ids[1]]
    assert [one["id"] for one in clinic.appointments(person, upcoming=True, order="SOONEST_FIRST")] == [ids[1], ids[2]]
    assert [one["id"] for one in clinic.appointments(person, upcoming=False)] == [ids[0]]
    assert clinic.refusal(person, CANCEL, appointmentId=ids[0])[0] == "CONFLICT"


def test_an_appointment_of_today_without_a_time_is_to_come_until_the_day_ends(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    slots = clinic.slots(person)
    ids = [clinic.book(person, slots[place])["id"] for place in (0, 4)]
    day = today(clinic.stand)
    for days, known in zip((0, -1), ids, strict=True):
        clinic.stand.as_owner(
            "UPDATE care.appointment SET is_whole_day = true, slot_id = NULL, place = NULL, ends_at = NULL, "
            "starts_at = CAST(:day AS timestamp) AT TIME ZONE 'Asia/Ho_Chi_Minh' WHERE id = :id",
            id=UUID(known),
            day=datetime.combine(day + timedelta(days=days), time()),
        )

    (to_come,) = clinic.appointments(person, upcoming=True)
    (past,) = clinic.appointments(person, upcoming=False)
    assert (to_come["isWholeDay"], past["isWholeDay"]) == (True, True)
    assert past["startsAt"] < to_come["startsAt"]


def test_an_apps_copy_is_told_of_every_change_of_an_appointment(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person, other = clinic.person(), clinic.person()
    first, second = clinic.slots(person)[:2]
    since = None

    def changed() -> list[tuple[str, str, int]]:
        nonlocal since
        page = clinic.ask(person, CHANGES, since=since)["data"]["bookChanges"]
        since = page["cursor"]
        return [(one["kind"], one["section"], one["version"]) for one in page["records"]]

    assert changed() == []
    made = clinic.book(person, first)
    assert changed() == [("APPOINTMENT", "APPOINTMENTS", 1)]
    clinic.book(other, second)
    assert changed() == []
    clinic.do(person, RESCHEDULE, appointmentId=made["id"], slotId=clinic.slots(person)[2]["id"])
    assert changed() == [("APPOINTMENT", "APPOINTMENTS", 2)]
    clinic.do(person, CANCEL, appointmentId=made["id"])
    assert changed() == [("APPOINTMENT", "APPOINTMENTS", 3)]
    since = None
    assert changed() == [("APPOINTMENT", "APPOINTMENTS", 3)]
