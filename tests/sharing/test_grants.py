"""Grants over HTTP: scope, end, requests, masks, preview, emergencies: B107, B108, B131 to B145, T7, T22, T23."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.db import Login
from app.sharing import sql
from tests.attacks import tries
from tests.people import Stand
from tests.sharing.conftest import OWNER, Patients
from tests.sharing.opening import SCOPES, request, seen
from tests.sharing.sharing import (
    ASK,
    CREATE,
    FREEZE,
    GRANTS,
    MASK,
    OWN,
    PREVIEW,
    REVOKE,
    SHARED,
    UNMASK,
    WHOLE,
    Clinic,
    a_key,
    code_input,
)


def test_b108_a_section_out_of_scope_is_null_and_another_persons_book_stays_closed(
    clinic: Clinic, citizen: str, patients: Patients
) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor, scope={"sections": ["VISITS"]})
    book = clinic.data(doctor, SHARED, grant=grant)
    assert [visit["reason"] for visit in book["visits"]["nodes"]] == [OWNER.told]
    for section in ("prescriptions", "testResults", "documents", "conditions", "insurance"):
        assert book[section] is None
    assert (book["owner"]["nationalId"], book["owner"]["phone"], book["version"]) == (None, None, "0")
    assert clinic.code_of(doctor, OWN, citizen=str(patients.other)) == "NOT_FOUND"
    assert clinic.code_of(doctor, OWN) == "NOT_FOUND"


@pytest.mark.parametrize(
    ("narrow", "shows"),
    [
        ({"from": "2026-11-20", "to": "2026-11-20"}, True),
        ({"from": "2026-11-21"}, False),
        ({"to": "2026-11-19"}, False),
        ({"facilityCodes": ["01901"]}, True),
        ({"facilityCodes": ["01902"]}, False),
    ],
)
def test_b108_days_and_facilities_are_judged_for_lines_too(
    clinic: Clinic, citizen: str, narrow: dict[str, Any], *, shows: bool
) -> None:
    doctor = clinic.doctor()
    book = clinic.data(doctor, SHARED, grant=clinic.grant(citizen, doctor, scope={**WHOLE, **narrow}))
    for section in ("visits", "prescriptions", "testResults"):
        assert bool(book[section]["nodes"]) is shows
    assert bool(book["conditions"]) is shows
    if shows:
        assert book["visits"]["nodes"][0]["services"]
        assert book["prescriptions"]["nodes"][0]["items"]


def test_b108_single_records(clinic: Clinic, citizen: str) -> None:
    doctor = clinic.doctor()
    prescription = clinic.data(citizen, OWN)["prescriptions"]["nodes"][0]["id"]
    grant = clinic.grant(citizen, doctor, scope={**WHOLE, "recordIds": [prescription]})
    book = clinic.data(doctor, SHARED, grant=grant)
    assert [one["id"] for one in book["prescriptions"]["nodes"]] == [prescription]
    assert book["prescriptions"]["nodes"][0]["items"]
    assert (book["visits"]["nodes"], book["testResults"]["nodes"], book["conditions"]) == ([], [], [])


def test_b107_another_persons_record_or_book_cannot_be_shared(clinic: Clinic, citizen: str, patients: Patients) -> None:
    theirs = clinic.data(clinic.citizen(patients.other), OWN)["visits"]["nodes"][0]["id"]
    for wrong in (theirs, str(uuid4()), "x"):
        asked = code_input(scope={**WHOLE, "recordIds": [wrong]})
        assert clinic.code_of(citizen, CREATE, input=asked) == "NOT_FOUND"
    assert clinic.code_of(citizen, CREATE, input=code_input(citizenId=str(patients.other))) == "NOT_FOUND"
    assert clinic.code_of(clinic.doctor(), CREATE, input=code_input()) == "NOT_FOUND"


def test_b138_a_grant_that_is_revoked_opens_nothing_from_the_next_statement_on(
    clinic: Clinic, citizen: str, patients: Patients
) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    assert seen(clinic, doctor, grant) == "OK"
    session = clinic.stand.as_owner(
        "SELECT id FROM auth.session WHERE token_hash = sha256(convert_to(:token, 'UTF8'))", token=doctor
    )[0].id
    clinic.stand.as_owner(
        "INSERT INTO auth.live_subscription "
        "SELECT uuidv7(), :session, :grant, :citizen, now(), now() - n * interval '25 seconds' "
        "FROM generate_series(0, 3) n",  # the fourth died with its process
        session=session,
        grant=UUID(grant),
        citizen=patients.owner,
    )
    told = clinic.data(citizen, REVOKE, input={"idempotencyKey": a_key(), "grantId": grant})
    assert told == {"grant": {"id": grant, "state": "REVOKED"}, "closedSessions": 3}
    assert seen(clinic, doctor, grant) == "NOT_FOUND"
    assert clinic.stand.as_owner("SELECT count(*) AS n FROM auth.live_subscription")[0].n == 0
    assert clinic.lines(patients.owner, "GRANT_REVOKED")[-1].about["grant"] == grant


@pytest.mark.parametrize(("moved", "state"), [(timedelta(seconds=-1), "NOT_FOUND"), (timedelta(minutes=1), "OK")])
def test_b138_a_grant_ends_by_the_databases_clock(clinic: Clinic, citizen: str, moved: timedelta, state: str) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    clinic.stand.as_owner(
        "UPDATE auth.book_grant SET starts_at = now() - interval '1 hour', ends_at = now() + CAST(:moved AS interval) "
        "WHERE id = :id",
        moved=moved,
        id=UUID(grant),
    )
    assert seen(clinic, doctor, grant) == state


def test_b138_a_grant_that_has_not_begun_opens_nothing(clinic: Clinic, citizen: str) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    clinic.stand.as_owner(
        "UPDATE auth.book_grant SET starts_at = now() + interval '1 minute' WHERE id = :id", id=UUID(grant)
    )
    assert seen(clinic, doctor, grant) == "NOT_FOUND"


def test_b131_b134_a_grant_is_its_doctors_alone(clinic: Clinic, citizen: str, patients: Patients) -> None:
    grant = clinic.grant(citizen, clinic.doctor())
    other_doctor, other = clinic.doctor(), clinic.citizen(patients.other)
    for viewer in (other_doctor, other, citizen):
        assert seen(clinic, viewer, grant) == "NOT_FOUND"
    for wrong in ("x", str(uuid4()), str(patients.owner), "1"):
        assert seen(clinic, other_doctor, wrong) == "NOT_FOUND"
    for viewer in (other, other_doctor):
        asked = {"idempotencyKey": a_key(), "grantId": grant}
        assert clinic.code_of(viewer, REVOKE, input=asked) == "NOT_FOUND"
    assert clinic.data(other, GRANTS)["nodes"] == []


def test_b136_what_an_input_has_not_cannot_be_set(clinic: Clinic, citizen: str) -> None:
    for more in ({"grantedBy": "x"}, {"expiresAt": "2099-01-01"}, {"patientId": "x"}, {"verified": True}):
        assert clinic.code_of(citizen, CREATE, input={**code_input(), **more}) == "INVALID"


def test_b137_a_grantee_reads_and_changes_nothing(clinic: Clinic, citizen: str) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    visit = clinic.data(doctor, SHARED, grant=grant)["visits"]["nodes"][0]["id"]
    for query in (MASK, UNMASK):
        assert clinic.code_of(doctor, query, input={"idempotencyKey": a_key(), "recordIds": [visit]}) == "NOT_FOUND"
    assert clinic.code_of(doctor, FREEZE, input={"idempotencyKey": a_key()}) == "NOT_FOUND"


def test_b139_another_hospital_or_a_doctor_who_moved(clinic: Clinic, citizen: str) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    clinic.stand.as_owner(
        "UPDATE auth.session SET via_facility_code = '01902' WHERE practitioner_id = :id", id=clinic.doctors[doctor]
    )
    assert seen(clinic, doctor, grant) in {"NOT_FOUND", "UNAUTHENTICATED"}
    clinic.stand.as_owner(
        "UPDATE auth.session SET via_facility_code = NULL WHERE practitioner_id = :id", id=clinic.doctors[doctor]
    )
    assert seen(clinic, doctor, grant) == "OK"
    clinic.stand.as_owner(
        "UPDATE auth.practitioner_place SET facility_code = '01902' WHERE practitioner_id = :id",
        id=clinic.doctors[doctor],
    )
    assert seen(clinic, doctor, grant) == "NOT_FOUND"


def test_b141_b142_nobody_and_a_hospitals_system_open_nothing(clinic: Clinic, citizen: str, patients: Patients) -> None:
    grant = clinic.grant(citizen, clinic.doctor())
    for token in (None, "x" * 43, patients.sender):
        for query, variables in ((SHARED, {"grant": grant}), (PREVIEW, {"scope": WHOLE}), (GRANTS, {})):
            assert clinic.code_of(token, query, **variables) in {"UNAUTHENTICATED", "NOT_FOUND"}


def test_b144_a_closed_persons_grants_open_nothing(clinic: Clinic, citizen: str, patients: Patients) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    clinic.stand.as_owner("UPDATE auth.citizen SET closed_at = now() WHERE id = :id", id=patients.owner)
    try:
        assert seen(clinic, doctor, grant) == "NOT_FOUND"
    finally:
        clinic.stand.as_owner("UPDATE auth.citizen SET closed_at = NULL WHERE id = :id", id=patients.owner)


def test_every_reading_leaves_its_line_before_it_and_the_citizen_is_told_once(
    clinic: Clinic, citizen: str, patients: Patients
) -> None:
    doctor = clinic.doctor()
    before = len(clinic.lines(patients.owner, "BOOK_OPENED"))
    events = len(clinic.events(patients.owner, "BOOK_OPENED"))
    grant = clinic.grant(citizen, doctor)
    for _ in range(3):
        assert seen(clinic, doctor, grant) == "OK"
    lines = clinic.lines(patients.owner, "BOOK_OPENED")[before:]
    assert len(lines) == 4  # one is that of the payload's book
    assert {line.about["grant"] for line in lines} == {grant}
    assert {line.about["purpose"] for line in lines} == {"TREATMENT"}
    assert len(clinic.events(patients.owner, "BOOK_OPENED")) == events + 1


def test_freezing_ends_everything_and_undoing_it_needs_a_second_factor(
    clinic: Clinic, citizen: str, patients: Patients
) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    clinic.share(citizen)
    plain = clinic.stand.citizen_token(patients.owner)
    told = clinic.data(plain, FREEZE, input={"idempotencyKey": a_key()})
    assert told == {"frozen": True, "cancelledCodes": 1, "revokedGrants": 1, "closedSessions": 0}
    assert seen(clinic, doctor, grant) == "NOT_FOUND"
    assert clinic.code_of(citizen, CREATE, input=code_input()) == "CONFLICT"
    assert clinic.code_of(plain, FREEZE, input={"idempotencyKey": a_key(), "frozen": False}) == "STEP_UP_REQUIRED"
    clinic.data(citizen, FREEZE, input={"idempotencyKey": a_key(), "frozen": False})
    clinic.share(citizen)


def test_grants_that_end_are_told_once(clinic: Clinic, citizen: str, patients: Patients) -> None:
    grant = clinic.grant(citizen, clinic.doctor())
    clinic.stand.as_owner(
        "UPDATE auth.book_grant SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour' "
        "WHERE id = :id",
        id=UUID(grant),
    )
    for _ in range(2):
        clinic.stand.run(Login.WORKER, sql.swept)
    told = [one for one in clinic.events(patients.owner, "GRANT_ENDED") if one.about["grant"] == grant]
    assert len(told) == 1


def test_bulk_use_raises_an_alarm_and_is_capped(clinic: Clinic, citizen: str) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    clinic.stand.as_owner("DELETE FROM auth.book_use; ")
    use = (
        "INSERT INTO auth.book_use SELECT :doctor, (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, gen_random_uuid() "
        "FROM generate_series(1, :n)"
    )
    clinic.stand.as_owner(use, doctor=clinic.doctors[doctor], n=99)
    assert seen(clinic, doctor, grant) == "OK"
    raised = clinic.stand.as_owner("SELECT subject FROM auth.alarm WHERE kind = 'MANY_BOOKS'")
    assert str(clinic.doctors[doctor]) in {one.subject for one in raised}
    clinic.stand.as_owner("DELETE FROM auth.book_use")
    clinic.stand.as_owner(use, doctor=clinic.doctors[doctor], n=300)
    assert clinic.ask(doctor, SHARED, grant=grant).status_code == 429


def test_b145_the_database_and_the_api_agree_on_what_a_grant_opens(clinic: Clinic, citizen: str, stand: Stand) -> None:
    """SQL at will as `demo`, with the grant's book open, counts what the answer shows."""
    doctor = clinic.doctor()
    tables = {"visit": "visits", "prescription": "prescriptions", "test_report": "testResults"}

    async def counted(grant: UUID) -> dict[str, int]:
        async with tries.as_login(stand, Login.API) as api:
            line = await api.fetchval("SELECT op.announce($1, NULL, $2, 'probe', '', 'r')", doctor, grant)
        async with tries.as_login(stand, Login.DEMO) as demo, demo.transaction():
            opened = "SELECT citizen_id FROM auth.open_demo_granted_book($1, NULL, $2, $3, 'probe')"
            await demo.fetch(opened, doctor, grant, line)
            assert await demo.fetchval("SELECT count(*) FROM auth.identifier") == 0
            return {table: await demo.fetchval(f"SELECT count(*) FROM book.{table}") for table in tables}

    for scope in SCOPES[:8]:
        grant = clinic.grant(citizen, doctor, scope=scope)
        shown = clinic.data(doctor, SHARED, grant=grant)
        told = {table: len((shown[section] or {"nodes": []})["nodes"]) for table, section in tables.items()}
        assert tries.run(counted, UUID(grant)) == told, scope


