"""Practitioners: the register in the database, who may practise today, and `me` as a practitioner."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.db import Login
from app.core.ids import new_id
from app.core.refusals import NOT_A_CITIZEN, WORDS
from app.identity import practitioners
from app.identity.register import PlaceEntry, PractitionerEntry
from app.identity.register_sql import Stored
from tests.people import Stand, now

PLACE = PlaceEntry(facility_code="01901", valid_from=date(2020, 1, 1))
DOCTOR = PractitionerEntry(
    certificate="001234/BYT-CCHN",
    full_name="Trần Minh Khôi",
    personal_id="001085000123",
    valid_from=date(2016, 5, 4),
    places=(PLACE,),
)
ME = """{ me { __typename id fullName
  ... on Practitioner { certificate validUntil places { facility { code } validFrom validUntil } }
  ... on Citizen { birthDate } } }"""


@pytest.fixture(scope="module", autouse=True)
def facilities(stand: Stand) -> dict[str, str]:
    return {code: stand.facility(code) for code in ("01901", "79001")}


def store(stand: Stand, *entries: PractitionerEntry) -> Stored:
    return stand.run(
        Login.MIGRATOR,
        lambda session: practitioners.store(
            session, entries=entries, vault=stand.vault, now=now(), new_id=lambda: new_id(now=now())
        ),
    )


def id_of(stand: Stand, certificate: str = DOCTOR.certificate) -> UUID:
    found: UUID = stand.as_owner("SELECT id FROM auth.practitioner WHERE certificate = :c", c=certificate)[0].id
    return found


def today(stand: Stand) -> date:
    found: date = stand.as_owner("SELECT auth.today() AS day")[0].day
    return found


def practises(stand: Stand, facility: str | None = None) -> bool:
    query = "SELECT auth.practises(:who, :facility) AS may"
    may: bool = stand.as_owner(query, who=id_of(stand), facility=facility)[0].may
    return may


def me(http: httpx.Client, token: str) -> Any:
    return http.post("/graphql", json={"query": ME}, headers={"Authorization": f"Bearer {token}"}).json()


def test_the_same_register_again_changes_nothing(stand: Stand) -> None:
    other = replace(DOCTOR, certificate="001299/BYT-CCHN", personal_id=None)

    assert store(stand, DOCTOR, other) == Stored(added=2, changed=0)
    assert store(stand, DOCTOR, other) == Stored(added=0, changed=0)
    moved = replace(DOCTOR, places=(replace(PLACE, facility_code="79001"),))
    assert store(stand, moved, other) == Stored(added=0, changed=1)
    assert store(stand, moved, other) == Stored(added=0, changed=0)
    assert (practises(stand, "01901"), practises(stand, "79001")) == (False, True)
    assert store(stand, DOCTOR) == Stored(added=0, changed=1)
    assert (practises(stand, "01901"), practises(stand, "79001")) == (True, False)


def test_a_personal_id_rests_as_a_blind_index_alone(stand: Stand) -> None:
    store(stand, DOCTOR)
    (row,) = stand.as_owner(
        "SELECT p::text AS all, person_lookup FROM auth.practitioner p WHERE id = :id", id=id_of(stand)
    )

    assert bytes(row.person_lookup) == stand.vault.index.of(str(DOCTOR.personal_id), kind="PERSONAL_ID")
    assert str(DOCTOR.personal_id) not in row.all


def changed(stand: Stand) -> Sequence[tuple[str, PractitionerEntry, bool]]:
    day = today(stand)
    yesterday, tomorrow = day - timedelta(days=1), day + timedelta(days=1)
    return (
        ("as it is", DOCTOR, True),
        ("ends today", replace(DOCTOR, valid_until=day), True),
        ("ended yesterday", replace(DOCTOR, valid_until=yesterday), False),
        ("begins tomorrow", replace(DOCTOR, valid_from=tomorrow), False),
        ("suspended today", replace(DOCTOR, suspended_on=day), False),
        ("suspended tomorrow", replace(DOCTOR, suspended_on=tomorrow), True),
        ("place ends today", replace(DOCTOR, places=(replace(PLACE, valid_until=day),)), True),
        ("place ended yesterday", replace(DOCTOR, places=(replace(PLACE, valid_until=yesterday),)), False),
        ("place begins tomorrow", replace(DOCTOR, places=(replace(PLACE, valid_from=tomorrow),)), False),
    )


def test_b139_certificate_suspension_and_place_act_at_the_next_request(stand: Stand, http: httpx.Client) -> None:
    store(stand, DOCTOR)
    token = stand.practitioner_token(id_of(stand))

    for what, entry, may in changed(stand):
        store(stand, entry)
        assert (what, practises(stand), "data" in me(http, token)) == (what, may, may)
    store(stand, DOCTOR)
    assert me(http, token)["data"]["me"]["__typename"] == "Practitioner"


def test_a_practitioner_has_no_wishes_of_notices_and_is_told_so(stand: Stand, http: httpx.Client) -> None:
    store(stand, DOCTOR)
    headers = {"Authorization": f"Bearer {stand.practitioner_token(id_of(stand))}"}
    wish = """mutation { updateNotificationPreferences(input: {idempotencyKey: "w"}) { preferences { muted } } }"""

    refused = http.post("/graphql", json={"query": wish}, headers=headers).json()["errors"][0]

    assert (refused["extensions"]["code"], refused["message"]) == ("NOT_FOUND", WORDS[NOT_A_CITIZEN].vi)


def test_b110_a_suspended_facility_is_no_place(stand: Stand, http: httpx.Client) -> None:
    store(stand, DOCTOR)
    token = stand.practitioner_token(id_of(stand))
    stand.as_owner("UPDATE directory.facility SET suspended_at = now() WHERE code = '01901'")

    assert not practises(stand)
    assert me(http, token)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    stand.as_owner("UPDATE directory.facility SET suspended_at = NULL WHERE code = '01901'")
    assert "data" in me(http, token)


@pytest.mark.parametrize("other", [{"full_name": "Lê Văn Khác"}, {"personal_id": "001085000999"}], ids=str)
def test_a_certificate_of_another_person_now_signs_its_practitioner_out(
    stand: Stand, http: httpx.Client, other: dict[str, str]
) -> None:
    store(stand, DOCTOR)
    token = stand.practitioner_token(id_of(stand))
    assert "data" in me(http, token)

    store(stand, replace(DOCTOR, **other))  # type: ignore[arg-type]  # both are texts
    assert "errors" in me(http, token)
    store(stand, DOCTOR)
    assert "errors" in me(http, token)


def test_me_is_a_practitioner_with_the_places_of_today(stand: Stand, http: httpx.Client) -> None:
    past = PlaceEntry(facility_code="79001", valid_from=date(2019, 1, 1), valid_until=date(2019, 12, 31))
    store(stand, replace(DOCTOR, places=(PLACE, past)))
    token = stand.practitioner_token(id_of(stand))

    assert me(http, token) == {
        "data": {
            "me": {
                "__typename": "Practitioner",
                "id": str(id_of(stand)),
                "fullName": "Trần Minh Khôi",
                "certificate": "001234/BYT-CCHN",
                "validUntil": None,
                "places": [{"facility": {"code": "01901"}, "validFrom": "2020-01-01", "validUntil": None}],
            }
        }
    }


def test_b139_a_practitioner_has_no_book_of_their_own(stand: Stand, http: httpx.Client) -> None:
    store(stand, DOCTOR)
    headers = {"Authorization": f"Bearer {stand.practitioner_token(id_of(stand))}"}

    for query in ("{ healthBook { version } }", f'{{ healthBook(citizenId: "{id_of(stand)}") {{ version }} }}'):
        answer = http.post("/graphql", json={"query": query}, headers=headers).json()
        assert answer.get("data") in (None, {"healthBook": None})
        assert answer["errors"][0]["extensions"]["code"] in {"UNAUTHENTICATED", "NOT_FOUND"}


def test_a_practitioner_who_asks_for_a_book_is_told_that_this_role_has_none(stand: Stand, http: httpx.Client) -> None:
    token, answers = stand.practitioner_token(id_of(stand)), []
    for language in ("vi", "en"):
        for query in ("{ healthBook { version } }", '{ healthBook(citizenId: "x") { version } }'):
            headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}
            answer = http.post("/graphql", json={"query": query}, headers=headers)
            assert answer.status_code == 200
            (error,) = answer.json()["errors"]
            assert (error["extensions"]["code"], error["path"]) == ("NOT_FOUND", ["healthBook"])
            answers.append(error["message"])

    assert answers[0] == answers[1]  # whomever it asks for
    assert answers[2] == answers[3]
    assert "người hành nghề" in answers[0]
    assert "sharedHealthBook" in answers[2]


def test_who_is_not_known_as_a_person_yet_signs_in_before_enrolling_a_factor(stand: Stand, http: httpx.Client) -> None:
    store(stand, DOCTOR)
    stand.as_owner("UPDATE auth.practitioner SET citizen_id = NULL WHERE id = :id", id=id_of(stand))
    token = stand.practitioner_token(id_of(stand))
    stand.step_up(token, "*")
    mutation = 'mutation { enrolTotp(input: {idempotencyKey: "one"}) { secret } }'

    answer = http.post("/graphql", json={"query": mutation}, headers={"Authorization": f"Bearer {token}"}).json()

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["STEP_UP_REQUIRED"]
