"""Whoever is a doctor and a citizen acts as one of them at a time; a hospital's system acts for who paired with it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.db import Login
from app.core.ids import new_id
from app.demo.people import register
from app.demo.phone import AS_PRACTITIONER, SignInFailed
from app.facilities import registry
from app.identity import practitioners
from app.identity.clients import JWT_BEARER
from app.identity.jwt import public_part, sign
from app.identity.register import PlaceEntry, PractitionerEntry
from tests.identity.forging import private_key
from tests.identity.holding import Holder
from tests.identity.signing_in import Scene, answer_of
from tests.identity.test_http import claims
from tests.people import now
from tests.sockets import PATIENCE

CODES = ("01901", "79001", "48195")
KHOI = register()[0]
ME = "{ me { __typename id fullName ... on Practitioner { certificate places { facility { code } } } } }"
PAIR = "mutation($input: PairFacilityInput!) { done: pairFacility(input: $input) { pairing { id facility { code } } } }"
UNPAIR = "mutation($input: UnpairFacilityInput!) { done: unpairFacility(input: $input) { pairingId } }"


def store(scene: Scene, *entries: PractitionerEntry) -> None:
    ids = partial(new_id, now=now())
    step = partial(practitioners.store, entries=entries, vault=scene.stand.vault, now=now(), new_id=ids)
    scene.stand.run(Login.MIGRATOR, step)


@pytest.fixture(scope="module", autouse=True)
def _facilities(scene: Scene) -> None:
    for code in CODES:
        scene.stand.facility(code, name=f"Bệnh viện {code}")
        key = public_part(private_key(code))
        scene.stand.run(Login.MIGRATOR, partial(registry.add_key, code=code, jwk=key, now=now()))


@pytest.fixture(autouse=True)
def _registered(scene: Scene) -> Iterator[None]:
    store(scene, *register())
    yield
    scene.stand.as_owner("UPDATE auth.pairing SET ended_at = now() WHERE ended_at IS NULL")


def at_work(scene: Scene, account: str = "doctor:1") -> dict[str, Any]:
    return scene.sign_in(account, phone=scene.phone(scope=AS_PRACTITIONER))


def refused(scene: Scene, account: str) -> str:
    """Return the page that says why nobody may act as a practitioner."""
    with pytest.raises(SignInFailed) as caught:
        at_work(scene, account)
    return caught.value.page


def do(scene: Scene, query: str, token: str, **given: str) -> Any:
    """Do a mutation; its payload, or the code of the refusal."""
    phone = scene.phone_of(token)
    with scene.browser() as http:
        variables = {"input": {"idempotencyKey": str(new_id(now=now())), **given}}
        asked = {"query": query, "variables": variables}
        answer = phone.send(http, "/graphql", access_token=token, json=asked).json()
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]["done"]


def token_of_system(scene: Scene, code: str, practitioner: str | None) -> httpx.Response:
    """Ask for a token as a hospital's system does."""
    assertion = sign(claims(scene.settings, iss=code, sub=code), key=private_key(code))
    form = {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER, "client_assertion": assertion}
    named = {} if practitioner is None else {"practitioner": practitioner}
    return httpx.post(f"{scene.url}/auth/token", data={**form, **named}, timeout=PATIENCE)


