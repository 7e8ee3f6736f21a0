"""The provider signs people out: cases B82 to B90, against the running server."""

import pytest

from app.core.ids import new_secret
from app.demo.provider.faults import Fault
from tests.identity.signing_in import Scene

REFUSED = {
    "b83_alg_none": Fault.LOGOUT_ALG_NONE,
    "b84_wrong_alg": Fault.LOGOUT_WRONG_ALG,
    "b85_wrong_aud": Fault.LOGOUT_WRONG_AUD,
    "b86_wrong_iss": Fault.LOGOUT_WRONG_ISS,
    "b87_no_event": Fault.LOGOUT_NO_EVENT,
    "b88_wrong_event": Fault.LOGOUT_WRONG_EVENT,
    "b89_with_nonce": Fault.LOGOUT_WITH_NONCE,
    "b90_expired": Fault.LOGOUT_EXPIRED,
}


def logout(scene: Scene, *, subject: str | None = None, session_id: str | None = None, token: str | None = None) -> int:
    token = scene.desk.logout_token(subject=subject, session_id=session_id) if token is None else token
    answer = scene.post("/auth/backchannel-logout", logout_token=token)
    assert "no-store" in answer.headers["cache-control"]
    if answer.status_code == 400:  # Back-Channel Logout 1.0, section 2.8
        assert set(answer.json()) == {"error", "error_description", "error_description#vi"}
    return answer.status_code


def newest(scene: Scene) -> str:
    return list(scene.desk.sessions)[-1]


def test_b82_a_session_ends_at_once_and_no_other(scene: Scene) -> None:
    kept = scene.sign_in("citizen:1")
    ended = scene.sign_in("citizen:1")

    assert logout(scene, subject=scene.account("citizen:1").subject, session_id=newest(scene)) == 200
    assert not scene.is_alive(ended)
    assert scene.renew(ended["refresh_token"]).status_code == 400
    assert scene.is_alive(kept)


def test_b82_a_session_without_a_subject(scene: Scene) -> None:
    ended = scene.sign_in("citizen:2")

    assert logout(scene, session_id=newest(scene)) == 200
    assert not scene.is_alive(ended)


def test_b82_a_subject_alone_ends_all_of_theirs_and_nobody_elses(scene: Scene) -> None:
    mine = [scene.sign_in("citizen:1"), scene.sign_in("citizen:1")]
    other = scene.sign_in("citizen:3")

    assert logout(scene, subject=scene.account("citizen:1").subject) == 200
    assert [scene.is_alive(tokens) for tokens in mine] == [False, False]
    assert scene.is_alive(other)


def test_b82_a_code_that_is_not_fetched_yet_is_dead_too(scene: Scene) -> None:
    phone, back = scene.come_back("citizen:1")
    assert logout(scene, subject=scene.account("citizen:1").subject) == 200

    with scene.browser() as http, pytest.raises(Exception, match="invalid_grant"):
        phone.tokens(http, came_back_to=back)


def test_session_and_subject_must_belong_together(scene: Scene) -> None:
    tokens = scene.sign_in("citizen:1")

    assert logout(scene, subject=scene.account("citizen:2").subject, session_id=newest(scene)) == 200
    assert scene.is_alive(tokens)


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in REFUSED.items()])
def test_refused_and_no_session_ends(scene: Scene, fault: Fault) -> None:
    tokens = scene.sign_in("citizen:1")
    with scene.misbehaving(fault):
        assert logout(scene, session_id=newest(scene)) == 400

    assert scene.is_alive(tokens)


def test_b90_a_logout_token_is_good_once(scene: Scene) -> None:
    token = scene.desk.logout_token(subject=scene.account("citizen:1").subject, session_id=None)
    assert logout(scene, token=token) == 200
    tokens = scene.sign_in("citizen:1")

    assert logout(scene, token=token) == 400
    assert scene.is_alive(tokens)


def test_an_identity_token_signs_nobody_out(scene: Scene) -> None:
    tokens = scene.sign_in("citizen:1")

    assert logout(scene, token=scene.desk.earlier_token) == 400
    for garbage in ("", "a.b.c", new_secret()):
        assert logout(scene, token=garbage) == 400
    assert scene.is_alive(tokens)


def test_the_page_of_the_provider_signs_out(scene: Scene) -> None:
    tokens = scene.sign_in("citizen:2")
    with scene.browser() as http:
        assert scene.account("citizen:2").full_name in http.get(f"{scene.desk.issuer}/").text
        answer = http.post(f"{scene.desk.issuer}/logout", data={"sid": newest(scene)}, follow_redirects=True)

    assert "(200)" in answer.text
    assert not scene.is_alive(tokens)
