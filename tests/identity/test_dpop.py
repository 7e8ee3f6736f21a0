"""Proofs of possession over the wire. Cases B49 to B60 of the security page, and B12."""

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.core.clock import utc_now
from app.core.crypto import Derivation
from app.core.db import Login
from app.core.ids import new_secret
from app.demo.phone import CLIENT_ID, Phone, browse
from app.identity.dpop import _nonces, nonces_at, token_hash
from app.identity.jwk import new_private_key, thumbprint
from app.identity.jwt import _held_key, public_part, sign, sign_proof
from tests.conftest import RunningServer
from tests.identity.forging import malleated, signed, unsegment
from tests.identity.signing_in import BEARER, LOOPBACK, Scene, answer_of
from tests.identity.test_sessions import redeem

ME = {"query": "{ me { id } }"}
Claims = dict[str, object]


@dataclass(frozen=True, slots=True)
class Bound:
    """One phone that is signed in, and how it asks by hand."""

    scene: Scene
    phone: Phone
    token: str
    refresh_token: str

    @property
    def nonce(self) -> str:
        return nonces_at(utc_now(), derive=self.scene.stand.vault.derivation.secret).current

    def claims(self, **changed: object) -> Claims:
        good: Claims = {
            "htm": "POST",
            "htu": f"{self.scene.url}/graphql",
            "iat": int(utc_now().timestamp()),
            "jti": new_secret(),
            "nonce": self.nonce,
            "ath": token_hash(self.token),
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def proof(self, **changed: object) -> str:
        return sign_proof(self.claims(**changed), key=self.phone.key)

    def ask(self, *proofs: str, scheme: str = "DPoP", url: str | None = None) -> httpx.Response:
        headers = [("Authorization", f"{scheme} {self.token}"), *(("DPoP", proof) for proof in proofs)]
        with self.scene.browser() as http:
            return http.post(f"{url or self.scene.url}/graphql", json=ME, headers=headers)

    def form(self, proof: str | None) -> httpx.Response:
        form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": self.refresh_token}
        with self.scene.browser() as http:
            headers = {} if proof is None else {"DPoP": proof}
            return http.post(f"{self.scene.url}/auth/token", data=form, headers=headers)

    def token_proof(self, **changed: object) -> str:
        return self.proof(**{"htu": f"{self.scene.url}/auth/token", "ath": None, **changed})


def signed_in(scene: Scene) -> Bound:
    phone = scene.phone()
    tokens = scene.sign_in(phone=phone)
    return Bound(scene, phone, tokens["access_token"], tokens["refresh_token"])


@pytest.fixture
def bound(scene: Scene) -> Bound:
    return signed_in(scene)


def refused(answer: httpx.Response, error: str = "invalid_dpop_proof") -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == f'DPoP error="{error}", algs="ES256"'
    assert [entry["extensions"] for entry in answer.json()["errors"]] == [{"code": "UNAUTHENTICATED"}]


def with_header(proof: str, *, key: Mapping[str, str], **changed: object) -> str:
    """Return the same claims signed by the same key under another header."""
    header: dict[str, Any] = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public_members(key), **changed}
    kept = {name: value for name, value in header.items() if value is not None}
    return signed(kept, json.loads(unsegment(proof.split(".")[1])), key)


def public_members(key: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in public_part(key).items() if name in {"kty", "crv", "x", "y"}}


def test_a_bound_token_with_a_good_proof_reads(bound: Bound) -> None:
    answer = bound.ask(bound.proof())

    assert answer.status_code == 200
    assert "errors" not in answer.json()
    assert "dpop-nonce" not in answer.headers


def test_the_scheme_has_no_case(bound: Bound) -> None:
    assert [bound.ask(bound.proof(), scheme=scheme).status_code for scheme in ("dpop", "DPOP")] == [200, 200]


def test_b49_without_a_proof(bound: Bound) -> None:
    refused(bound.ask())
    missing = bound.form(None)
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_dpop_proof")


