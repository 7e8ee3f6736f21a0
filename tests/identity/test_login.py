"""From the app to the provider and back: one login, one browser, one code. Cases B62 to B81 of the security page."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.core.ids import new_secret
from app.demo.phone import SignInFailed, browse
from app.demo.provider.faults import Fault
from tests.identity.signing_in import CLAIMED, LOOPBACK, TLS, Scene, answer_of
from tests.sockets import PATIENCE

# Every one ends the login; the name of the OpenID Foundation's test stands beside it where there is one.
REFUSED: dict[str, tuple[Fault, ...]] = {
    "b62_state_missing_in_the_answer": (Fault.ANSWER_WITHOUT_STATE,),
    "b63_state_of_no_login": (Fault.ANSWER_OTHER_STATE,),
    "b66_nonce_missing": (Fault.NONCE_MISSING,),
    "b67_nonce_wrong": (Fault.NONCE_OTHER,),
    "b69_id_token_of_an_earlier_login": (Fault.TOKEN_OF_EARLIER_LOGIN,),
    "b73_iss_missing_in_the_answer": (Fault.ANSWER_WITHOUT_ISS,),
    "b73_iss_of_another_in_the_answer": (Fault.ANSWER_OTHER_ISS,),
    "b1_signature_none": (Fault.SIGNATURE_NONE,),
    "b3_signature_null_alg": (Fault.SIGNATURE_NULL_ALG,),
    "b8_signature_hs256": (Fault.SIGNATURE_HS256,),
    "b10_signature_alternate_alg": (Fault.SIGNATURE_ALTERNATE_ALG,),
    "b168_signature_of_another_key": (Fault.SIGNATURE_OTHER_KEY,),
    "b16_kid_unknown": (Fault.KID_UNKNOWN,),
    "b25_exp_past": (Fault.EXP_PAST,),
    "b26_exp_missing": (Fault.EXP_MISSING,),
    "b29_exp_far": (Fault.EXP_FAR,),
    "b31_iat_ahead": (Fault.IAT_AHEAD,),
    "b32_iat_missing": (Fault.IAT_MISSING,),
    "b33_aud_other": (Fault.AUD_OTHER,),
    "b34_aud_missing": (Fault.AUD_MISSING,),
    "b35_aud_second": (Fault.AUD_SECOND,),
    "b37_iss_other": (Fault.ISS_OTHER,),
    "b38_iss_missing": (Fault.ISS_MISSING,),
    "b40_sub_missing": (Fault.SUB_MISSING,),
    "b45_logout_token_as_id_token": (Fault.TYP_LOGOUT,),
    "azp_other": (Fault.AZP_OTHER,),
    "at_hash_other": (Fault.AT_HASH_OTHER,),
    "token_type_other": (Fault.TOKEN_TYPE_OTHER,),
    "b81_token_endpoint_redirects": (Fault.REDIRECT_TOKEN,),
    "token_answer_compressed": (Fault.COMPRESSED_TOKEN,),
}
ACCEPTED: dict[str, Fault] = {
    "b17_kid_absent_one_key": Fault.KID_ABSENT,
    "b36_aud_as_array": Fault.AUD_ARRAY,
    "at_hash_missing": Fault.AT_HASH_MISSING,
    "token_type_in_other_case": Fault.TOKEN_TYPE_UPPER,
    "auth_time_old_where_no_age_is_asked": Fault.AUTH_TIME_OLD,
}


def rows(scene: Scene) -> tuple[int, int]:
    return scene.count("handoff"), scene.count("session")


def callback(scene: Scene, http: httpx.Client, **answer: str) -> httpx.Response:
    return http.get(f"{scene.url}/auth/callback?{urlencode(answer)}")


def at_the_provider(scene: Scene, http: httpx.Client, account: str = "citizen:1") -> str:
    """Sign in at the provider and stop before the callback; its address."""
    begun = http.get(scene.phone().url)
    page = http.get(begun.headers["location"])
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket is not None, page.text
    chosen = http.post(f"{scene.desk.issuer}/authorize", data={"ticket": ticket[1], "account": account})
    return str(chosen.headers["location"])


def test_a_phone_signs_in_with_pkce_and_reads_its_book(scene: Scene) -> None:
    tokens = scene.sign_in("citizen:1")

    assert (tokens["token_type"], tokens["expires_in"], tokens["identity_level"]) == ("DPoP", 300, 2)
    assert tokens["scope"] == "patient/*.rs offline_access"
    answer = scene.ask("{ me { fullName } healthBook { visits { nodes { id } } } }", tokens["access_token"])
    name = scene.account("citizen:1").full_name
    assert answer == {"data": {"me": {"fullName": name}, "healthBook": {"visits": {"nodes": []}}}}


def test_the_provider_saw_par_pkce_and_a_signed_assertion_and_no_secret(scene: Scene) -> None:
    scene.desk.seen.clear()
    scene.sign_in()

    assert (scene.desk.seen["/par"], scene.desk.seen["/authorize"], scene.desk.seen["/token"]) == (1, 1, 1)
    form = scene.desk.last_form
    assert form["grant_type"] == "authorization_code"
    assert len(form["code_verifier"]) == 43
    assert form["client_assertion_type"].endswith(":jwt-bearer")
    assert "client_secret" not in form


def test_b72_the_browser_sees_nothing_but_the_pushed_request(scene: Scene) -> None:
    with scene.browser() as http:
        begun = http.get(scene.phone().url)

    assert begun.status_code == 303
    assert set(answer_of(begun.headers["location"])) == {"client_id", "request_uri"}
    cookie = begun.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=600" in cookie


def test_the_answer_goes_to_the_app_with_its_state_and_our_name(scene: Scene) -> None:
    phone, back = scene.come_back()

    assert back.startswith(f"{LOOPBACK}?")
    answer = answer_of(back)
    assert set(answer) == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == (phone.state, scene.url)


@pytest.mark.parametrize("faults", [pytest.param(faults, id=name) for name, faults in REFUSED.items()])
def test_refused_and_nothing_is_left(scene: Scene, faults: tuple[Fault, ...]) -> None:
    scene.sign_in()  # an earlier login of the same person, for what replays one
    before = rows(scene)

    with scene.misbehaving(*faults):
        page = scene.refused_page()

    assert rows(scene) == before
    assert "Sổ Khỏe" in page
    assert 'lang="en"' in page
    assert "Traceback" not in page


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in ACCEPTED.items()])
def test_accepted(scene: Scene, fault: Fault) -> None:
    with scene.misbehaving(fault):
        assert scene.is_alive(scene.sign_in())


def test_an_app_that_sends_no_state_is_sent_none(scene: Scene) -> None:
    """PKCE stands for it: RFC 9700 section 2.1; common clients leave it out where S256 is offered."""
    phone = scene.phone()
    with scene.browser() as http:
        back = browse(phone.url.replace("state=", "unknown="), account="citizen:1", http=http)
    assert set(answer_of(back)) == {"code", "iss"}


def test_b62_callback_without_a_state(scene: Scene) -> None:
    with scene.browser() as http:
        for answer in ({}, {"code": "x"}, {"state": ""}, {"state": "x" * 42}, {"state": "x" * 5000}):
            assert callback(scene, http, **answer).status_code == 400
        assert http.get(f"{scene.url}/auth/callback?state=a&state=b").status_code == 400


def test_b63_another_browsers_state_is_refused_and_used_up(scene: Scene) -> None:
    scene.desk.seen.clear()
    with scene.browser() as victim, scene.browser() as attacker:
        back = at_the_provider(scene, victim)
        stolen = attacker.get(back)
        late = victim.get(back)

    assert (stolen.status_code, late.status_code) == (400, 400)
    assert scene.desk.seen["/token"] == 0


def test_b63_a_browser_with_a_login_of_its_own_cannot_use_anothers(scene: Scene) -> None:
    with scene.browser() as victim, scene.browser() as attacker:
        back = at_the_provider(scene, victim)
        at_the_provider(scene, attacker, "citizen:2")
        for name in list(attacker.cookies):
            value = attacker.cookies[name]
            attacker.cookies.set(victim_cookie(victim), value, domain="127.0.0.1")
        assert attacker.get(back).status_code == 400


def victim_cookie(http: httpx.Client) -> str:
    (name,) = list(http.cookies)
    return name


def test_b64_a_state_is_good_once(scene: Scene) -> None:
    with scene.browser() as http:
        back = at_the_provider(scene, http)
        cookies = dict(http.cookies)
        assert http.get(back).status_code == 303
        assert httpx.get(back, cookies=cookies, timeout=PATIENCE, verify=TLS).status_code == 400


def test_b65_a_login_ends_after_ten_minutes(scene: Scene) -> None:
    with scene.browser() as http:
        back = at_the_provider(scene, http)
        scene.stand.as_owner("UPDATE auth.login SET expires_at = expires_at - interval '10 minutes 1 second'")
        assert http.get(back).status_code == 400


def test_b65_a_login_lives_for_ten_minutes(scene: Scene) -> None:
    with scene.browser() as http:
        back = at_the_provider(scene, http)
        scene.stand.as_owner("UPDATE auth.login SET expires_at = expires_at - interval '9 minutes 50 seconds'")
        assert http.get(back).status_code == 303


def test_b68_nonce_of_another_login(scene: Scene) -> None:
    with scene.browser() as first, scene.browser() as second:
        one, other = at_the_provider(scene, first), at_the_provider(scene, second)
        taken = scene.desk.codes[answer_of(other)["code"]]
        mixed = scene.desk.codes[answer_of(one)["code"]]
        nonce = taken.asked.nonce
        assert nonce != mixed.asked.nonce
        with scene.misbehaving(nonce=nonce):
            assert first.get(one).status_code == 400


def test_b70_50_parallel_callbacks_give_one_session_and_one_exchange(scene: Scene) -> None:
    scene.desk.seen.clear()
    before = scene.count("handoff")
    phone = scene.phone()
    with scene.browser() as http:
        begun = http.get(phone.url)
        page = http.get(begun.headers["location"])
        ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert ticket is not None
        chosen = http.post(f"{scene.desk.issuer}/authorize", data={"ticket": ticket[1], "account": "citizen:1"})
        back, cookies = chosen.headers["location"], dict(http.cookies)
        with ThreadPoolExecutor(25) as pool:
            answers = list(
                pool.map(lambda _: httpx.get(back, cookies=cookies, timeout=PATIENCE, verify=TLS), range(50))
            )
        won = [answer.headers["location"] for answer in answers if answer.status_code == 303]
        assert [answer.status_code for answer in answers].count(400) == 49
        assert len(won) == 1
        assert scene.desk.seen["/token"] == 1
        assert scene.count("handoff") == before + 1
        sessions = scene.count("session")
        assert scene.is_alive(phone.tokens(http, came_back_to=won[0]))
    assert scene.count("session") == sessions + 1


def test_b71_a_code_of_another_login_fails_pkce(scene: Scene) -> None:
    with scene.browser() as victim, scene.browser() as attacker:
        stolen = answer_of(at_the_provider(scene, victim))["code"]
        own = answer_of(at_the_provider(scene, attacker, "citizen:2"))
        before = rows(scene)
        assert callback(scene, attacker, **{**own, "code": stolen}).status_code == 400
    assert rows(scene) == before


def test_b72_our_challenge_is_sent_even_to_a_provider_that_ignores_it(scene: Scene) -> None:
    with scene.misbehaving(Fault.PKCE_IGNORED), scene.browser() as http:
        code = answer_of(at_the_provider(scene, http))["code"]
        assert len(scene.desk.codes[code].asked.challenge) == 43


def test_b75_an_error_of_the_provider_is_told_in_our_words(scene: Scene) -> None:
    with scene.misbehaving(Fault.ANSWER_ERROR_SCRIPT):
        phone, back = scene.come_back()

    assert answer_of(back) == {"error": "server_error", "state": phone.state, "iss": scene.url}


def test_b75_a_person_who_does_not_want_to_goes_back_to_the_app(scene: Scene) -> None:
    phone, back = scene.come_back("")

    assert answer_of(back) == {"error": "access_denied", "state": phone.state, "iss": scene.url}


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("/book/visits", "/book/visits"),
        ("/", "/"),
        ("//evil.example", None),
        ("\\\\evil.example", None),
        ("/\\evil.example", None),
        ("https:evil.example", None),
        ("javascript:alert(1)", None),
        ("/%2f/evil.example", None),
        ("/a?next=//evil.example", None),
        ("/" + "a" * 300, None),
        ("/a\nb", None),
    ],
)
def test_b76_only_a_place_in_the_app_is_returned_to(scene: Scene, wanted: str, kept: str | None) -> None:
    url = f"{scene.phone().url}&{urlencode({'return': wanted, 'return_to': 'https://evil.example'})}"
    with scene.browser() as http:
        try:
            answer = answer_of(browse(url, account="citizen:1", http=http))
        except SignInFailed:
            assert kept is None  # a control character is no query at all
            return

    assert answer.get("return") == kept


WRONG_LOGINS: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "client_unknown": lambda query: {**query, "client_id": "another"},
    "client_missing": lambda query: without(query, "client_id"),
    "redirect_missing": lambda query: without(query, "redirect_uri"),
    "redirect_other_host": lambda query: {**query, "redirect_uri": "http://127.0.0.1.evil.example:80/x"},
    "redirect_user": lambda query: {**query, "redirect_uri": "http://127.0.0.1:80@evil.example/x"},
    "redirect_query": lambda query: {**query, "redirect_uri": LOOPBACK + "?x=1"},
    "redirect_fragment": lambda query: {**query, "redirect_uri": LOOPBACK + "#x"},
    "redirect_https_loopback": lambda query: {**query, "redirect_uri": "https://127.0.0.1:1/x"},
    "redirect_localhost": lambda query: {**query, "redirect_uri": "http://localhost:1/x"},
    "redirect_port_0": lambda query: {**query, "redirect_uri": "http://127.0.0.1:0/x"},
    "redirect_port_too_high": lambda query: {**query, "redirect_uri": "http://127.0.0.1:65536/x"},
    "redirect_port_twice_written": lambda query: {**query, "redirect_uri": "http://127.0.0.1:08080/x"},
    "redirect_custom_scheme": lambda query: {**query, "redirect_uri": "sokhoe://signed-in"},
    "redirect_of_another_app": lambda query: {**query, "redirect_uri": CLAIMED},
    "claimed_with_slash": lambda query: {**query, "client_id": "phone", "redirect_uri": CLAIMED + "/"},
    "claimed_in_capitals": lambda query: {**query, "client_id": "phone", "redirect_uri": CLAIMED.upper()},
    "loopback_of_an_app_without": lambda query: {**query, "client_id": "phone"},
}
SENT_BACK: dict[str, tuple[str, Callable[[dict[str, str]], dict[str, str]]]] = {
    "state_too_long": ("invalid_request", lambda query: {**query, "state": "s" * 513}),
    "response_type_token": ("unsupported_response_type", lambda query: {**query, "response_type": "token"}),
    "response_type_missing": ("invalid_request", lambda query: without(query, "response_type")),
    "response_mode_fragment": ("invalid_request", lambda query: {**query, "response_mode": "fragment"}),
    "response_mode_form_post": ("invalid_request", lambda query: {**query, "response_mode": "form_post"}),
    "challenge_missing": ("invalid_request", lambda query: without(query, "code_challenge")),
    "challenge_plain": ("invalid_request", lambda query: {**query, "code_challenge_method": "plain"}),
    "method_missing": ("invalid_request", lambda query: without(query, "code_challenge_method")),
    "challenge_short": ("invalid_request", lambda query: {**query, "code_challenge": "abc"}),
}


def without(query: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in query.items() if key != name}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in WRONG_LOGINS.items()])
def test_t5_nobody_is_sent_to_an_address_that_is_not_the_apps(scene: Scene, change: Any) -> None:
    query = change(answer_of(scene.phone().url))
    with scene.browser() as http:
        answer = http.get(f"{scene.url}/auth/login?{urlencode(query)}")

    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "evil" not in answer.text


@pytest.mark.parametrize(("error", "change"), [pytest.param(*case, id=name) for name, case in SENT_BACK.items()])
def test_an_apps_own_mistake_is_told_to_the_app(scene: Scene, error: str, change: Any) -> None:
    query = change(answer_of(scene.phone().url))
    with scene.browser() as http:
        answer = http.get(f"{scene.url}/auth/login?{urlencode(query)}")

    told = answer_of(answer.headers["location"])
    assert answer.headers["location"].startswith(LOOPBACK)
    assert (told["error"], told["iss"]) == (error, scene.url)


def test_a_parameter_said_twice_is_refused(scene: Scene) -> None:
    with scene.browser() as http:
        assert http.get(scene.phone().url + "&client_id=phone").status_code == 400


def test_a_claimed_link_is_where_the_code_goes(scene: Scene) -> None:
    query = {**answer_of(scene.phone().url), "client_id": "phone", "redirect_uri": CLAIMED}
    with scene.browser() as http:
        begun = http.get(f"{scene.url}/auth/login?{urlencode(query)}")
        page = http.get(begun.headers["location"])
        ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert ticket is not None
        chosen = http.post(f"{scene.desk.issuer}/authorize", data={"ticket": ticket[1], "account": "citizen:1"})
        back = http.get(chosen.headers["location"]).headers["location"]

    assert back.startswith(f"{CLAIMED}?code=")


def test_secrets_of_a_login_are_stored_as_hashes_only(scene: Scene) -> None:
    with scene.browser() as http:
        back = at_the_provider(scene, http)
        code = answer_of(back)["code"]
        asked = scene.desk.codes[code].asked
        stored = str(scene.stand.as_owner("SELECT l::text FROM auth.login l"))
        for secret in (asked.nonce, asked.state, asked.challenge, *http.cookies.values()):
            assert secret
            assert secret not in stored


letters = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=50)


@hypothesis_settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_mutation_of_a_callback_is_refused(scene: Scene, data: st.DataObject) -> None:
    good = {"code": new_secret(), "state": new_secret(), "iss": scene.desk.issuer}
    name = data.draw(st.sampled_from([*good, "error", "extra"]))
    before = rows(scene)

    with scene.browser() as http:
        answer = callback(scene, http, **{**good, name: data.draw(letters)})

    assert answer.status_code == 400
    assert rows(scene) == before
