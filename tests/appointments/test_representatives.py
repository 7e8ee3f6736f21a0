"""Who represents a child books for it; rights end with the representation."""

from datetime import timedelta
from uuid import UUID

import pytest

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
from tests.people import Stand


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
