"""A doctor asks for a book, or opens one in an emergency: T22 and T23."""

import asyncio
from uuid import UUID

import pytest

from app.core.logins import Login
from tests.attacks import tries
from tests.sharing.conftest import OWNER, Patients
from tests.sharing.opening import REASON, emergency, request, seen
from tests.sharing.sharing import (
    APPROVE,
    ASK,
    EMERGENCY,
    GRANTS,
    REDEEM,
    REFUSE,
    REQUESTS,
    Clinic,
    a_key,
    redeem_input,
)
from tests.sharing.trying import UNKNOWN, refused


def test_a_doctor_asks_and_the_citizen_gives_less(clinic: Clinic, citizen: str, patients: Patients) -> None:
    doctor = clinic.doctor("Phạm Thu Hà")
    asked = clinic.data(doctor, ASK, input=request(OWNER.personal_id))["request"]
    (shown, *_) = clinic.data(citizen, REQUESTS)["nodes"]
    assert (shown["id"], shown["practitionerName"], shown["state"]) == (asked["id"], "Phạm Thu Hà", "OPEN")
    answer = {"idempotencyKey": a_key(), "requestId": asked["id"]}
    for more in (
        {"scope": {"sections": ["VISITS", "DOCUMENTS"]}},
        {"accessMinutes": 61},
        {"scope": {"sections": ["VISITS"], "sensitive": ["HIV"]}},
    ):
        assert clinic.code_of(citizen, APPROVE, input={**answer, **more, "idempotencyKey": a_key()}) == "INVALID"
    other = clinic.citizen(patients.other)
    assert clinic.code_of(other, APPROVE, input={**answer, "idempotencyKey": a_key()}) == "NOT_FOUND"
    given = clinic.data(citizen, APPROVE, input={**answer, "scope": {"sections": ["VISITS"]}})["grant"]
    assert given["scope"]["sections"] == ["VISITS"]
    assert seen(clinic, doctor, given["id"]) == "OK"
    assert clinic.code_of(citizen, APPROVE, input={**answer, "idempotencyKey": a_key()}) == "NOT_FOUND"
    assert len(clinic.events(patients.owner, "SHARE_REQUESTED")) >= 1


def test_a_citizen_refuses_a_request(clinic: Clinic, citizen: str) -> None:
    doctor = clinic.doctor()
    asked = clinic.data(doctor, ASK, input=request(OWNER.personal_id))["request"]["id"]
    told = clinic.data(citizen, REFUSE, input={"idempotencyKey": a_key(), "requestId": asked})
    assert told["request"]["state"] == "REFUSED"
    assert clinic.data(doctor, GRANTS)["nodes"] == []


def test_t23_asking_does_not_tell_whether_anybody_has_a_number(clinic: Clinic, citizen: str) -> None:
    del citizen
    doctor = clinic.doctor()
    known, unknown = (
        clinic.data(doctor, ASK, input=request(number))["request"] for number in (OWNER.personal_id, "001099999999")
    )
    assert {**known, "id": None} == {**unknown, "id": None}
    assert {one["state"] for one in clinic.data(doctor, REQUESTS)["nodes"]} == {"OPEN"}


def test_t23_not_even_sql_at_will_tells_a_doctor_whether_anybody_has_a_number(clinic: Clinic, citizen: str) -> None:
    del citizen
    doctor = clinic.doctor()
    for number in (OWNER.personal_id, "001099999999"):
        clinic.data(doctor, ASK, input=request(number))

    async def read() -> tuple[list[object], str | None]:
        async with tries.as_login(clinic.stand, Login.DESK) as connection, connection.transaction():
            await connection.execute("SELECT auth.sign_in($1, NULL)", doctor)
            rows = await connection.fetch(
                "SELECT citizen_id, answer, answered_at, grant_id FROM auth.share_request ORDER BY asked_at"
            )
            return [tuple(row) for row in rows], await tries.sqlstate_of(
                connection, "SELECT asked_of FROM auth.share_request"
            )

    assert asyncio.run(read()) == ([(None, None, None, None)] * 2, tries.DENIED)


