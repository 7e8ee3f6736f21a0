"""A person takes over the record that a facility registered, by a code of its desk."""

import re
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from app.core.codes import ALPHABET, new_code, read_code, shown
from app.demo.phone import SignInFailed, browse
from tests.identity.signing_in import Scene
from tests.ingestion import messages
from tests.people import Stand

NAMES = count(1)
NAME, OTHER_NAME = "Nguyễn Văn Đúng", "Nguyễn Văn Sai"


@pytest.fixture(scope="module")
def desk(scene: Scene) -> str:
    return scene.stand.facility("01901")


@pytest.fixture(scope="module")
def other_desk(scene: Scene) -> str:
    return scene.stand.facility("79001", name="Bệnh viện khác")


@pytest.fixture(autouse=True)
def _nobody_has_tried(scene: Scene) -> None:
    scene.stand.as_owner("DELETE FROM auth.activation_try")
    scene.stand.as_owner("DELETE FROM auth.activation")


def registered(stand: Stand, desk: str, **fields: str) -> str:
    """File a visit of somebody and return its id."""
    visit = {**messages.VISIT, "MA_LK": f"A{next(NAMES)}", "MA_THE_BHYT": "", **fields}
    assert stand.file(messages.envelope(messages.visit_xml({"XML1": [visit]})), token=desk) == "filed"
    return str(visit["MA_LK"])


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody whom the provider knows and a facility has registered under another name."""

    number: str

    @property
    def said(self) -> dict[str, object]:
        """Return what the provider says."""
        return {
            "sub": f"subject-{self.number}",
            "preferred_username": self.number,
            "name": NAME,
            "birthdate": "1966-05-01",
        }


def newcomer() -> Newcomer:
    return Newcomer(f"973066{next(NAMES):06}")


def misspelled(scene: Scene, desk: str) -> Newcomer:
    """Register somebody under another name."""
    person = newcomer()
    fields = {"HO_TEN": OTHER_NAME, "SO_CCCD": person.number, "NGAY_SINH": "196605010000", "GIOI_TINH": "1"}
    registered(scene.stand, desk, **fields)
    return person


def asked(scene: Scene, token: str, body: object) -> httpx.Response:
    with scene.browser() as http:
        headers = {"Authorization": f"Bearer {token}"}
        return http.post(f"{scene.url}/auth/activations", json=body, headers=headers)


def code_for(scene: Scene, desk: str, number: str, kind: str = "PERSONAL_ID") -> str:
    answer = asked(scene, desk, {"kind": kind, "number": number})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def sign_in_with(scene: Scene, person: Newcomer, code: str | None, **changed: object) -> dict[str, Any]:
    """Sign in as an app whose person has typed a code."""
    phone = scene.phone()
    typed = "" if code is None else f"&activation={code.replace(' ', '%20')}"
    with scene.misbehaving(**{**person.said, **changed}), scene.browser() as http:
        back = browse(phone.url + typed, account="citizen:1", http=http)
        return phone.tokens(http, came_back_to=back)


def refused(scene: Scene, person: Newcomer, code: str | None, **changed: object) -> str:
    """Return the page that says no, without the request's id."""
    with pytest.raises(SignInFailed) as failed:
        sign_in_with(scene, person, code, **changed)
    assert "không khớp" in failed.value.page
    return re.sub(r"Request id: [0-9a-f]+|state=[^&\"]*", "", failed.value.page)


def test_a_code_links_an_account_to_the_record_and_the_providers_word_holds(scene: Scene, desk: str) -> None:
    person = misspelled(scene, desk)
    refused(scene, person, None)
    code = code_for(scene, desk, person.number)

    tokens = sign_in_with(scene, person, code.lower().replace("-", " "))

    answer = scene.ask("{ me { fullName } healthBook { visits { nodes { id } } } }", tokens["access_token"])
    assert answer["data"]["me"]["fullName"] == NAME
    assert len(answer["data"]["healthBook"]["visits"]["nodes"]) == 1
    lines = scene.stand.as_owner(
        "SELECT action, actor_kind FROM audit.line WHERE action IN ('ACTIVATION_MADE', 'ACCOUNT_ACTIVATED') ORDER BY n"
    )
    assert [(line.action, line.actor_kind) for line in lines] == [
        ("ACTIVATION_MADE", "FACILITY_SYSTEM"),
        ("ACCOUNT_ACTIVATED", "SYSTEM"),
    ]
    assert scene.is_alive(sign_in_with(scene, person, None))  # no code is needed any more