def test_b50_a_proof_by_another_key(bound: Bound) -> None:
    refused(bound.ask(sign_proof(bound.claims(), key=new_private_key())), "invalid_token")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"htm": "GET"}, id="b51_other_method"),
        pytest.param({"htm": "post"}, id="b51_method_in_another_case"),
        pytest.param({"htm": None}, id="b51_no_method"),
        pytest.param({"htu": "http://127.0.0.1:1/graphql"}, id="b52_other_port"),
        pytest.param({"htu": "https://sokhoe.example/graphql"}, id="b52_other_host"),
        pytest.param({"htu": "/graphql"}, id="b52_path_alone"),
        pytest.param({"htu": None}, id="b52_no_address"),
        pytest.param({"htu": 1}, id="b52_a_number"),
        pytest.param({"htu": "http://[::1/graphql"}, id="b52_no_url"),
        pytest.param({"ath": None}, id="b53_no_token_hash"),
        pytest.param({"ath": token_hash("x" * 43)}, id="b53_hash_of_another_token"),
        pytest.param({"jti": None}, id="b54_no_id"),
        pytest.param({"jti": ""}, id="b54_empty_id"),
        pytest.param({"jti": "x" * 256}, id="b54_endless_id"),
        pytest.param({"jti": 7}, id="b54_id_is_a_number"),
        pytest.param({"iat": None}, id="b55_no_time"),
        pytest.param({"iat": "1700000000"}, id="b55_time_is_a_text"),
        pytest.param({"iat": True}, id="b55_time_is_a_boolean"),
    ],
)
def test_claims_that_do_not_fit(bound: Bound, changed: dict[str, object]) -> None:
    refused(bound.ask(bound.proof(**changed)))


def test_b52_the_same_server_by_another_path(bound: Bound) -> None:
    for path in ("/auth/token", "/graphql/", "/Graphql", ""):
        refused(bound.ask(bound.proof(htu=f"{bound.scene.url}{path}")))


def test_an_address_is_compared_without_query_and_in_its_normal_form(bound: Bound) -> None:
    address = f"{bound.scene.url}/graphql"
    for same in (f"{address}?a=b", f"{address}#here", address.replace("http://", "HTTP://")):
        assert bound.ask(bound.proof(htu=same)).status_code == 200
    refused(bound.ask(bound.proof(htu=address.replace("http://", "http://user@"))))


def test_b54_a_proof_is_good_once(bound: Bound) -> None:
    proof = bound.proof()
    assert bound.ask(proof).status_code == 200
    refused(bound.ask(proof))


def test_b54_in_two_processes_at_once(bound: Bound) -> None:
    other = RunningServer(bound.scene.settings)  # the same settings, a house of its own
    other.start()
    try:
        proof = bound.proof()
        with ThreadPoolExecutor(10) as pool:
            urls = [bound.scene.url, other.url] * 10
            answers = list(pool.map(lambda url: bound.ask(proof, url=url).status_code, urls))
    finally:
        other.stop()
    assert sorted(set(answers)) == [200, 401]
    assert answers.count(200) == 1


def test_b54_another_signature_of_the_same_proof(bound: Bound) -> None:
    """B12: (r, n - s) is a signature too; a proof is known by its jti."""
    proof = bound.proof()
    twin = malleated(proof)
    assert bound.ask(proof).status_code == 200
    refused(bound.ask(twin))


def test_b54_at_the_token_endpoint_too(bound: Bound) -> None:
    proof = bound.token_proof()
    assert bound.form(proof).status_code == 200
    again = bound.form(proof)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize(("seconds", "status"), [(-70, 401), (-62, 401), (-50, 200), (-10, 200), (8, 200), (13, 401)])
def test_b55_a_proof_is_of_this_minute(bound: Bound, seconds: int, status: int) -> None:
    assert bound.ask(bound.proof(iat=int(utc_now().timestamp()) + seconds)).status_code == status


def test_b56_a_private_key_in_the_header(bound: Bound) -> None:
    refused(bound.ask(with_header(bound.proof(), key=bound.phone.key, jwk=dict(bound.phone.key))))


@pytest.mark.parametrize("alg", ["HS256", "none", "RS256", "ES384", "", None, 1])
def test_b57_another_algorithm(bound: Bound, alg: object) -> None:
    refused(bound.ask(with_header(bound.proof(), key=bound.phone.key, alg=alg)))


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "", None, 1])
def test_b58_another_type(bound: Bound, typ: object) -> None:
    refused(bound.ask(with_header(bound.proof(), key=bound.phone.key, typ=typ)))


