"""After the restore of an older copy: what people may have ended since is ended, and no kept answer stands."""

import json
from datetime import date
from typing import Any

import httpx
import pytest

from app.core.ids import new_id
from app.core.settings import Settings
from tests.audit.commanding import sokhoe
from tests.identity.families import Families
from tests.people import Stand, now
from tests.sharing.conftest import Patients
from tests.sharing.opening import seen
from tests.sharing.sharing import Clinic

CHANGES = "query C($since: String) { bookChanges(since: $since) { cursor isReset } }"
BOOK = "{ healthBook { version visits { nodes { id } } } }"


@pytest.fixture
def ended(settings: Settings) -> Any:
    """Return what runs the command and tells what it ended."""

    def run() -> dict[str, int]:
        code, told = sokhoe(settings, "restored", "--json")
        assert code == 0, told
        found: dict[str, int] = json.loads(told)
        return found

    return run


def kept(clinic: Clinic, token: str, etag: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "If-None-Match": etag}
    return clinic.http.post("/graphql", json={"query": BOOK}, headers=headers)


def test_accesses_codes_and_sessions_end_and_people_are_told(clinic: Clinic, patients: Patients, ended: Any) -> None:
    owner, doctor = clinic.citizen(patients.owner), clinic.doctor()
    grant = clinic.grant(owner, doctor)
    code = clinic.share(owner)
    assert seen(clinic, doctor, grant) == "OK"

    told = ended()

    assert (told["codes"], told["grants"]) == (1, 1)
    assert told["sessions"] >= 3
    assert kept(clinic, owner).json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    again = clinic.stepped_up(clinic.stand.practitioner_token(clinic.doctors[doctor]))
    assert seen(clinic, again, grant) != "OK"
    assert "errors" in clinic.redeem(again, code["code"], pin=code["pin"]).json()
    assert clinic.lines(patients.owner, "GRANT_REVOKED")[-1].about["reason"] == "RESTORED"
    assert clinic.lines(patients.owner, "SESSION_ENDED")[-1].about["why"] == "RESTORED"
    assert len(clinic.events(patients.owner, "GRANT_ENDED")) == 1


def test_it_does_nothing_a_second_time(clinic: Clinic, patients: Patients, ended: Any) -> None:
    clinic.grant(clinic.citizen(patients.owner), clinic.doctor())

    assert ended()["grants"] == 1
    assert set(ended().values()) == {0}


def test_no_answer_that_a_phone_keeps_stands_any_more(clinic: Clinic, patients: Patients, ended: Any) -> None:
    token = clinic.stand.citizen_token(patients.owner)
    begun, first = now(), kept(clinic, token)
    before = first.headers["etag"]
    assert kept(clinic, token, before).status_code == 304

    ended()

    token = clinic.stand.citizen_token(patients.owner)
    answer = kept(clinic, token, before)
    assert answer.status_code == 200
    versions = [int(one.json()["data"]["healthBook"]["version"]) for one in (first, answer)]
    assert versions[1] > max(versions[0], int(begun.timestamp() * 1000))  # whatever was lost: by the clock
    assert kept(clinic, token, answer.headers["etag"]).status_code == 304


def test_a_version_that_comes_a_second_time_is_another_answer_without_the_command_too(
    clinic: Clinic, patients: Patients
) -> None:
    token = clinic.citizen(patients.owner)
    etags = []
    for _ in range(2):  # a change, and another one in its place after a restore
        clinic.stand.as_owner(
            "UPDATE auth.book SET version = 7000, changed_at = clock_timestamp() WHERE citizen_id = :id",
            id=patients.owner,
        )
        etags.append(kept(clinic, token).headers["etag"])

    assert etags[0] != etags[1]
    assert kept(clinic, token, etags[0]).status_code == 200
    assert kept(clinic, token, etags[1]).status_code == 304


def test_no_copy_on_a_phone_goes_on_from_before(clinic: Clinic, patients: Patients, ended: Any) -> None:
    def changes(cursor: str | None) -> dict[str, Any]:
        token, asked = clinic.stand.citizen_token(patients.owner), {"since": cursor}
        found: dict[str, Any] = clinic.ask(token, CHANGES, **asked).json()["data"]["bookChanges"]
        return found

    begun = changes(None)
    assert not changes(begun["cursor"])["isReset"]

    ended()

    anew = changes(begun["cursor"])
    assert anew["isReset"]
    assert not changes(anew["cursor"])["isReset"]


def test_a_mandate_ends_and_a_parent_stays(stand: Stand, ended: Any) -> None:
    families = Families(stand)
    child, parent, grown = (families.citizen(f"NGUYỄN VĂN {name}", born=date(2000, 1, 1)) for name in "ABC")
    families.represent(child, parent)
    mandate = families.represent(grown, parent, "MANDATE", extent="SUMMARY")

    assert ended()["mandates"] == 1

    found = stand.as_owner("SELECT id FROM auth.representation WHERE ended_at IS NOT NULL")
    assert [row.id for row in found] == [mandate]
    told = stand.as_owner("SELECT n FROM audit.line WHERE citizen_id = :id AND action = 'GUARDIAN_ENDED'", id=grown)
    assert len(told) == 1


def test_pairings_calendar_addresses_and_activations_end(
    clinic: Clinic, patients: Patients, stand: Stand, ended: Any
) -> None:
    doctor = clinic.doctors[clinic.doctor()]
    ids = {"id": new_id(now=now()), "citizen": patients.owner}
    stand.as_owner("INSERT INTO auth.pairing VALUES (:id, :doctor, '01901', now(), NULL)", id=ids["id"], doctor=doctor)
    stand.as_owner("INSERT INTO care.calendar_feed VALUES (:citizen, :id, :citizen, '\\x00', now(), NULL)", **ids)
    stand.as_owner(
        "INSERT INTO auth.activation VALUES (:citizen, '01901', '\\x00', now() + interval '1 hour', NULL)",
        citizen=patients.owner,
    )

    told = ended()

    assert (told["pairings"], told["feeds"], told["activations"]) == (1, 1, 1)
