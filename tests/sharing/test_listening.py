"""What a grant opens is listened to as long as the grant stands, and revoking it tells how many it closed."""

from uuid import UUID

import pytest

from app.gateway.sockets import NOBODY
from tests.conftest import RunningServer
from tests.listening import begin, closed, ends_within_a_second, hear, noted_looks, socket, subscribe, until_listening
from tests.sharing.conftest import Patients
from tests.sharing.sharing import REVOKE, Clinic, a_key

GRANTED = "subscription($grant: ID) { bookEvents(grantId: $grant) { kind subjectId } }"
OWN = "subscription { bookEvents { kind subjectId } }"


def test_b138_revoking_closes_what_the_grant_opened_and_counts_it(
    server: RunningServer, clinic: Clinic, patients: Patients, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = noted_looks(monkeypatch)
    citizen, doctor, other = clinic.citizen(patients.owner), clinic.doctor(), clinic.doctor()
    revoked, kept = clinic.grant(citizen, doctor), clinic.grant(citizen, other)
    clinic.stand.as_owner("DELETE FROM auth.live_subscription")
    with socket(server) as first, socket(server) as second, socket(server) as another, socket(server) as own:
        for one, token in ((first, doctor), (second, doctor), (another, other), (own, citizen)):
            begin(one, token)
        subscribe(first, "a", query=GRANTED, grant=revoked)
        subscribe(first, "b", query=GRANTED, grant=revoked)
        subscribe(second, "c", query=GRANTED, grant=revoked)
        subscribe(another, "d", query=GRANTED, grant=kept)
        subscribe(own, "e", query=OWN)
        until_listening(clinic.stand, 5)

        told = clinic.data(citizen, REVOKE, input={"idempotencyKey": a_key(), "grantId": revoked})

        assert told["closedSessions"] == 3
        ended = [hear(first), hear(first), hear(second)]
        assert sorted(one["id"] for one in ended) == ["a", "b", "c"]
        assert {one["type"] for one in ended} == {"complete"}
        over = "SELECT least(revoked_at, ends_at) AS at FROM auth.book_grant WHERE id = :id"
        assert ends_within_a_second(looks, "ENDED", since=clinic.stand.as_owner(over, id=UUID(revoked))[0].at)
        event = hear(own)["payload"]["data"]["bookEvents"]
        assert (event["kind"], UUID(event["subjectId"])) == ("GRANT_CHANGED", UUID(revoked))
        clinic.stand.as_owner(
            "UPDATE auth.book_grant SET starts_at = now() - interval '1 hour', ends_at = clock_timestamp() "
            "WHERE id = :id",
            id=UUID(kept),
        )
        assert hear(another) == {"type": "complete", "id": "d"}
        assert ends_within_a_second(looks, "ENDED", since=clinic.stand.as_owner(over, id=UUID(kept))[0].at)


def test_b131_a_grant_is_listened_to_by_its_practitioner_alone(
    server: RunningServer, clinic: Clinic, patients: Patients
) -> None:
    citizen, doctor, other = clinic.citizen(patients.owner), clinic.doctor(), clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    for token in (other, citizen, clinic.citizen(patients.other)):
        with socket(server) as one:
            begin(one, token)
            subscribe(one, query=GRANTED, grant=grant)
            assert hear(one)["payload"][0]["extensions"]["code"] == "NOT_FOUND"


def test_b138_a_practitioner_who_may_not_practise_any_more_hears_nothing(
    server: RunningServer, clinic: Clinic, patients: Patients
) -> None:
    citizen, doctor = clinic.citizen(patients.owner), clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    clinic.stand.as_owner("DELETE FROM auth.live_subscription")
    with socket(server) as one:
        begin(one, doctor)
        subscribe(one, query=GRANTED, grant=grant)
        until_listening(clinic.stand)
        clinic.stand.as_owner(
            "UPDATE auth.practitioner SET suspended_at = clock_timestamp() WHERE id = "
            "(SELECT practitioner_id FROM auth.book_grant WHERE id = :id)",
            id=UUID(grant),
        )
        assert closed(one) == NOBODY
