"""Who represents a child books for it; rights end with the representation."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from app.core.db import Login
from app.notifications import telling
from tests.appointments.clinic import (
    BOOK,
    CANCEL,
    FEED,
    JOIN,
    Clinic,
    Person,
    contradictions,
    schedule,
    tomorrow,
)
from tests.identity.families import Families
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

    clinic.stand.run(Login.WORKER, partial(telling.tell, event_id=event.id, now=now()))

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
        clinic.stand.run(Login.WORKER, partial(telling.tell, event_id=event.id, now=now()))

    told = clinic.stand.as_owner("SELECT kind FROM notice.notice WHERE citizen_id = :id", id=parent.id)

    assert [row.kind for row in told] == ["EMERGENCY_OPENED"]