def ask_as_system(scene: Scene, query: str, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{scene.url}/graphql", json={"query": query}, headers=headers, timeout=PATIENCE).json()


# ---- one role at a time


def test_b139_a_doctor_who_is_a_citizen_signs_in_as_each_and_has_no_union_of_powers(scene: Scene) -> None:
    doctor, citizen = at_work(scene), scene.sign_in("doctor:1")

    assert doctor["scope"] == "practitioner offline_access"
    me = scene.ask(ME, doctor["access_token"])["data"]["me"]
    assert (me["__typename"], me["certificate"], me["fullName"]) == ("Practitioner", KHOI.certificate, KHOI.full_name)
    assert [place["facility"]["code"] for place in me["places"]] == ["01901"]
    assert scene.ask(ME, citizen["access_token"])["data"]["me"]["__typename"] == "Citizen"
    assert "errors" not in scene.ask("{ healthBook { version } }", citizen["access_token"])
    refused_book = scene.ask("{ healthBook { version } }", doctor["access_token"])
    assert "errors" in refused_book
    assert (refused_book.get("data") or {}).get("healthBook") is None
    (row,) = scene.stand.as_owner(
        "SELECT citizen_id, practitioner_id IS NOT NULL AS doctor FROM auth.session "
        "WHERE token_hash = sha256(convert_to(:token, 'UTF8'))",
        token=doctor["access_token"],
    )
    assert (row.citizen_id, row.doctor) == (None, True)


def test_b139_both_roles_at_once_are_refused(scene: Scene) -> None:
    _, back = scene.come_back("doctor:1", phone=scene.phone(scope="practitioner patient/*.rs"))

    assert answer_of(back)["error"] == "invalid_scope"


def test_b139_a_renewed_session_stays_the_practitioners(scene: Scene) -> None:
    renewed = scene.renew(at_work(scene)["refresh_token"]).json()

    assert scene.ask(ME, renewed["access_token"])["data"]["me"]["__typename"] == "Practitioner"


def test_b110_who_has_no_certificate_is_told_on_a_page(scene: Scene) -> None:
    before = scene.count("session")

    assert "No practising certificate in force" in refused(scene, "citizen:1")
    assert scene.count("session") == before


@pytest.mark.parametrize(
    "changed",
    [
        {"full_name": "Lê Văn Khác"},
        {"personal_id": "999071009999"},
        {"personal_id": None},
        {"valid_until": date(2025, 1, 1)},
        {"suspended_on": date(2025, 1, 1)},
        {"places": (PlaceEntry(facility_code="01901", valid_from=date(2020, 1, 1), valid_until=date(2025, 1, 1)),)},
    ],
    ids=str,
)
def test_b110_a_certificate_of_another_person_or_not_in_force_is_none(scene: Scene, changed: dict[str, Any]) -> None:
    store(scene, replace(KHOI, **changed))

    assert "No practising certificate in force" in refused(scene, "doctor:1")


def test_b110_a_suspension_between_browser_and_token_counts(scene: Scene) -> None:
    phone, back = scene.come_back("doctor:1", phone=scene.phone(scope=AS_PRACTITIONER))
    store(scene, replace(KHOI, suspended_on=date(2025, 1, 1)))

    with scene.browser() as http, pytest.raises(SignInFailed):
        phone.tokens(http, came_back_to=back)


def test_b139_suspension_acts_at_the_next_request(scene: Scene) -> None:
    tokens = at_work(scene)
    assert scene.is_alive(tokens)

    store(scene, replace(KHOI, suspended_on=date(2025, 1, 1)))

    assert not scene.is_alive(tokens)


def test_b128_a_dead_doctor_signs_no_more(scene: Scene) -> None:
    tokens = at_work(scene, "doctor:3")
    scene.stand.as_owner(
        "UPDATE auth.citizen SET closed_at = now() WHERE id = "
        "(SELECT citizen_id FROM auth.practitioner WHERE certificate = :c)",
        c=register()[2].certificate,
    )

    assert not scene.is_alive(tokens)


# ---- a hospital's system


def test_a_paired_system_acts_for_the_practitioner_and_the_log_names_both(scene: Scene) -> None:
    token = at_work(scene)["access_token"]
    assert token_of_system(scene, "01901", KHOI.certificate).json()["error"] == "invalid_grant"
    assert do(scene, PAIR, token, facilityCode="01901")["pairing"]["facility"]["code"] == "01901"

    answer = token_of_system(scene, "01901", KHOI.certificate).json()

    assert (answer["token_type"], answer["scope"]) == ("Bearer", "practitioner")
    me = ask_as_system(scene, ME, answer["access_token"])["data"]["me"]
    assert (me["__typename"], me["certificate"]) == ("Practitioner", KHOI.certificate)
    citizen = scene.stand.citizen_by(scene.account("doctor:1").personal_id)
    scene.stand.as_owner(
        "SELECT audit.write_line(:citizen, 'BOOK_OPENED', auth.live_session(:token, NULL), '{}')",
        citizen=citizen,
        token=answer["access_token"],
    )
    (line,) = scene.stand.as_owner(
        "SELECT actor_kind, actor_id, actor_name, facility_code FROM audit.line "
        "WHERE citizen_id = :citizen AND action = 'BOOK_OPENED'",
        citizen=citizen,
    )
    assert tuple(line) == ("PRACTITIONER", UUID(me["id"]), KHOI.full_name, "01901")


def test_a_system_acts_for_nobody_else_and_nowhere_else(scene: Scene) -> None:
    token = at_work(scene)["access_token"]
    do(scene, PAIR, token, facilityCode="01901")

    for code, certificate in (
        ("79001", KHOI.certificate),
        ("01901", register()[1].certificate),
        ("01901", register()[2].certificate),
        ("01901", "999999/BYT-CCHN"),
        ("01901", "' OR 1=1--"),
    ):
        answer = token_of_system(scene, code, certificate)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), (code, certificate)