def test_b161_who_was_registered_by_a_mistake_that_was_taken_back_needs_no_code_and_sees_nothing_of_it(
    scene: Scene, desk: str
) -> None:
    person = newcomer()
    wrong = {"HO_TEN": OTHER_NAME, "SO_CCCD": person.number, "NGAY_SINH": "197001010000"}
    visit = registered(scene.stand, desk, **wrong)
    refused(scene, person, None)
    with scene.browser() as http:
        headers = {"Authorization": f"Bearer {desk}"}
        body = {"visit": visit, "reason": "Nhầm số"}
        kept = http.post(f"{scene.url}/ingest/withdrawals", json=body, headers=headers).json()
    assert scene.stand.process(kept["messageId"]) == "filed"

    tokens = sign_in_with(scene, person, None)

    query = "{ me { fullName } healthBook { visits { nodes { id } } withdrawals { kind } } }"
    answer = scene.ask(query, tokens["access_token"])
    assert answer["data"] == {
        "me": {"fullName": NAME},
        "healthBook": {"visits": {"nodes": []}, "withdrawals": []},
    }


def test_what_waited_for_the_right_name_comes_into_the_book_with_the_code(scene: Scene, desk: str) -> None:
    person = misspelled(scene, desk)
    told = {"HO_TEN": NAME, "SO_CCCD": person.number, "NGAY_SINH": "196605010000", "GIOI_TINH": "1"}
    later = {**messages.VISIT, "MA_LK": f"A{next(NAMES)}", "MA_THE_BHYT": "", **told}
    waits = scene.stand.keep(messages.envelope(messages.visit_xml({"XML1": [later]})), token=desk)
    assert scene.stand.process(waits) == "quarantined"

    sign_in_with(scene, person, code_for(scene, desk, person.number))

    assert scene.stand.process(waits) == "filed"  # it was taken up again


def test_a_record_without_a_personal_id_is_found_by_the_code(scene: Scene, desk: str) -> None:
    person, card = newcomer(), "GD4010199000777"
    validity = {"GT_THE_TU": "20260101", "GT_THE_DEN": "20261231", "MA_DKBD": "01901"}
    fields = {"HO_TEN": NAME, "SO_CCCD": "", "NGAY_SINH": "196605010000", "MA_THE_BHYT": card, **validity}
    registered(scene.stand, desk, **fields)

    tokens = sign_in_with(scene, person, code_for(scene, desk, card, kind="INSURANCE_NUMBER"))

    query = "{ me { ... on Citizen { nationalId } } healthBook { visits { nodes { id } } } }"
    answer = scene.ask(query, tokens["access_token"])
    assert answer["data"]["me"]["nationalId"] == person.number
    assert len(answer["data"]["healthBook"]["visits"]["nodes"]) == 1


def test_refusals_look_alike(scene: Scene, desk: str) -> None:
    person = misspelled(scene, desk)
    someone_elses = code_for(scene, desk, misspelled(scene, desk).number)
    pages = {refused(scene, person, code) for code in (None, shown(new_code()), someone_elses)}

    late = code_for(scene, desk, person.number)
    scene.stand.as_owner("UPDATE auth.activation SET expires_at = now()")
    pages.add(refused(scene, person, late))

    assert len(pages) == 1


