"""The waiting list: in order, held for a time, taken once, and moved on by due time."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from app.appointments import sql, waiting
from app.core.db import Login
from tests.appointments.clinic import (
    ANSWER,
    BOOK,
    CANCEL,
    JOIN,
    LEAVE,
    RESCHEDULE,
    WAITLIST,
    Clinic,
    Person,
    contradictions,
    schedule,
    settle,
    tomorrow,
)


def hours(until: str, day: int = 3) -> dict[str, Any]:
    """Return what of a plan says that it is one morning, from eight."""
    return {"weekly": [], "exceptions": [{"on": tomorrow(day).isoformat(), "hours": [{"from": "08:00", "to": until}]}]}


ONE = hours("08:15")


def join(clinic: Clinic, person: Person, **changed: Any) -> dict[str, Any]:
    wish = {
        "facilityCode": clinic.code,
        "departmentCode": "K03",
        "from": tomorrow().isoformat(),
        "to": tomorrow(9).isoformat(),
        **changed,
    }
    entry: dict[str, Any] = clinic.do(person, JOIN, **wish)["entry"]
    return entry


def waits(clinic: Clinic, person: Person) -> dict[str, Any]:
    (entry, *_) = clinic.ask(person, WAITLIST)["data"]["waitlist"]["nodes"]
    found: dict[str, Any] = entry
    return found


def expire(clinic: Clinic) -> None:
    clinic.stand.as_owner(
        "UPDATE care.waitlist_offer SET held_until = now() - interval '1 second' WHERE state = 'OPEN'"
    )


def move(clinic: Clinic, slot: dict[str, Any]) -> None:
    step = partial(sql.move_waitlist, slot=UUID(slot["id"]), terms=sql.terms(clinic.stand.settings))
    clinic.stand.run(Login.WORKER, step)


@pytest.fixture
def full(clinic: Clinic) -> tuple[Clinic, dict[str, Any], Person, str]:
    """Return a clinic whose one slot is booked, the slot, who has it, and the appointment."""
    clinic.publish(schedule(**ONE))
    person = clinic.person()
    (slot,) = clinic.slots(person)
    return clinic, slot, person, clinic.book(person, slot)["id"]


Full = tuple[Clinic, dict[str, Any], Person, str]


def test_a_freed_place_is_offered_to_who_waits_longest(full: Full) -> None:
    clinic, slot, owner, made = full
    first, second, stranger = clinic.person(), clinic.person(), clinic.person()
    assert join(clinic, first)["state"] == "WAITING"
    join(clinic, second)

    clinic.do(owner, CANCEL, appointmentId=made)

    assert waits(clinic, first)["state"] == "OFFERED"
    assert waits(clinic, first)["offer"]["slot"]["id"] == slot["id"]
    assert (waits(clinic, second)["state"], waits(clinic, second)["offer"]) == ("WAITING", None)
    assert clinic.events(first) == ["WAITLIST_OFFERED"]
    assert clinic.slots(owner)[0]["remaining"] == 0
    assert clinic.refusal(stranger, BOOK, slotId=slot["id"])[0] == "CONFLICT"
    assert not contradictions(clinic.stand)


def test_an_offer_is_taken_once(full: Full) -> None:
    clinic, slot, owner, made = full
    first = clinic.person()
    join(clinic, first)
    clinic.do(owner, CANCEL, appointmentId=made)
    offer = waits(clinic, first)["offer"]["id"]

    done = clinic.do(first, ANSWER, offerId=offer, accept=True)

    assert (done["entry"]["state"], done["appointment"]["state"]) == ("BOOKED", "LIVE")
    assert clinic.refusal(first, ANSWER, offerId=offer, accept=True)[0] == "CONFLICT"
    assert [one["startsAt"] for one in clinic.appointments(first)] == [slot["startsAt"]]
    assert not contradictions(clinic.stand)


def test_a_declined_place_goes_to_the_next_and_then_to_everybody(full: Full) -> None:
    clinic, slot, owner, made = full
    first, second, third = clinic.person(), clinic.person(), clinic.person()
    join(clinic, first)
    join(clinic, second)
    clinic.do(owner, CANCEL, appointmentId=made)

    done = clinic.do(first, ANSWER, offerId=waits(clinic, first)["offer"]["id"], accept=False)
    assert (done["entry"]["state"], done["appointment"]) == ("WAITING", None)
    assert waits(clinic, second)["state"] == "OFFERED"
    clinic.do(second, LEAVE, entryId=waits(clinic, second)["id"])

    assert waits(clinic, second)["state"] == "LEFT"
    assert waits(clinic, first)["offer"] is None  # this slot was offered to them before
    clinic.book(third, slot)
    assert not contradictions(clinic.stand)


def test_who_closes_their_account_gives_back_their_places_and_waits_for_none(full: Full) -> None:
    clinic, slot, owner, _ = full
    clinic.publish(schedule("B", departmentCode="K18", **ONE))
    (other,) = clinic.slots(owner, department="K18")
    first, second, somebody = clinic.person(), clinic.person(), clinic.person()
    held = clinic.book(somebody, other)["id"]
    join(clinic, owner, departmentCode="K18")
    join(clinic, second, departmentCode="K18")
    join(clinic, owner)  # of the place that they are about to leave themselves
    join(clinic, first)
    clinic.do(somebody, CANCEL, appointmentId=held)
    clinic.stand.as_owner(
        "INSERT INTO care.appointment (citizen_id, id, facility_code, origin, starts_at, state, booked_at, changed_at) "
        "SELECT :id, gen_random_uuid(), :code, 'PAPER', now() + n * interval '40 days', 'LIVE', now(), now() "
        "FROM unnest(ARRAY[-1, 1]) n", id=owner.id, code=clinic.code,
    )  # fmt: skip

    ended = clinic.stand.as_owner(
        "SELECT * FROM care.end_care(:id, CAST(:terms AS jsonb))", id=owner.id, terms=sql.terms(clinic.stand.settings)
    )

    assert [tuple(row) for row in ended] == [(2, 2)]
    left = clinic.appointments(owner, order="SOONEST_FIRST")
    assert [(one["state"], one["cancelledBy"]) for one in left] == [("LIVE", None), *[("CANCELLED", "CITIZEN")] * 2]
    assert {row.state for row in states_of(clinic, owner)} == {"LEFT"}
    for person, freed in ((first, slot), (second, other)):
        offered = waits(clinic, person)
        assert (offered["state"], offered["offer"]["slot"]["id"]) == ("OFFERED", freed["id"])
    assert not contradictions(clinic.stand)


def states_of(clinic: Clinic, person: Person) -> list[Any]:
    return list(clinic.stand.as_owner("SELECT state FROM care.waitlist_entry WHERE citizen_id = :id", id=person.id))


def test_what_is_held_too_long_moves_on_by_the_worker(full: Full) -> None:
    clinic, slot, owner, made = full
    first, second = clinic.person(), clinic.person()
    join(clinic, first)
    join(clinic, second)
    clinic.do(owner, CANCEL, appointmentId=made)
    late = waits(clinic, first)["offer"]["id"]
    move(clinic, slot)
    assert waits(clinic, first)["state"] == "OFFERED"  # not due yet
    expire(clinic)

    assert clinic.refusal(first, ANSWER, offerId=late, accept=True)[0] == "CONFLICT"
    move(clinic, slot)
    move(clinic, slot)

    assert waits(clinic, first)["state"] == "WAITING"
    assert waits(clinic, second)["state"] == "OFFERED"
    assert clinic.events(second) == ["WAITLIST_OFFERED"]
    assert not contradictions(clinic.stand)


def test_what_is_held_too_long_moves_on_at_the_next_look_too(full: Full) -> None:
    clinic, slot, owner, made = full
    first, third = clinic.person(), clinic.person()
    join(clinic, first)
    clinic.do(owner, CANCEL, appointmentId=made)
    expire(clinic)

    clinic.book(third, slot)

    assert waits(clinic, first)["state"] == "WAITING"
    assert not contradictions(clinic.stand)


def test_the_end_of_a_hold_is_a_job_that_is_due_then(full: Full) -> None:
    clinic, slot, owner, made = full
    first = clinic.person()
    join(clinic, first)
    clinic.do(owner, CANCEL, appointmentId=made)

    rows = clinic.stand.as_owner(
        "SELECT execute_after, o.held_until FROM jobs.pgqueuer j, care.waitlist_offer o WHERE o.slot_id = :slot "
        "AND j.entrypoint = 'move_waitlist' AND convert_from(j.payload, 'UTF8')::jsonb->>'slot_id' = :text",
        slot=UUID(slot["id"]),
        text=slot["id"],
    )

    assert [row.execute_after == row.held_until for row in rows] == [True]


def test_a_place_that_is_free_already_is_offered_at_once(clinic: Clinic) -> None:
    clinic.publish(schedule(**ONE))
    assert join(clinic, clinic.person())["state"] == "OFFERED"


def test_only_days_and_departments_that_would_do(full: Full) -> None:
    clinic, _slot, owner, made = full
    early, elsewhere = clinic.person(), clinic.person()
    join(clinic, early, to=tomorrow(2).isoformat())
    join(clinic, elsewhere, departmentCode="K18")

    clinic.do(owner, CANCEL, appointmentId=made)

    assert [waits(clinic, one)["state"] for one in (early, elsewhere)] == ["WAITING", "WAITING"]


def test_nobody_is_offered_a_time_at_which_they_are_elsewhere(full: Full) -> None:
    clinic, slot, owner, made = full
    other = Clinic(clinic.stand, clinic.http, code=f"7{clinic.code[1:]}").open()
    other.publish(schedule(**ONE))
    busy, free = clinic.person(), clinic.person()
    other.book(busy, other.slots(busy)[0])
    join(clinic, busy)
    join(clinic, free)

    clinic.do(owner, CANCEL, appointmentId=made)

    assert waits(clinic, busy)["state"] == "WAITING"
    assert waits(clinic, free)["offer"]["slot"]["id"] == slot["id"]


def test_a_move_frees_a_place_too(clinic: Clinic) -> None:
    clinic.publish(schedule())
    owner, waiter = clinic.person(), clinic.person()
    slots = clinic.slots(owner)
    for one in slots[:4]:  # the whole day
        assert one["startsAt"][:10] == slots[0]["startsAt"][:10]
        clinic.book(owner if one is slots[0] else clinic.person(), one)
    mine = clinic.appointments(owner)[0]["id"]
    join(clinic, waiter, to=tomorrow().isoformat())
    assert waits(clinic, waiter)["state"] == "WAITING"

    clinic.do(owner, RESCHEDULE, appointmentId=mine, slotId=slots[6]["id"])

    assert waits(clinic, waiter)["offer"]["slot"]["id"] == slots[0]["id"]
    assert not contradictions(clinic.stand)


def test_nobody_waits_twice_in_one_department(full: Full) -> None:
    clinic, *_ = full
    person = clinic.person()
    join(clinic, person)
    wish = {
        "facilityCode": clinic.code,
        "departmentCode": "K03",
        "from": tomorrow().isoformat(),
        "to": tomorrow().isoformat(),
    }
    assert clinic.refusal(person, JOIN, **wish)[0] == "CONFLICT"
    assert clinic.refusal(person, JOIN, **{**wish, "facilityCode": "99999"})[0] == "NOT_FOUND"
    assert clinic.refusal(person, JOIN, **{**wish, "from": tomorrow(5).isoformat()})[0] == "INVALID"


def test_b131_anothers_offer_is_not_found(full: Full) -> None:
    clinic, _slot, owner, made = full
    first, stranger = clinic.person(), clinic.person()
    join(clinic, first)
    clinic.do(owner, CANCEL, appointmentId=made)
    offer, entry = waits(clinic, first)["offer"]["id"], waits(clinic, first)["id"]

    assert clinic.refusal(stranger, ANSWER, offerId=offer, accept=True)[0] == "NOT_FOUND"
    assert clinic.refusal(stranger, LEAVE, entryId=entry)[0] == "NOT_FOUND"
    assert clinic.ask(stranger, WAITLIST)["data"]["waitlist"]["nodes"] == []
    assert waits(clinic, first)["state"] == "OFFERED"


def test_a_new_plan_offers_its_places_to_who_waits(full: Full) -> None:
    clinic, slot, *_ = full
    waiter = clinic.person()
    join(clinic, waiter)
    clinic.publish(schedule(capacity=2, **ONE))

    settle(clinic)

    assert waits(clinic, waiter)["offer"]["slot"]["id"] == slot["id"]
    assert not contradictions(clinic.stand)


def test_a_withdrawn_slot_is_cancelled_and_told(clinic: Clinic) -> None:
    clinic.publish(schedule(capacity=3, **ONE))
    people = [clinic.person() for _ in range(2)]
    waiter = clinic.person()
    (slot,) = clinic.slots(waiter)
    for one in people:
        clinic.book(one, slot)
    join(clinic, waiter)
    assert waits(clinic, waiter)["state"] == "OFFERED"

    assert clinic.publish(schedule(capacity=3, weekly=[])).json()["schedules"][0]["withdrawn"] == 1
    assert clinic.slots(waiter) == []
    assert settle(clinic) >= 2

    for one in people:
        (shown,) = clinic.appointments(one)
        assert (shown["state"], shown["cancelledBy"]) == ("CANCELLED", "FACILITY")
        assert clinic.events(one) == ["APPOINTMENT_BOOKED", "APPOINTMENT_CANCELLED"]
    assert waits(clinic, waiter)["state"] == "WAITING"
    assert settle(clinic) == 0
    assert not contradictions(clinic.stand)


def test_a_place_that_the_plan_has_no_room_for_any_more_is_offered_to_nobody(clinic: Clinic) -> None:
    clinic.publish(schedule(capacity=2, **ONE))
    first, second, waiter = clinic.person(), clinic.person(), clinic.person()
    (slot,) = clinic.slots(first)
    left = clinic.book(first, slot)["id"]
    clinic.book(second, slot)
    join(clinic, waiter)
    clinic.publish(schedule(capacity=1, **ONE))

    clinic.do(first, CANCEL, appointmentId=left)

    assert waits(clinic, waiter)["state"] == "WAITING"
    assert [(one["capacity"], one["remaining"]) for one in clinic.slots(first)] == [(1, 0)]
    assert not contradictions(clinic.stand)


def test_who_books_or_moves_to_the_slot_that_is_held_for_them_takes_their_place(full: Full) -> None:
    clinic, slot, owner, made = full
    clinic.publish(schedule("B", **hours("08:15", day=4)))
    first, second = clinic.person(), clinic.person()
    moved = clinic.book(second, clinic.slots(second)[1])["id"]
    join(clinic, first, to=tomorrow(3).isoformat())
    join(clinic, second, to=tomorrow(3).isoformat())
    clinic.do(owner, CANCEL, appointmentId=made)

    booked = clinic.book(first, slot, reason="Tái khám")
    assert (waits(clinic, first)["state"], booked["reason"]) == ("BOOKED", "Tái khám")
    clinic.do(first, CANCEL, appointmentId=booked["id"])
    clinic.do(second, RESCHEDULE, appointmentId=moved, slotId=slot["id"])
    assert waits(clinic, second)["state"] == "BOOKED"
    assert not contradictions(clinic.stand)


def test_a_facility_that_is_suspended_offers_nothing(full: Full) -> None:
    clinic, _, owner, made = full
    waiter = clinic.person()
    join(clinic, waiter)
    clinic.stand.as_owner("UPDATE directory.facility SET suspended_at = now() WHERE code = :code", code=clinic.code)

    clinic.do(owner, CANCEL, appointmentId=made)

    assert waits(clinic, waiter)["state"] == "WAITING"
    assert clinic.events(waiter) == []


def test_who_goes_on_waiting_is_offered_what_else_is_free(clinic: Clinic) -> None:
    clinic.publish(schedule(**hours("08:30")))
    waiter = clinic.person()
    earlier, later = clinic.slots(waiter)
    join(clinic, waiter)
    offer = waits(clinic, waiter)["offer"]
    assert offer["slot"]["id"] == earlier["id"]

    clinic.do(waiter, ANSWER, offerId=offer["id"], accept=False)
    settle(clinic)

    assert waits(clinic, waiter)["offer"]["slot"]["id"] == later["id"]


def test_who_is_elsewhere_at_the_first_free_time_is_offered_the_next(clinic: Clinic) -> None:
    clinic.publish(schedule(**hours("08:30")), schedule("B", departmentCode="K18", **hours("08:30")))
    person = clinic.person()
    clinic.book(person, clinic.slots(person, department="K18")[0])

    join(clinic, person)

    assert waits(clinic, person)["offer"]["slot"]["id"] == clinic.slots(person, department="K03")[1]["id"]


def test_who_has_as_many_as_allowed_is_offered_a_place_once_they_give_one_up(full: Full) -> None:
    clinic, slot, owner, made = full
    clinic.publish(schedule("B", departmentCode="K18", **ONE), terms={"mostLive": 1})
    first, second = clinic.person(), clinic.person()
    held = clinic.book(first, clinic.slots(first, department="K18")[0])["id"]
    join(clinic, first, to=tomorrow(3).isoformat())
    clinic.do(owner, CANCEL, appointmentId=made)
    assert waits(clinic, first)["state"] == "WAITING"

    clinic.do(first, CANCEL, appointmentId=held)
    settle(clinic)

    assert waits(clinic, first)["offer"]["slot"]["id"] == slot["id"]
    join(clinic, second)
    assert waits(clinic, second)["state"] == "WAITING"


def test_a_plan_that_comes_while_the_worker_settles_one_is_settled_too(clinic: Clinic) -> None:
    clinic.publish(schedule(**ONE))
    clinic.stand.as_owner("UPDATE jobs.pgqueuer SET status = 'picked' WHERE entrypoint = 'settle_slots'")
    clinic.publish(schedule(weekly=[]))

    left = clinic.stand.as_owner(
        "SELECT status FROM jobs.pgqueuer WHERE entrypoint = 'settle_slots' AND status = 'queued'"
    )
    assert len(left) == 1
    clinic.stand.as_owner("DELETE FROM jobs.pgqueuer WHERE entrypoint = 'settle_slots'")


def test_what_one_round_leaves_is_another_jobs(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.publish(schedule(capacity=2, **ONE))
    people = [clinic.person() for _ in range(2)]
    for one in people:
        clinic.book(one, clinic.slots(one)[0])
    clinic.publish(schedule(weekly=[]))
    clinic.stand.as_owner("DELETE FROM jobs.pgqueuer WHERE entrypoint = 'settle_slots'")
    monkeypatch.setattr(waiting, "MOST_STEPS", 1)

    rounds = 1
    settle(clinic)
    while clinic.stand.as_owner("DELETE FROM jobs.pgqueuer WHERE entrypoint = 'settle_slots' RETURNING id"):
        settle(clinic)
        rounds += 1

    assert rounds == 3  # two bookings, and one that finds nothing left
    assert [clinic.appointments(one)[0]["state"] for one in people] == ["CANCELLED"] * 2


def test_who_waited_until_yesterday_waits_no_more(full: Full) -> None:
    clinic, *_ = full
    waiter = clinic.person()
    join(clinic, waiter)
    clinic.stand.as_owner(
        "UPDATE care.waitlist_entry SET from_on = from_on - 30, until_on = auth.today() - 1 WHERE citizen_id = :id",
        id=waiter.id,
    )

    assert waits(clinic, waiter)["state"] == "LEFT"
    assert join(clinic, waiter)["state"] == "WAITING"