def test_t22_an_emergency_is_told_in_its_transaction_ends_in_a_day_and_is_listed_for_review(
    clinic: Clinic, citizen: str, patients: Patients
) -> None:
    doctor = clinic.doctor()
    before = len(clinic.events(patients.owner, "EMERGENCY_OPENED"))
    opened = clinic.data(doctor, EMERGENCY, input=emergency())
    assert opened["healthBook"]["visits"]["nodes"]
    assert opened["healthBook"]["insurance"] is None
    assert len(clinic.events(patients.owner, "EMERGENCY_OPENED")) == before + 1
    assert clinic.lines(patients.owner, "EMERGENCY_OPENED")[-1].about["grant"] == opened["grant"]["id"]
    row = clinic.stand.as_owner(
        "SELECT ends_at - starts_at <= interval '24 hours' AS short, reason FROM auth.book_grant WHERE id = :id",
        id=UUID(opened["grant"]["id"]),
    )[0]
    assert (row.short, row.reason) == (True, REASON)
    kinds = {one["id"]: one["kind"] for one in clinic.data(citizen, GRANTS)["nodes"]}
    assert kinds[opened["grant"]["id"]] == "EMERGENCY"


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "cấp cứu",
        " " * 40,
        "x" * 501,
        "\u200b" * 40,
        "\u3164" * 40,
        "\u2800" * 40,
        "\u00a0\u2003" * 20,
        "\u202e\u2066" * 20,
        "." * 40,
        "1" * 40,
        "a" * 40,
        "cấp cứu" + "\u200b" * 40,
        "c" + "\u0301" * 40,
    ],
)
def test_t22_an_emergency_needs_a_reason(clinic: Clinic, citizen: str, reason: str) -> None:
    del citizen
    assert clinic.code_of(clinic.doctor(), EMERGENCY, input=emergency(reason=reason)) == "INVALID"


def test_t22_a_reason_is_kept_as_a_person_reads_it(clinic: Clinic, citizen: str) -> None:
    del citizen
    told = f"  {REASON[:8]}\u200b{REASON[8:]}\u202e \n"
    assert clinic.data(clinic.doctor(), EMERGENCY, input=emergency(reason=told))["grant"]["reason"] == REASON


@pytest.mark.parametrize(
    "typed", ["", "00108500012", "0010850001234", "001o85000123", "K7QF-2M9D-XA", "079 085 00 012"]
)
def test_t22_t23_what_is_no_personal_id_is_told_and_is_no_try(clinic: Clinic, citizen: str, typed: str) -> None:
    """In an emergency a mistyped number must not lock the doctor out, nor a request wait for nobody."""
    del citizen
    doctor = clinic.doctor()
    for _ in range(6):
        assert clinic.code_of(doctor, EMERGENCY, input=emergency(typed)) == "INVALID"
    assert clinic.code_of(doctor, ASK, input=request(typed)) == "INVALID"
    assert "grant" in clinic.data(doctor, EMERGENCY, input=emergency())


def test_t22_t23_a_personal_id_is_read_as_people_write_it(clinic: Clinic, citizen: str) -> None:
    number = OWNER.personal_id
    for typed in (f" {number[:3]} {number[3:6]}\u00a0{number[6:]}\t", f"\u202d{number}\u202c\u200b"):
        doctor = clinic.doctor()
        asked = clinic.data(doctor, ASK, input=request(typed))["request"]["id"]
        answer = {"idempotencyKey": a_key(), "requestId": asked}
        assert clinic.data(citizen, REFUSE, input=answer)["request"]["state"] == "REFUSED"
        assert "grant" in clinic.data(doctor, EMERGENCY, input=emergency(typed))


def test_t22_who_mistyped_codes_can_still_open_a_book_in_an_emergency(clinic: Clinic, citizen: str) -> None:
    code, doctor, other = clinic.share(citizen)["code"], clinic.doctor(), clinic.doctor()
    for _ in range(5):
        assert refused(clinic.redeem(doctor, UNKNOWN))
        assert clinic.code_of(other, EMERGENCY, input=emergency("001099999999")) == "NOT_FOUND"
    assert clinic.code_of(doctor, REDEEM, input=redeem_input(code)) == "RATE_LIMITED"
    assert clinic.code_of(other, EMERGENCY, input=emergency()) == "RATE_LIMITED"

    assert "grant" in clinic.data(doctor, EMERGENCY, input=emergency())
    assert not refused(clinic.redeem(other, code))


def test_t22_an_emergency_needs_a_second_factor_a_doctor_and_a_known_number(
    clinic: Clinic, citizen: str, patients: Patients
) -> None:
    doctor = clinic.doctor()
    plain = clinic.stand.practitioner_token(clinic.doctors[doctor])
    assert clinic.code_of(plain, EMERGENCY, input=emergency()) == "STEP_UP_REQUIRED"
    assert clinic.code_of(citizen, EMERGENCY, input=emergency()) == "NOT_FOUND"
    assert clinic.code_of(doctor, EMERGENCY, input=emergency("001099999999")) == "NOT_FOUND"
    own = clinic.doctor(citizen=patients.owner)
    assert clinic.code_of(own, EMERGENCY, input=emergency()) == "NOT_FOUND"
    for _ in range(4):
        assert clinic.code_of(doctor, EMERGENCY, input=emergency("001099999999")) == "NOT_FOUND"
    assert clinic.code_of(doctor, EMERGENCY, input=emergency()) == "RATE_LIMITED"
