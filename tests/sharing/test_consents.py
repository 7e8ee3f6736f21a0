"""Every share stands in the consent ledger, in the words that were read, and is taken back there as easily."""

from typing import Any

import pytest

from tests.sharing.conftest import OWNER, Patients
from tests.sharing.opening import request
from tests.sharing.sharing import APPROVE, ASK, CANCEL, FREEZE, REFUSE, REVOKE, SHARED, Clinic, a_key

LEDGER = """{ me { ... on Citizen {
  consents(first: 50) { nodes { id purpose text confirmedBy withdrawnAt aboutId } } } } }"""
WITHDRAW = "mutation($input: WithdrawConsentInput!) { withdrawConsent(input: $input) { consent { withdrawnAt } } }"


@pytest.fixture
def citizen(clinic: Clinic, patients: Patients) -> str:
    clinic.stand.as_owner("UPDATE auth.share_code SET cancelled_at = now() WHERE redeemed_at IS NULL")
    clinic.stand.as_owner("UPDATE auth.book_grant SET revoked_at = now() WHERE revoked_at IS NULL")
    clinic.stand.as_owner("UPDATE auth.book SET sharing_frozen_at = NULL, hidden_classes = 0")
    clinic.stand.as_owner("DELETE FROM auth.consent")
    return clinic.citizen(patients.owner)


def ledger(clinic: Clinic, citizen: str) -> list[dict[str, Any]]:
    """Return the entries of shares, newest first."""
    found = clinic.data(citizen, LEDGER)["consents"]["nodes"]
    return [one for one in found if one["purpose"] == "SHARING"]


def holds(clinic: Clinic, citizen: str) -> list[bool]:
    return [one["withdrawnAt"] is None for one in ledger(clinic, citizen)]


def reads(clinic: Clinic, doctor: str, grant: str) -> bool:
    return "errors" not in clinic.ask(doctor, SHARED, grant=grant).json()


def test_a_code_is_a_consent_with_a_second_factor_and_its_grant_goes_on_with_it(clinic: Clinic, citizen: str) -> None:
    assert ledger(clinic, citizen) == []
    grant = clinic.grant(citizen, clinic.doctor())
    (entry,) = ledger(clinic, citizen)
    assert (entry["confirmedBy"], entry["aboutId"], entry["withdrawnAt"]) == ("SECOND_FACTOR", grant, None)
    assert "thu hồi bất cứ lúc nào" in entry["text"]


def test_the_ledger_keeps_the_words_in_the_language_that_was_read(clinic: Clinic, citizen: str) -> None:
    headers = {"Authorization": f"Bearer {citizen}", "Accept-Language": "en"}
    query = """mutation { createShareCode(input: {idempotencyKey: "en1", purpose: TREATMENT,
      scope: {sections: [VISITS]}}) { redeemableUntil } }"""
    assert "errors" not in clinic.http.post("/graphql", json={"query": query}, headers=headers).json()
    assert "take it back at any time" in ledger(clinic, citizen)[0]["text"]


def test_withdrawing_the_consent_ends_the_grant_without_a_second_factor(
    clinic: Clinic, citizen: str, patients: Patients
) -> None:
    doctor = clinic.doctor()
    grant = clinic.grant(citizen, doctor)
    assert reads(clinic, doctor, grant)
    (entry,) = ledger(clinic, citizen)
    plain = clinic.stand.citizen_token(patients.owner)

    clinic.data(plain, WITHDRAW, input={"idempotencyKey": a_key(), "consentId": entry["id"]})

    assert not reads(clinic, doctor, grant)
    assert holds(clinic, citizen) == [False]
    assert clinic.lines(patients.owner, "GRANT_REVOKED")[-1].about["reason"] == "CONSENT_WITHDRAWN"


def test_withdrawing_the_consent_of_a_code_cancels_it(clinic: Clinic, citizen: str) -> None:
    code = clinic.share(citizen)
    (entry,) = ledger(clinic, citizen)
    clinic.data(citizen, WITHDRAW, input={"idempotencyKey": a_key(), "consentId": entry["id"]})
    assert "errors" in clinic.redeem(clinic.doctor(), code["code"]).json()


def test_what_ends_a_share_ends_its_consent(clinic: Clinic, citizen: str, patients: Patients) -> None:
    code = clinic.share(citizen)
    clinic.data(citizen, CANCEL, input={"idempotencyKey": a_key(), "shareCodeId": code["shareCode"]["id"]})
    grant = clinic.grant(citizen, clinic.doctor())
    clinic.data(citizen, REVOKE, input={"idempotencyKey": a_key(), "grantId": grant})
    assert holds(clinic, citizen) == [False, False]

    clinic.grant(citizen, clinic.doctor())
    clinic.share(citizen)
    assert holds(clinic, citizen) == [True, True, False, False]
    clinic.data(citizen, FREEZE, input={"idempotencyKey": a_key(), "frozen": True})
    assert holds(clinic, citizen) == [False] * 4
    rows = clinic.stand.as_owner("SELECT withdrawn_by AS who FROM auth.consent WHERE purpose = 'SHARING'")
    assert {row.who for row in rows} == {patients.owner}


def test_an_approved_request_is_a_consent_and_a_refused_one_is_none(clinic: Clinic, citizen: str) -> None:
    doctor = clinic.doctor()
    asked = [clinic.data(doctor, ASK, input=request(OWNER.personal_id))["request"]["id"] for _ in range(2)]
    clinic.data(citizen, REFUSE, input={"idempotencyKey": a_key(), "requestId": asked[0]})
    assert ledger(clinic, citizen) == []

    answer = {"idempotencyKey": a_key(), "requestId": asked[1]}
    grant = clinic.data(citizen, APPROVE, input=answer)["grant"]["id"]

    (entry,) = ledger(clinic, citizen)
    assert (entry["aboutId"], entry["withdrawnAt"]) == (grant, None)
    assert reads(clinic, doctor, grant)


def test_a_consent_to_share_is_given_by_sharing_alone(clinic: Clinic, citizen: str) -> None:
    give = "mutation($input: GiveConsentInput!) { giveConsent(input: $input) { consent { id } } }"
    asked = {"idempotencyKey": a_key(), "purpose": "SHARING", "version": 1}
    assert clinic.code_of(citizen, give, input=asked) == "INVALID"
