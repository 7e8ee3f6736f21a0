"""Who represents a child books for it; rights end with the representation."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from app.core.db import Login
from app.notifications import telling
from tests.appointments.clinic import (
    ANSWER,
    BOOK,
    CANCEL,
    FEED,
    JOIN,
    LEAVE,
    WAITLIST,
    Clinic,
    Person,
    contradictions,
    key,
    schedule,
    tomorrow,
)
from tests.attacks import tries
from tests.conftest import RunningServer
from tests.identity.families import Families
from tests.listening import begin, hear, socket, subscribe, until_listening
from tests.people import Stand, now


@pytest.fixture
def families(stand: Stand) -> Families:
    return Families(stand)


def family(clinic: Clinic, families: Families) -> tuple[Person, Person]:
    """Return a parent and a small child."""
    parent, child = clinic.person(), clinic.person()
    clinic.stand.as_owner(
        "UPDATE auth.citizen SET birth_on = :born WHERE id = :id",
        born=tomorrow() - timedelta(days=4 * 365),
        id=child.id,
    )
    families.represent(child.id, parent.id)
    return parent, child


def test_a_parent_books_and_cancels_for_a_child(clinic: Clinic, families: Families) -> None:
    clinic.publish(schedule())
    parent, child = family(clinic, families)
    slots = clinic.slots(parent)

    made = clinic.book(parent, slots[0], citizenId=str(child.id))

    assert [one["id"] for one in clinic.appointments(child)] == [made["id"]]
    assert clinic.appointments(parent) == []
    assert clinic.events(child)[-1] == "APPOINTMENT_BOOKED"
    (row,) = clinic.stand.as_owner("SELECT booked_by FROM care.appointment WHERE id = :id", id=UUID(made["id"]))
    assert row.booked_by == parent.id
    clinic.book(parent, slots[0 + 4])  # their own, another day
    clinic.do(parent, CANCEL, appointmentId=made["id"])
    assert [one["state"] for one in clinic.appointments(child)] == ["CANCELLED"]
    assert not contradictions(clinic.stand)


def test_parent_and_child_may_come_at_the_same_time(clinic: Clinic, families: Families) -> None:
    clinic.publish(schedule(capacity=2))
    parent, child = family(clinic, families)
    (slot, *_) = clinic.slots(parent)

    clinic.book(parent, slot)
    clinic.book(parent, slot, citizenId=str(child.id))

    assert not contradictions(clinic.stand)


def test_a_parent_waits_for_a_child(clinic: Clinic, families: Families) -> None:
    clinic.publish(schedule())
    parent, child = family(clinic, families)
    wish = {
        "facilityCode": clinic.code,
        "departmentCode": "K03",
        "from": tomorrow().isoformat(),
        "to": tomorrow().isoformat(),
    }

    entry = clinic.do(parent, JOIN, citizenId=str(child.id), **wish)["entry"]

    assert entry["state"] == "OFFERED"
    assert clinic.events(child)[-1] == "WAITLIST_OFFERED"


def test_b140_rights_end_with_the_representation(clinic: Clinic, families: Families) -> None:
    clinic.publish(schedule())
    parent, child = family(clinic, families)
    slots = clinic.slots(parent)
    made = clinic.book(parent, slots[0], citizenId=str(child.id))
    feed = clinic.do(parent, FEED, citizenId=str(child.id))["url"].removeprefix("http://127.0.0.1:8000")
    assert clinic.http.get(feed).status_code == 200

    clinic.stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE dependant_id = :id", id=child.id)

    assert clinic.refusal(parent, BOOK, slotId=slots[1]["id"], citizenId=str(child.id))[0] == "NOT_FOUND"
    assert clinic.refusal(parent, CANCEL, appointmentId=made["id"])[0] == "NOT_FOUND"
    assert clinic.http.get(feed).status_code == 404
    assert (
        clinic.http.get(
            f"/calendar/appointments/{made['id']}.ics", headers={"Authorization": f"Bearer {parent.token}"}
        ).status_code
        == 404
    )


def test_b140_grown_up_children_book_for_themselves(clinic: Clinic, families: Families) -> None:
    clinic.publish(schedule())
    parent, child = family(clinic, families)
    clinic.stand.as_owner(
        "UPDATE auth.citizen SET birth_on = :born WHERE id = :id",
        born=tomorrow() - timedelta(days=19 * 366),
        id=child.id,
    )
    slot = clinic.slots(parent)[0]

    assert clinic.refusal(parent, BOOK, slotId=slot["id"], citizenId=str(child.id))[0] == "NOT_FOUND"
    clinic.book(child, slot)


@pytest.mark.parametrize(("years", "is_shown"), [(4, True), (16, False)])
def test_b140_what_a_child_hides_is_in_no_calendar_and_no_notice_of_a_parent(
    clinic: Clinic, families: Families, *, years: int, is_shown: bool
) -> None:
    """From fourteen on a hidden class is hidden from parents by every way: list, calendar, one file, notice."""
    clinic.publish(schedule(departmentCode="K15"))
    parent, child = family(clinic, families)
    clinic.stand.as_owner(
        "UPDATE auth.citizen SET birth_on = :born WHERE id = :id",
        born=tomorrow() - timedelta(days=years * 366),
        id=child.id,
    )
    clinic.stand.as_owner("UPDATE auth.book SET hidden_classes = 4 WHERE citizen_id = :id", id=child.id)
    feed = clinic.do(parent, FEED, citizenId=str(child.id))["url"].removeprefix("http://127.0.0.1:8000")
    own = clinic.do(child, FEED)["url"].removeprefix("http://127.0.0.1:8000")
    made = clinic.book(child, clinic.slots(child)[0])
    (event,) = clinic.stand.as_owner(
        "SELECT id FROM notice.event WHERE citizen_id = :id AND kind = 'APPOINTMENT_BOOKED'", id=child.id
    )

    clinic.stand.run(Login.WORKER, partial(telling.tell, event_ids=[event.id], now=now()))

    assert made["id"] in clinic.http.get(own).text
    assert (made["id"] in clinic.http.get(feed).text) is is_shown
    one = f"/calendar/appointments/{made['id']}.ics"
    assert clinic.http.get(one, headers={"Authorization": f"Bearer {parent.token}"}).status_code == (
        200 if is_shown else 404
    )
    told = clinic.stand.as_owner("SELECT citizen_id FROM notice.notice WHERE event_id = :id", id=event.id)
    assert {row.citizen_id for row in told} == ({child.id, parent.id} if is_shown else {child.id})


def test_b140_a_parent_is_told_of_a_grown_childs_emergency_and_not_of_what_it_shares(
    clinic: Clinic, families: Families
) -> None:
    parent, child = family(clinic, families)
    clinic.stand.as_owner(
        "UPDATE auth.citizen SET birth_on = :born WHERE id = :id",
        born=tomorrow() - timedelta(days=16 * 366),
        id=child.id,
    )
    for kind in ("EMERGENCY_OPENED", "CODE_REDEEMED", "RESULT_READY"):
        clinic.stand.as_owner("SELECT notice.happened(:id, :kind, '{}')", id=child.id, kind=kind)
    for event in clinic.stand.as_owner("SELECT id FROM notice.event WHERE citizen_id = :id", id=child.id):
        clinic.stand.run(Login.WORKER, partial(telling.tell, event_ids=[event.id], now=now()))

    told = clinic.stand.as_owner("SELECT kind FROM notice.notice WHERE citizen_id = :id", id=parent.id)

    assert [row.kind for row in told] == ["EMERGENCY_OPENED"]


@pytest.mark.parametrize(("department", "is_shown"), [("K15", False), ("K03", True)])
def test_b140_what_a_child_waits_for_in_a_class_that_it_hid_is_in_no_list_of_a_parent(
    clinic: Clinic, families: Families, department: str, *, is_shown: bool
) -> None:
    clinic.publish(schedule(departmentCode=department))
    parent, child = family(clinic, families)
    grown(clinic, child, years=16)
    wish = {
        "facilityCode": clinic.code,
        "departmentCode": department,
        "from": tomorrow().isoformat(),
        "to": tomorrow().isoformat(),
    }
    entry = clinic.do(child, JOIN, **wish)["entry"]
    offer = entry["offer"]["id"]

    listed = clinic.ask(parent, WAITLIST)["data"]["waitlist"]["nodes"]
    left = clinic.ask(parent, LEAVE, input={"idempotencyKey": key(), "entryId": entry["id"]})

    assert [one["id"] for one in listed] == ([entry["id"]] if is_shown else [])
    if is_shown:
        assert left["data"]["leaveWaitlist"]["entry"]["state"] == "LEFT"
        return
    assert left["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert clinic.refusal(parent, ANSWER, offerId=offer, accept=True)[0] == "NOT_FOUND"
    assert [one["id"] for one in clinic.ask(child, WAITLIST)["data"]["waitlist"]["nodes"]] == [entry["id"]]
    tried = tries.run(seen_by, clinic, parent, child, entry["id"], offer)
    assert tried == [False, False, False]


async def seen_by(clinic: Clinic, viewer: Person, citizen: Person, entry: str, offer: str) -> list[bool]:
    """Ask the functions of the policies themselves, with SQL at will."""
    async with tries.as_login(clinic.stand, Login.DESK) as desk, desk.transaction():
        await desk.execute("SELECT auth.sign_in($1, NULL)", viewer.token)
        return [
            await desk.fetchval("SELECT care.may_see_entry($1, $2)", citizen.id, UUID(entry)),
            await desk.fetchval("SELECT care.may_see_offer($1, $2)", citizen.id, UUID(offer)),
            await desk.fetchval("SELECT EXISTS (SELECT FROM care.waitlist_offer WHERE citizen_id = $1)", citizen.id),
        ]


def test_b140_who_books_or_waits_for_a_child_sees_it_whatever_the_child_hid(clinic: Clinic, families: Families) -> None:
    """An answer that failed would tell that the class is hidden; one's own booking tells nothing new."""
    clinic.publish(schedule(departmentCode="K15"))
    parent, child = family(clinic, families)
    grown(clinic, child, years=16)

    made = clinic.book(parent, clinic.slots(parent)[0], citizenId=str(child.id))

    assert made["state"] == "LIVE"
    assert clinic.do(parent, CANCEL, appointmentId=made["id"])["appointment"]["state"] == "CANCELLED"


