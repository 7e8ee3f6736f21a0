"""Sessions of apps: opened by a code, renewed, given back. Cases B43, B44, B121 to B127 of the security page."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from app.core.ids import new_secret
from app.demo.phone import CLIENT_ID, Phone
from app.identity.apps import ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE
from tests.identity.signing_in import CLAIMED, LOOPBACK, Scene, answer_of

LIFE = "extract(epoch FROM r.expires_at - clock_timestamp())"


def redeem(scene: Scene, phone: Phone, code: str, /, **changed: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": code,
        "redirect_uri": phone.redirect_uri,
        "code_verifier": phone.verifier,
    }
    return scene.post("/auth/token", phone=phone, **{**form, **changed})


def code_of(scene: Scene) -> tuple[Phone, str]:
    phone, back = scene.come_back()
    return phone, answer_of(back)["code"]


def refresh_rows(scene: Scene, tokens: Mapping[str, Any]) -> list[Any]:
    return scene.stand.as_owner(
        "SELECT r.used_at IS NULL AS live FROM auth.refresh_token r WHERE r.session_id = "
        "(SELECT k.session_id FROM auth.refresh_token k WHERE k.token_hash = sha256(convert_to(:token, 'UTF8')))",
        token=tokens["refresh_token"],
    )


def later(scene: Scene, interval: str) -> None:
    """Let a time pass for every session: all their moments move into the past."""
    scene.stand.as_owner(f"UPDATE auth.session SET expires_at = expires_at - interval '{interval}'")
    scene.stand.as_owner(f"UPDATE auth.renewal SET until = until - interval '{interval}'")
    scene.stand.as_owner(
        f"UPDATE auth.refresh_token SET expires_at = expires_at - interval '{interval}', "
        f"used_at = used_at - interval '{interval}'"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "v" * 43},
        {"code_verifier": ""},
        {"code_verifier": "v" * 42},
        {"code_verifier": "v" * 129},
        {"redirect_uri": LOOPBACK + "x"},
        {"client_id": "phone"},
        {"code": "c" * 43},
    ],
)
def test_b71_a_code_is_for_its_client_address_and_verifier(scene: Scene, changed: dict[str, str]) -> None:
    phone, code = code_of(scene)
    before = scene.count("session")

    answer = redeem(scene, phone, code, **changed)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert scene.count("session") == before


def test_refusals_of_a_code_look_alike(scene: Scene) -> None:
    phone, code = code_of(scene)
    redeem(scene, phone, code)
    bodies = {
        redeem(scene, phone, code).content,
        redeem(scene, phone, new_secret()).content,
        redeem(scene, phone, code_of(scene)[1]).content,
    }
    assert len(bodies) == 1


def test_a_wrong_verifier_uses_the_code_up(scene: Scene) -> None:
    phone, code = code_of(scene)

    assert redeem(scene, phone, code, code_verifier="v" * 43).status_code == 400
    assert redeem(scene, phone, code).status_code == 400


def test_b70_a_code_that_comes_again_ends_its_session(scene: Scene) -> None:
    phone, code = code_of(scene)
    tokens = redeem(scene, phone, code).json()
    assert scene.is_alive(tokens)

    assert redeem(scene, phone, code).status_code == 400
    assert not scene.is_alive(tokens)
    assert scene.renew(tokens["refresh_token"]).status_code == 400


def test_b70_50_parallel_redemptions_give_one_session_at_most(scene: Scene) -> None:
    phone, code = code_of(scene)
    before = scene.count("session")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: redeem(scene, phone, code).status_code, range(50)))

    assert answers.count(200) == 1
    assert scene.count("session") == before + 1


def test_a_code_lives_for_a_minute(scene: Scene) -> None:
    phone, code = code_of(scene)
    scene.stand.as_owner("UPDATE auth.handoff SET expires_at = expires_at - interval '61 seconds'")

    assert redeem(scene, phone, code).status_code == 400


def test_tokens_and_codes_are_stored_as_hashes_only(scene: Scene) -> None:
    phone, code = code_of(scene)
    tokens = redeem(scene, phone, code).json()
    stored = "".join(
        str(scene.stand.as_owner(f"SELECT t::text FROM auth.{table} t"))
        for table in ("handoff", "session", "renewal", "refresh_token")
    )
    for secret in (code, phone.verifier, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in stored


def test_an_answer_with_tokens_is_not_kept_by_anyone(scene: Scene) -> None:
    phone, code = code_of(scene)
    answer = redeem(scene, phone, code)

    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["pragma"] == "no-cache"


def test_renewal_gives_new_tokens_and_the_old_ones_are_dead(scene: Scene) -> None:
    first = scene.sign_in()
    second = scene.renew(first["refresh_token"]).json()

    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert scene.is_alive(second)
    assert not scene.is_alive(first)
    assert second["scope"] == first["scope"]


def test_b121_a_token_used_before_ends_the_family(scene: Scene) -> None:
    first = scene.sign_in()
    second = scene.renew(first["refresh_token"]).json()
    third = scene.renew(second["refresh_token"]).json()

    refused = scene.renew(first["refresh_token"])

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert not scene.is_alive(third)
    assert scene.renew(third["refresh_token"]).status_code == 400


def test_b121_after_the_ten_seconds_too(scene: Scene) -> None:
    first = scene.sign_in()
    second = scene.renew(first["refresh_token"]).json()
    later(scene, "11 seconds")

    assert scene.renew(first["refresh_token"]).status_code == 400
    assert not scene.is_alive(second)


def test_b122_a_lost_answer_is_given_again_within_ten_seconds(scene: Scene) -> None:
    first = scene.sign_in()
    second = scene.renew(first["refresh_token"]).json()
    again = scene.renew(first["refresh_token"]).json()

    assert (again["access_token"], again["refresh_token"]) == (second["access_token"], second["refresh_token"])
    assert scene.is_alive(again)
    assert [row.live for row in refresh_rows(scene, first)].count(True) == 1


def test_b122_another_client_with_the_token_ends_the_family(scene: Scene) -> None:
    first = scene.sign_in()

    assert scene.renew(first["refresh_token"], "phone").status_code == 400
    assert not scene.is_alive(first)


def test_b123_50_parallel_renewals_leave_one_family_with_one_live_token(scene: Scene) -> None:
    first = scene.sign_in()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: scene.renew(first["refresh_token"]), range(50)))

    good = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 200}
    assert len(good) == 1
    assert [row.live for row in refresh_rows(scene, first)].count(True) == 1
    assert scene.is_alive(next(answer.json() for answer in answers if answer.status_code == 200))


def test_b124_idle_for_thirty_minutes_is_the_end(scene: Scene) -> None:
    first = scene.sign_in()
    later(scene, "29 minutes 50 seconds")
    second = scene.renew(first["refresh_token"]).json()
    assert scene.is_alive(second)
    later(scene, "30 minutes 1 second")

    assert scene.renew(second["refresh_token"]).status_code == 400


def test_b124_twelve_hours_are_the_end_however_busy(scene: Scene) -> None:
    tokens = scene.sign_in()
    for _ in range(25):
        later(scene, "29 minutes")
        answer = scene.renew(tokens["refresh_token"])
        if answer.status_code != 200:
            break
        tokens = answer.json()
    assert answer.status_code == 400
    assert not scene.is_alive(tokens)


def test_b124_the_last_access_token_ends_with_the_session(scene: Scene) -> None:
    tokens = scene.sign_in()
    scene.stand.as_owner("UPDATE auth.renewal SET until = clock_timestamp() + interval '20 seconds'")

    assert scene.renew(tokens["refresh_token"]).json()["expires_in"] <= 20


def test_an_access_token_lives_for_five_minutes(scene: Scene) -> None:
    tokens = scene.sign_in()
    later(scene, "4 minutes 50 seconds")
    assert scene.is_alive(tokens)
    later(scene, "11 seconds")
    assert not scene.is_alive(tokens)
    assert scene.renew(tokens["refresh_token"]).status_code == 200


def test_a_client_behind_the_phones_lock_lives_longer(scene: Scene) -> None:
    phone = Phone(server=scene.url, redirect_uri=CLAIMED)
    with scene.browser() as http:
        begun = http.get(phone.url.replace(CLIENT_ID, "phone"))
        ticket = http.get(begun.headers["location"]).text.split('name="ticket" value="')[1].split('"')[0]
        chosen = http.post(f"{scene.desk.issuer}/authorize", data={"ticket": ticket, "account": "citizen:1"})
        back = http.get(chosen.headers["location"]).headers["location"]
    tokens = redeem(scene, phone, answer_of(back)["code"], client_id="phone").json()
    later(scene, "13 days")
    assert scene.renew(tokens["refresh_token"], "phone").status_code == 200
    days = scene.stand.as_owner(
        "SELECT extract(day FROM n.until - s.created_at) AS total FROM auth.renewal n "
        "JOIN auth.session s ON s.id = n.session_id WHERE n.client_id = 'phone'"
    )
    assert [int(row.total) for row in days] == [30 - 13]


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_b125_revocation_ends_the_session_at_once(scene: Scene, kind: str) -> None:
    tokens = scene.sign_in()

    answer = scene.post("/auth/revoke", token=tokens[kind], client_id=CLIENT_ID, token_type_hint=kind)

    assert (answer.status_code, answer.content) == (200, b"")
    assert not scene.is_alive(tokens)
    assert scene.renew(tokens["refresh_token"]).status_code == 400


def test_b125_only_the_apps_own_session_ends(scene: Scene) -> None:
    tokens, other = scene.sign_in(), scene.sign_in()

    assert scene.post("/auth/revoke", token=tokens["access_token"], client_id="phone").status_code == 200
    assert scene.post("/auth/revoke", token=new_secret(), client_id=CLIENT_ID).status_code == 200
    assert scene.is_alive(tokens)
    scene.post("/auth/revoke", token=tokens["access_token"], client_id=CLIENT_ID)
    assert scene.is_alive(other)


def test_revocation_wants_a_known_client_and_a_token(scene: Scene) -> None:
    unknown = scene.post("/auth/revoke", token="x" * 43, client_id="another")
    missing = scene.post("/auth/revoke", client_id=CLIENT_ID)

    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_client")
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")


def test_b43_b44_one_kind_of_token_is_not_another(scene: Scene) -> None:
    tokens = scene.sign_in()

    assert not scene.is_alive({"access_token": tokens["refresh_token"]})
    assert scene.renew(tokens["access_token"]).status_code == 400
    assert not scene.is_alive({"access_token": scene.desk.earlier_token})
    assert scene.is_alive(tokens)


def test_b127_nothing_from_before_the_login_is_valid_after_it(scene: Scene) -> None:
    with scene.browser() as http:
        http.get(scene.phone().url)
        (browser,) = http.cookies.values()
    assert not scene.is_alive({"access_token": browser})
    assert len({scene.sign_in()["access_token"], scene.sign_in()["access_token"]}) == 2


def test_b130_cookies_and_queries_are_no_authentication(scene: Scene) -> None:
    token = scene.sign_in()["access_token"]
    with scene.browser() as http:
        query = {"query": "{ me { id } }"}
        assert http.post(f"{scene.url}/graphql?access_token={token}", json=query).status_code == 401
        assert http.post(f"{scene.url}/graphql", json=query, headers={"Cookie": f"token={token}"}).status_code == 401


def test_token_exchange_is_off_by_default(scene: Scene) -> None:
    scene.sign_in()
    answer = scene.post(
        "/auth/token",
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        client_id=CLIENT_ID,
        subject_token=scene.desk.earlier_token or "",
        subject_token_type=ID_TOKEN_TYPE,
        requested_token_type=ACCESS_TOKEN_TYPE,
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token"])
def test_an_unknown_app_is_no_client(scene: Scene, grant_type: str) -> None:
    answer = scene.post("/auth/token", grant_type=grant_type, client_id="another", code="c" * 43)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