@pytest.mark.parametrize(
    "changed",
    [
        {"jwk": None},
        {"jwk": "key"},
        {"jwk": {}},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": public_part(new_private_key(alg="ES384"))},
        {"crit": ["exp"]},
        {"x5c": ["MII"]},
        {"jku": "http://127.0.0.1:9/keys"},
    ],
)
def test_headers_that_do_not_fit(bound: Bound, changed: dict[str, object]) -> None:
    refused(bound.ask(with_header(bound.proof(), key=bound.phone.key, **changed)))


def test_a_key_that_is_no_point_of_the_curve(bound: Bound) -> None:
    bent = {**public_members(bound.phone.key), "y": public_members(new_private_key())["y"]}
    refused(bound.ask(with_header(bound.proof(), key=bound.phone.key, jwk=bent)))


@pytest.mark.parametrize(
    "change", [lambda p: p[:-4], lambda p: p + "AAAA", lambda p: p.replace(".", "..", 1), str.upper]
)
def test_forms_that_are_no_proof(bound: Bound, change: Callable[[str], str]) -> None:
    refused(bound.ask(change(bound.proof())))
    refused(bound.ask("x" * 9000))


def test_a_token_of_ours_is_no_proof(bound: Bound) -> None:
    refused(bound.ask(sign(bound.claims(), key=bound.phone.key, typ="dpop+jwt")))


def test_b59_two_proofs(bound: Bound) -> None:
    refused(bound.ask(bound.proof(), bound.proof()))


def test_b60_a_bound_token_as_bearer(bound: Bound) -> None:
    for proofs in ((), (bound.proof(),)):
        answer = bound.ask(*proofs, scheme="Bearer")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token", DPoP algs="ES256"'


def test_a_bearer_token_is_not_taken_with_a_proof(scene: Scene) -> None:
    bearer = signed_in_as_bearer(scene)
    assert bearer.ask(scheme="Bearer").status_code == 200
    refused(bearer.ask(bearer.proof()), "invalid_token")


def signed_in_as_bearer(scene: Scene) -> Bound:
    phone = scene.phone()
    with scene.browser() as http:
        address = phone.url.replace(CLIENT_ID, BEARER).replace("dpop_jkt=", "x=")
        code = answer_of(browse(address, account="citizen:1", http=http))["code"]
        form = {
            "grant_type": "authorization_code",
            "client_id": BEARER,
            "code": code,
            "redirect_uri": LOOPBACK,
            "code_verifier": phone.verifier,
        }
        tokens = http.post(f"{scene.url}/auth/token", data=form).json()
    assert tokens["token_type"] == "Bearer"
    return Bound(scene, phone, tokens["access_token"], tokens["refresh_token"])


def test_a_proof_without_our_nonce_is_told_which(bound: Bound) -> None:
    for nonce in (None, "", "x", new_secret()):
        answer = bound.ask(bound.proof(nonce=nonce))
        refused(answer, "use_dpop_nonce")
        assert answer.headers["dpop-nonce"] == bound.nonce
    told = bound.form(bound.token_proof(nonce=None))
    assert (told.status_code, told.json()["error"]) == (400, "use_dpop_nonce")
    assert told.headers["dpop-nonce"] == bound.nonce


def test_the_nonce_of_the_window_before_is_good_and_the_next_one_is_told(bound: Bound) -> None:
    derive, now = bound.scene.stand.vault.derivation.secret, utc_now()
    before = nonces_at(now - timedelta(minutes=5), derive=derive).current

    answer = bound.ask(bound.proof(nonce=before))

    assert answer.status_code == 200
    assert answer.headers["dpop-nonce"] == bound.nonce
    refused(
        bound.ask(bound.proof(nonce=nonces_at(now - timedelta(minutes=10), derive=derive).current)), "use_dpop_nonce"
    )
    refused(
        bound.ask(bound.proof(nonce=nonces_at(now + timedelta(minutes=5), derive=derive).current)), "use_dpop_nonce"
    )


def test_a_code_is_fetched_by_the_key_that_began(scene: Scene) -> None:
    phone, back = scene.come_back()
    thief = scene.phone(state=phone.state, verifier=phone.verifier)

    assert redeem(scene, thief, answer_of(back)["code"]).status_code == 400


