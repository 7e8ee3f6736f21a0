"""A provider that is down, slow, huge or wrong: sign-in fails by a clear page and in time, sessions live."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.core.settings import Settings
from app.demo.phone import browse
from app.demo.provider.desk import Granted
from app.demo.provider.faults import Fault
from app.identity import provider as provider_module
from tests.conftest import RunningServer
from tests.identity.signing_in import RunningProvider, Scene, make_scene
from tests.identity.test_login import at_the_provider

DOWN = "đang không trả lời"


@pytest.fixture
def fresh(scene: Scene) -> Iterator[Scene]:
    """A second server on the same database, which knows nothing of the provider yet."""
    made, provider, port = make_scene(scene.settings)
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    yield made
    server.stop()
    provider.stop()


def test_b81_nobody_waits_longer_than_three_seconds() -> None:
    assert Settings.model_fields["provider_seconds"].default < 3
    with pytest.raises(ValidationError, match="less than or equal to 3"):
        Settings(database_url="postgresql:///x", secrets_dir=Path("/"), provider_seconds=3.1)


def test_b81_a_slow_provider_is_not_waited_for(fresh: Scene, scene: Scene) -> None:
    tokens = scene.sign_in()
    with fresh.misbehaving(Fault.SLOW), fresh.impatient():
        assert DOWN in fresh.refused_page()  # its answer would be a good one, in the end
    assert scene.is_alive(tokens)
    assert fresh.is_alive(fresh.sign_in())


@pytest.mark.parametrize(
    "fault",
    [
        Fault.ERROR_500,
        Fault.HUGE_DISCOVERY,
        Fault.HUGE_JWKS,
        Fault.MANY_KEYS,
        Fault.REDIRECT_JWKS,
        Fault.REDIRECT_TOKEN,
        Fault.DISCOVERY_ISSUER,
        Fault.DISCOVERY_NO_S256,
        Fault.DISCOVERY_OTHER_ORIGIN,
    ],
)
def test_b72_b74_b81_sign_in_fails_by_a_page_and_sessions_live(fresh: Scene, scene: Scene, fault: Fault) -> None:
    tokens = scene.sign_in()
    with fresh.misbehaving(fault):
        page = fresh.refused_page()

    assert DOWN in page
    assert "does not answer" in page
    assert scene.is_alive(tokens)
    assert fresh.is_alive(tokens)
    assert fresh.renew(tokens["refresh_token"]).status_code == 200
    assert fresh.is_alive(fresh.sign_in())


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.ERROR_500])
def test_b81_in_the_middle_of_a_login(scene: Scene, fault: Fault) -> None:
    with scene.browser() as http:
        back = at_the_provider(scene, http)
        patience = scene.impatient() if fault is Fault.SLOW else nullcontext()
        with scene.misbehaving(fault), patience:
            answer = http.get(back)
        assert answer.status_code == 503
        assert DOWN in answer.text
        assert "error=server_error" in answer.text
        assert http.get(back).status_code == 400


def test_b81_a_provider_that_is_gone(scene: Scene) -> None:
    made, _, port = make_scene(scene.settings)
    server = RunningServer(made.settings, port=port)
    server.start()
    try:
        assert DOWN in made.refused_page()
        assert made.is_alive(scene.sign_in())
    finally:
        server.stop()


def test_b74_a_changed_issuer_leaves_the_known_metadata_in_use(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.sign_in()
    monkeypatch.setattr(provider_module, "METADATA_LIFE", timedelta(0))
    with scene.misbehaving(Fault.DISCOVERY_ISSUER):
        assert scene.is_alive(scene.sign_in())
    monkeypatch.setattr(provider_module, "STALE_LIFE", timedelta(0))
    with scene.misbehaving(Fault.DISCOVERY_ISSUER):
        assert DOWN in scene.refused_page()


def test_b16_100_unknown_key_ids_are_one_fetch(fresh: Scene) -> None:
    fresh.sign_in()
    before = fresh.desk.seen["/jwks"]
    with fresh.misbehaving(Fault.KID_UNKNOWN):
        for _ in range(10):
            fresh.refused_page()
        for _ in range(90):
            token = fresh.desk.id_token(_granted(fresh), access_token="x")
            assert fresh.post("/auth/backchannel-logout", logout_token=token).status_code == 400

    assert fresh.desk.seen["/jwks"] == before + 1


def _granted(scene: Scene) -> Granted:
    with scene.browser() as http:
        at_the_provider(scene, http)
    return list(scene.desk.codes.values())[-1]


def test_b61_keys_rotate_before_a_sign_in(fresh: Scene) -> None:
    fresh.sign_in()
    before = fresh.desk.seen["/jwks"]
    fresh.desk.rotate()
    assert fresh.is_alive(fresh.sign_in())
    assert fresh.desk.seen["/jwks"] == before + 1


def test_b61_keys_rotate_just_before_the_signature(fresh: Scene) -> None:
    fresh.sign_in()
    with fresh.browser() as http:
        back = at_the_provider(fresh, http)
        fresh.desk.rotate(keep=0)
        assert http.get(back).status_code == 303


def test_b61_a_key_that_is_no_longer_published_is_refused(fresh: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh.sign_in()
    old = fresh.desk.keys[0]
    fresh.desk.rotate(keep=0)
    published = list(fresh.desk.keys)
    fresh.desk.keys = [old]
    assert fresh.is_alive(fresh.sign_in())  # within the overlap of ten minutes it is still known
    fresh.desk.keys = published
    monkeypatch.setattr(provider_module, "KEYS_LIFE", timedelta(0))
    fresh.sign_in()
    monkeypatch.undo()
    monkeypatch.setattr(fresh.desk, "keys", [old, *published])
    monkeypatch.setattr(type(fresh.desk), "published_keys", lambda desk: [_public(key) for key in desk.keys[1:]])

    assert "Không xác thực được" in fresh.refused_page()


def _public(key: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in key.items() if name not in {"d", "p", "q", "dp", "dq", "qi"}}


def test_b18_several_keys_and_no_key_id_are_never_guessed(fresh: Scene) -> None:
    fresh.desk.rotate()
    with fresh.misbehaving(Fault.KID_ABSENT):
        assert "Không xác thực được" in fresh.refused_page()


def test_rs256_is_accepted_too(scene: Scene) -> None:
    made, provider, port = make_scene(scene.settings)
    provider.desk.algorithm = "RS256"
    provider.desk.rotate(keep=0)
    _signs_in(made, provider, port)


def test_an_algorithm_that_the_settings_do_not_name_is_refused(scene: Scene) -> None:
    made, provider, port = make_scene(scene.settings, algorithms=["RS256"])
    with pytest.raises(AssertionError, match="Không xác thực được"):
        _signs_in(made, provider, port)


def test_without_par_the_parameters_go_by_the_browser(scene: Scene) -> None:
    made, provider, port = make_scene(scene.settings)
    provider.desk.offers_par = False
    _signs_in(made, provider, port)


def test_max_age_is_asked_for_and_judged(scene: Scene) -> None:
    made, provider, port = make_scene(scene.settings, max_age_seconds=300, acr_values="2")
    provider.desk.offers_par = False
    _signs_in(made, provider, port)
    made.desk.faults.add(Fault.AUTH_TIME_OLD)
    with pytest.raises(AssertionError, match="Không xác thực được"):
        _signs_in(made, provider, port)


def test_vnconnect_says_who_it_is_in_userinfo(scene: Scene) -> None:
    made, provider, port = make_scene(scene.settings, preset="vnconnect")
    _signs_in(made, provider, port, account="citizen:6")


@pytest.mark.parametrize(
    ("fault", "account", "sentence"),
    [
        (Fault.USERINFO_OTHER_SUB, "citizen:6", "Không xác thực được"),
        (Fault.USERINFO_SIGNED, "citizen:6", DOWN),
        (None, "organisation", "tài khoản của tổ chức"),
    ],
)
def test_b77_userinfo_of_another_or_of_another_kind_is_refused(
    scene: Scene, fault: Fault | None, account: str, sentence: str
) -> None:
    made, provider, port = make_scene(scene.settings, preset="vnconnect")
    if fault is not None:
        made.desk.faults.add(fault)
    with pytest.raises(AssertionError, match=sentence):
        _signs_in(made, provider, port, account=account)


def _signs_in(made: Scene, provider: RunningProvider, port: int, *, account: str = "citizen:5") -> None:
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    try:
        phone = made.phone()
        with made.browser() as http:
            try:
                back = browse(phone.url, account=account, http=http)
            except Exception as page:
                raise AssertionError(str(page)) from page
            tokens = phone.tokens(http, came_back_to=back)
        assert tokens["identity_level"] == 2
        assert made.is_alive(tokens)
    finally:
        server.stop()
        provider.stop()