def grown(clinic: Clinic, child: Person, *, years: int) -> None:
    """Let a child be so old, and hide mental health from everybody."""
    clinic.stand.as_owner(
        "UPDATE auth.citizen SET birth_on = :born WHERE id = :id",
        born=tomorrow() - timedelta(days=years * 366),
        id=child.id,
    )
    clinic.stand.as_owner("UPDATE auth.book SET hidden_classes = 4 WHERE citizen_id = :id", id=child.id)


@pytest.mark.parametrize(("years", "is_shown"), [(4, True), (14, False)])
def test_b140_a_parent_listens_to_what_they_may_be_told(
    server: RunningServer, clinic: Clinic, families: Families, *, years: int, is_shown: bool
) -> None:
    """A hidden appointment is heard by its citizen alone, a change of the book by whom nothing is hidden from."""
    clinic.publish(schedule(departmentCode="K15"), schedule("OPEN", departmentCode="K03"))
    parent, child = family(clinic, families)
    clinic.stand.as_owner(
        "UPDATE auth.citizen SET birth_on = :born WHERE id = :id",
        born=tomorrow() - timedelta(days=years * 366),
        id=child.id,
    )
    clinic.stand.as_owner("UPDATE auth.book SET hidden_classes = 4 WHERE citizen_id = :id", id=child.id)
    clinic.stand.as_owner("DELETE FROM auth.live_subscription")
    query = "subscription($child: ID) { bookEvents(citizenId: $child) { kind subjectId } }"
    with socket(server) as one:
        begin(one, parent.token)
        subscribe(one, query=query, child=str(child.id))
        until_listening(clinic.stand)
        hidden = clinic.book(child, clinic.slots(child, department="K15")[0])["id"]
        open_one = clinic.book(child, clinic.slots(child, department="K03")[-1])["id"]
        heard = []
        while ("APPOINTMENT_CHANGED", open_one) not in heard:
            event = hear(one)["payload"]["data"]["bookEvents"]
            heard.append((event["kind"], event["subjectId"]))
        assert (("APPOINTMENT_CHANGED", hidden) in heard) is is_shown
        clinic.stand.as_owner("UPDATE auth.book SET version = version + 1 WHERE citizen_id = :id", id=child.id)
        clinic.stand.as_owner("SELECT notice.happened(:id, 'EMERGENCY_OPENED', '{\"grant\": \"g\"}')", id=child.id)
        while ("OPENED", "g") not in heard:
            event = hear(one)["payload"]["data"]["bookEvents"]
            heard.append((event["kind"], event["subjectId"]))
        assert (("RECORDS_CHANGED", None) in heard) is is_shown
        clinic.stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE dependant_id = :id", id=child.id)
        error = hear(one)
        while error["type"] == "next":
            error = hear(one)
        assert error["payload"][0]["extensions"]["code"] == "NOT_FOUND"