@pytest.mark.parametrize("jkt", ["", "x", "x" * 42, "!" * 43])
def test_a_login_names_a_thumbprint_or_none(scene: Scene, jkt: str) -> None:
    phone = scene.phone()
    with scene.browser() as http:
        answer = http.get(phone.url.replace(thumbprint(phone.key), jkt))
    is_nothing = not jkt  # a parameter without a value is left out (RFC 6749 section 3.1)
    assert ("error=invalid_request" in answer.headers["location"]) != is_nothing


def test_a_renewed_token_is_bound_to_the_same_key(bound: Bound) -> None:
    renewed = bound.form(bound.token_proof()).json()
    assert renewed["token_type"] == "DPoP"

    now = Bound(bound.scene, bound.phone, renewed["access_token"], renewed["refresh_token"])
    assert now.ask(now.proof()).status_code == 200
    assert now.ask(scheme="Bearer").status_code == 401


def test_a_revocation_is_for_the_key_too(bound: Bound) -> None:
    stranger = bound.scene.phone()
    assert bound.scene.post("/auth/revoke", phone=stranger, token=bound.token, client_id=CLIENT_ID).status_code == 200
    assert bound.ask(bound.proof()).status_code == 200

    assert (
        bound.scene.post("/auth/revoke", phone=bound.phone, token=bound.token, client_id=CLIENT_ID).status_code == 200
    )
    refused(bound.ask(bound.proof()), "invalid_token")


def test_a_dead_token_leaves_no_proof_behind(scene: Scene, bound: Bound) -> None:
    scene.post("/auth/revoke", phone=bound.phone, token=bound.token, client_id=CLIENT_ID)
    before = scene.count("used_proof")
    refused(bound.ask(bound.proof()), "invalid_token")
    assert scene.count("used_proof") == before


def test_used_proofs_are_swept(scene: Scene) -> None:
    old, call = "'old ' || n", "auth.use_proof(NULL, '\\x01', 'new ' || n)"
    scene.stand.as_owner(
        f"INSERT INTO auth.used_proof SELECT '\\x00', {old}, now() - interval '1 second' FROM generate_series(1, 150) n"
    )
    scene.stand.as_owner(f"SELECT count({call}) FROM generate_series(1, 2000) n")  # one in fifty sweeps a hundred
    assert scene.count("used_proof WHERE proof_id LIKE 'old %'") == 0


def test_keys_are_known_again_and_the_memory_of_them_is_bounded() -> None:
    assert _held_key.cache_parameters() == {"maxsize": 10_000, "typed": False}


def test_nonces_are_of_their_window_and_of_the_vaults_key() -> None:
    now = utc_now()
    mine, other = (Derivation({"a": bytes([n]) * 32}) for n in (1, 2))
    before, here, after = (nonces_at(now + timedelta(minutes=n), derive=mine.secret) for n in (-5, 0, 5))
    assert (before.current, here.current) == (here.previous, after.previous)
    assert nonces_at(now, derive=mine.secret) == here
    told = {
        nonce
        for found in (here, after, nonces_at(now, derive=other.secret))
        for nonce in (found.current, found.previous)
    }
    assert len(told) == 5  # a window's own, that of the one before, and nothing of another key's
    assert _nonces.cache_parameters()["maxsize"] == 4


def test_metadata_name_the_algorithm(scene: Scene) -> None:
    with scene.browser() as http:
        for name in ("oauth-authorization-server", "smart-configuration"):
            known = http.get(f"{scene.url}/.well-known/{name}").json()
            assert known["dpop_signing_alg_values_supported"] == ["ES256"]


def test_a_facilitys_door_takes_bearer_tokens_only(bound: Bound) -> None:
    headers = {"Authorization": f"DPoP {bound.token}", "DPoP": bound.proof()}
    with bound.scene.browser() as http:
        assert http.get(f"{bound.scene.url}/ingest/messages", headers=headers).status_code == 401


def test_a_proof_is_counted_by_the_database_alone(bound: Bound) -> None:
    """What a proof is good for outlives the process that saw it first."""

    async def used() -> list[bool]:
        connection = await bound.scene.stand.connect(Login.DESK)
        try:
            return [await connection.fetchval("SELECT auth.use_proof(NULL, $1, 'p')", b"k" * 32) for _ in range(2)]
        finally:
            await connection.close()

    assert asyncio.run(used()) == [True, False]