def test_t11_a_code_of_a_facility_that_was_suspended_activates_nothing(scene: Scene, other_desk: str) -> None:
    person = newcomer()
    visit = {**messages.VISIT, "MA_LK": "B1", "MA_CSKCB": "79001", "MA_THE_BHYT": "", "HO_TEN": OTHER_NAME}
    visit |= {"SO_CCCD": person.number, "NGAY_SINH": "196605010000", "GIOI_TINH": "1"}
    body = messages.envelope(messages.visit_xml({"XML1": [visit]}), facility="79001")
    assert scene.stand.file(body, token=other_desk) == "filed"
    code = code_for(scene, other_desk, person.number)
    scene.stand.as_owner("UPDATE directory.facility SET suspended_at = now() WHERE code = '79001'")

    refused(scene, person, code)

    scene.stand.as_owner("UPDATE directory.facility SET suspended_at = NULL WHERE code = '79001'")
    sign_in_with(scene, person, code)


def test_a_code_is_good_once_and_a_new_one_replaces_it(scene: Scene, desk: str) -> None:
    person = misspelled(scene, desk)
    old, new = code_for(scene, desk, person.number), code_for(scene, desk, person.number)
    refused(scene, person, old)
    sign_in_with(scene, person, new)

    assert (
        asked(scene, desk, {"kind": "PERSONAL_ID", "number": person.number}).status_code == 404
    )  # there is an account
    refused(scene, person, new, sub="somebody-else")


def test_the_sixth_try_within_a_quarter_of_an_hour_is_not_judged(scene: Scene, desk: str) -> None:
    person = misspelled(scene, desk)
    code = code_for(scene, desk, person.number)
    for _ in range(5):
        refused(scene, person, shown(new_code()))
    refused(scene, person, code)

    scene.stand.as_owner("UPDATE auth.activation_try SET since = since - interval '16 minutes'")
    sign_in_with(scene, person, code)


def test_level_1_activates_nothing(scene: Scene, desk: str) -> None:
    person = misspelled(scene, desk)
    code = code_for(scene, desk, person.number)
    refused(scene, person, code, acr="1")
    sign_in_with(scene, person, code)


@pytest.mark.parametrize("wrong", ["", "x", "K7QF-2M9D-X", "0" * 9 + "1", "K7QF2M9DXAU"])
def test_what_is_no_code_never_reaches_the_provider(scene: Scene, wrong: str) -> None:
    phone = scene.phone()
    with scene.browser() as http:
        answer = http.get(f"{phone.url}&activation={wrong}")
    assert ("error=invalid_request" in answer.headers["location"]) == bool(wrong)


def test_a_code_looks_as_people_read_it(scene: Scene, desk: str) -> None:
    answer = asked(scene, desk, {"kind": "PERSONAL_ID", "number": misspelled(scene, desk).number}).json()
    assert set(answer) == {"code", "spoken", "expiresAt"}
    assert len(answer["spoken"]) == 10
    assert set(read_code(answer["code"])) <= set(ALPHABET)
    stored = str(scene.stand.as_owner("SELECT a::text FROM auth.activation a"))
    assert read_code(answer["code"]) not in stored
    assert answer["code"] not in stored


def test_only_the_facility_that_registered_somebody_gives_codes(scene: Scene, desk: str, other_desk: str) -> None:
    number = misspelled(scene, desk).number
    bodies = {
        asked(scene, token, {"kind": "PERSONAL_ID", "number": wanted}).json()["code"]
        for token, wanted in ((other_desk, number), (desk, "973066999999"))
    }
    assert bodies == {"NOT_FOUND"}
    citizens = scene.sign_in("citizen:1")["access_token"]
    assert asked(scene, citizens, {"kind": "PERSONAL_ID", "number": number}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"kind": "PERSONAL_ID"},
        {"kind": "X", "number": "1" * 12},
        {"kind": "PERSONAL_ID", "number": 1},
        {"kind": "PASSPORT", "number": "A-1"},
    ],
)
def test_a_body_that_is_none_is_invalid(scene: Scene, desk: str, body: object) -> None:
    answer = asked(scene, desk, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID")
