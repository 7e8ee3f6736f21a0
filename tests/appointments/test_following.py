"""A plan that is published again: whoever is booked in a slot that changed sees it as it is."""

from typing import Any

from tests.appointments.clinic import CANCEL, Clinic, Person, contradictions, schedule, settle

MINE = """{ healthBook { appointments { nodes {
  id state startsAt departmentCode room practitionerName sensitiveClasses } } } }"""
OLD = {"room": "P1", "practitionerCertificate": "001234/HNO-CCHN", "practitionerName": "Bác sĩ An"}
NEW = {"room": "P2", "practitionerCertificate": "005678/HNO-CCHN", "practitionerName": "Bác sĩ Bình"}


def shown(clinic: Clinic, person: Person) -> dict[str, Any]:
    (found,) = clinic.ask(person, MINE)["data"]["healthBook"]["appointments"]["nodes"]
    known: dict[str, Any] = found
    return known


def test_whoever_is_booked_sees_the_new_room_and_practitioner_and_is_told_once(clinic: Clinic) -> None:
    clinic.publish(schedule(capacity=2, **OLD))
    people = [clinic.person() for _ in range(3)]
    slots = clinic.slots(people[0])
    before = [clinic.book(one, slots[place]) for place, one in zip((0, 0, 1), people, strict=True)]

    clinic.publish(schedule(capacity=2, **NEW))
    assert settle(clinic) > 0

    for one, booked in zip(people, before, strict=True):
        now = shown(clinic, one)
        assert (now["room"], now["practitionerName"], now["state"]) == ("P2", "Bác sĩ Bình", "LIVE")
        assert (now["id"], now["startsAt"]) == (booked["id"], booked["startsAt"])
        assert clinic.events(one) == ["APPOINTMENT_BOOKED", "APPOINTMENT_CHANGED"]
    assert settle(clinic) == 0
    clinic.publish(schedule(capacity=2, **NEW))
    assert settle(clinic) == 0, "nothing changed"
    assert not contradictions(clinic.stand)


def test_what_becomes_sensitive_is_so_for_who_is_booked_and_nobody_is_told(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    clinic.book(person, clinic.slots(person)[0])
    version = "SELECT version FROM auth.book WHERE citizen_id = :id"
    (before,) = clinic.stand.as_owner(version, id=person.id)

    clinic.publish(schedule(isSensitive=True))
    settle(clinic)

    assert shown(clinic, person)["sensitiveClasses"]
    (after,) = clinic.stand.as_owner(version, id=person.id)
    assert after.version > before.version
    assert clinic.events(person) == ["APPOINTMENT_BOOKED"]
    clinic.publish(schedule(isSensitive=False))
    settle(clinic)
    assert shown(clinic, person)["sensitiveClasses"], "what was sensitive when it was booked or since, stays so"


def test_a_new_department_is_followed_and_who_left_is_not(clinic: Clinic) -> None:
    clinic.publish(schedule())
    stays, leaves = clinic.person(), clinic.person()
    first, second = clinic.slots(stays)[:2]
    clinic.book(stays, first)
    gone = clinic.book(leaves, second)
    clinic.publish(schedule(departmentCode="K15"))
    clinic.do(leaves, CANCEL, appointmentId=gone["id"])

    settle(clinic)

    assert shown(clinic, stays)["departmentCode"] == "K15"
    assert shown(clinic, leaves)["state"] == "CANCELLED"
    assert clinic.events(leaves) == ["APPOINTMENT_BOOKED", "APPOINTMENT_CANCELLED"]
    assert settle(clinic) == 0