@pytest.mark.parametrize(
    "query", ["{ node(id: 1) { id } }", "{ nodes(ids: [1, 2]) { id } }", "{ entity(id: 1) { id } }"]
)
def test_b132_no_field_takes_an_id_of_any_kind(clinic: Clinic, citizen: str, query: str) -> None:
    assert clinic.code_of(citizen, query) == "INVALID"


@pytest.mark.parametrize(
    "field",
    [
        'visits(filter: {patient: {nationalId: {startsWith: "079"}}}) { nodes { id } }',
        "visits(orderBy: MASKED) { nodes { id } }",
        "visits { totalCount }",
        "visits { nodes { masked } }",
        "prescriptions { nodes { sensitive } }",
    ],
)
def test_b135_no_filter_order_or_count_reaches_what_is_hidden(clinic: Clinic, citizen: str, field: str) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    asked = f"query ($grant: ID!) {{ sharedHealthBook(grantId: $grant) {{ {field} }} }}"
    assert clinic.code_of(doctor, asked, grant=grant) == "INVALID"


def test_b135_a_cursor_of_another_book_opens_nothing_of_it(clinic: Clinic, citizen: str, patients: Patients) -> None:
    theirs = clinic.data(clinic.citizen(patients.other), OWN)["visits"]
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    asked = """query ($grant: ID!, $after: String) { sharedHealthBook(grantId: $grant) {
      visits(after: $after) { nodes { id } } } }"""
    shown = clinic.data(doctor, asked, grant=grant, after=theirs["edges"][0]["cursor"])["visits"]["nodes"]
    assert {one["id"] for one in shown}.isdisjoint({one["id"] for one in theirs["nodes"]})


def test_b143_people_cannot_be_searched_and_asking_is_capped(clinic: Clinic, citizen: str) -> None:
    del citizen
    doctor = clinic.doctor()
    for query in ('{ practitioners(search: "%") { id } }', '{ citizens(search: "_") { id } }'):
        assert clinic.code_of(doctor, query) == "INVALID"
    clinic.stand.as_owner(
        "INSERT INTO auth.share_request SELECT uuidv7(), NULL, :id, 'x', 'x', '01901', 'OTHER', '{}', 60, now(), now() "
        "FROM generate_series(1, 30)",
        id=clinic.doctors[doctor],
    )
    for number in (OWNER.personal_id, "001099999999"):
        assert clinic.code_of(doctor, ASK, input=request(number)) == "RATE_LIMITED"