@pytest.mark.parametrize("code", ["79001", "99999", "", "x", "01901' --"])
def test_a_practitioner_pairs_only_where_they_work(scene: Scene, code: str) -> None:
    assert do(scene, PAIR, at_work(scene)["access_token"], facilityCode=code) == "NOT_FOUND"


def test_b141_a_citizen_and_a_system_pair_nobody(scene: Scene) -> None:
    doctor = at_work(scene)["access_token"]
    made = do(scene, PAIR, doctor, facilityCode="01901")["pairing"]["id"]
    system = token_of_system(scene, "01901", KHOI.certificate).json()["access_token"]
    variables = {"input": {"idempotencyKey": "k", "pairingId": made}}
    headers = {"Authorization": f"Bearer {system}"}
    by_system = httpx.post(
        f"{scene.url}/graphql",
        json={"query": UNPAIR, "variables": variables},
        headers=headers,
        timeout=PATIENCE,
    )

    assert by_system.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert do(scene, PAIR, scene.sign_in("doctor:1")["access_token"], facilityCode="01901") == "NOT_FOUND"
    assert do(scene, UNPAIR, at_work(scene, "doctor:2")["access_token"], pairingId=made) == "NOT_FOUND"
    assert do(scene, PAIR, doctor, facilityCode="01901") == "CONFLICT"


@pytest.mark.parametrize("ends", ["unpaired", "suspended", "moved", "facility"])
def test_what_ends_a_pairing_ends_its_tokens_at_the_next_request(scene: Scene, ends: str) -> None:
    doctor = at_work(scene)["access_token"]
    made = do(scene, PAIR, doctor, facilityCode="01901")["pairing"]["id"]
    system = token_of_system(scene, "01901", KHOI.certificate).json()["access_token"]
    assert "errors" not in ask_as_system(scene, ME, system)

    if ends == "unpaired":
        assert do(scene, UNPAIR, doctor, pairingId=made) == {"pairingId": made}
    elif ends == "suspended":
        store(scene, replace(KHOI, suspended_on=date(2025, 1, 1)))
    elif ends == "moved":
        store(scene, replace(KHOI, places=(PlaceEntry(facility_code="79001", valid_from=date(2020, 1, 1)),)))
    else:
        scene.stand.as_owner("UPDATE directory.facility SET suspended_at = now() WHERE code = '01901'")

    assert ask_as_system(scene, ME, system)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "error" in token_of_system(scene, "01901", KHOI.certificate).json()
    scene.stand.as_owner("UPDATE directory.facility SET suspended_at = NULL")


def test_b141_a_practitioners_token_pushes_nothing_and_a_systems_own_asks_nothing(scene: Scene) -> None:
    doctor = at_work(scene)["access_token"]
    do(scene, PAIR, doctor, facilityCode="01901")
    acting = token_of_system(scene, "01901", KHOI.certificate).json()["access_token"]
    own = token_of_system(scene, "01901", None).json()["access_token"]

    def door(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{scene.url}/ingest/messages", headers=headers, timeout=PATIENCE).status_code

    assert (door(acting), door(own)) == (401, 200)
    assert ask_as_system(scene, ME, own)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


# ---- the second factor is the person's, whichever role they act in


def test_b115_a_practitioner_who_signed_in_enrols_a_factor_that_is_theirs_as_a_citizen_too(scene: Scene) -> None:
    scene.stand.as_owner("DELETE FROM auth.factor")
    doctor = Holder(scene, at_work(scene)["access_token"])
    assert doctor.step_up("000000", "EMERGENCY") == "REFUSED"
    doctor.enrol()
    assert doctor.step_up(doctor.code(), "EMERGENCY") == "OK"

    doctor.forget_step()
    citizen = Holder(scene, scene.sign_in("doctor:1")["access_token"], secret=doctor.secret)
    assert citizen.step_up(citizen.code(), "SHARE") == "OK"
