"""A proof is good for one answer: marked in the transaction of what it is for, or right after what was refused."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from app.core.ids import new_secret
from app.gateway.trusted import trusted_operations
from tests.attacks import tries
from tests.conftest import RunningServer
from tests.identity.signing_in import Scene
from tests.identity.test_dpop import Bound, refused, signed_in

UNKNOWN = "00000000-0000-7000-8000-000000000001"


DOCUMENTS = {known.name: known.id for known in trusted_operations().values()}


def released(name: str) -> dict[str, Any]:
    return {"documentId": DOCUMENTS[name]}


ANSWERED: Mapping[str, Mapping[str, Any]] = {
    "a field of the desk": {"query": "{ me { id } }"},
    "a released field of the desk": released("Me"),
    "a book": {"query": "{ healthBook { version } }"},
    "a released book": released("Home"),
    "several roots": {"query": "{ me { id } healthBook { version } }"},
    "a preview": {"query": "{ sharingPreview(scope: {sections: [VISITS]}) { version } }"},
    "the schema": {"query": "{ __schema { queryType { name } } }"},
    "a mutation": {"query": f'mutation {{ endSession(input: {{sessionId: "{UNKNOWN}"}}) {{ me {{ id }} }} }}'},
    "another's book": {"query": f'{{ healthBook(citizenId: "{UNKNOWN}") {{ version }} }}'},
    "another's book, then the desk": {"query": f'{{ healthBook(citizenId: "{UNKNOWN}") {{ version }} me {{ id }} }}'},
    "a grant": {"query": f'{{ sharedHealthBook(grantId: "{UNKNOWN}") {{ version }} }}'},
    "no GraphQL": {"query": "{ me "},
    "no document": {"documentId": "0" * 64},
    "no request": {"query": 1},
}


@pytest.fixture
def bound(scene: Scene) -> Bound:
    return signed_in(scene)


def ask(bound: Bound, proof: str, body: Mapping[str, Any], **headers: str) -> httpx.Response:
    told = {"Authorization": f"DPoP {bound.token}", "DPoP": proof, **headers}
    with bound.scene.browser() as http:
        return http.post(f"{bound.scene.url}/graphql", json=dict(body), headers=told, timeout=20)


@pytest.mark.parametrize("what", ANSWERED)
def test_b54_whatever_it_is_shown_for_a_proof_is_marked_once(bound: Bound, what: str) -> None:
    jti = new_secret()
    proof = bound.proof(jti=jti)

    first = ask(bound, proof, ANSWERED[what])

    assert first.status_code != 401, first.text
    assert bound.scene.count(f"used_proof WHERE proof_id = '{jti}'") == 1
    refused(ask(bound, proof, ANSWERED["a book"]))
    refused(ask(bound, proof, ANSWERED["a field of the desk"]))


def test_b54_an_unchanged_book_marks_it_too(bound: Bound) -> None:
    etag = ask(bound, bound.proof(), ANSWERED["a released book"]).headers["etag"]
    proof = bound.proof()

    known = {"If-None-Match": etag}
    assert ask(bound, proof, ANSWERED["a released book"], **known).status_code == 304
    refused(ask(bound, proof, ANSWERED["a released book"], **known))


def test_b54_a_statement_that_was_stopped_marks_it_too(bound: Bound) -> None:
    jti = new_secret()
    proof = bound.proof(jti=jti)

    async def behind_a_lock() -> int:
        async with tries.as_role(bound.scene.stand, "auth_owner") as holder:
            await holder.execute("BEGIN; LOCK TABLE auth.book IN ACCESS EXCLUSIVE MODE")
            answer = await asyncio.to_thread(ask, bound, proof, ANSWERED["a book"])
            await holder.execute("ROLLBACK")
            return answer.status_code

    assert asyncio.run(behind_a_lock()) == 503
    assert bound.scene.count(f"used_proof WHERE proof_id = '{jti}'") == 1
    refused(ask(bound, proof, ANSWERED["a book"]))


@pytest.mark.parametrize("what", ["a released book", "a released field of the desk", "several roots"])
def test_b54_of_many_at_once_in_two_processes_one_is_answered(bound: Bound, what: str) -> None:
    other = RunningServer(bound.scene.settings)
    other.start()
    try:
        proof = bound.proof()
        told = {"Authorization": f"DPoP {bound.token}", "DPoP": proof}

        def send(url: str) -> int:
            with bound.scene.browser() as http:
                return http.post(f"{url}/graphql", json=dict(ANSWERED[what]), headers=told, timeout=20).status_code

        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(send, [bound.scene.url, other.url] * 10))
    finally:
        other.stop()
    assert sorted(answers) == [200, *[401] * 19]


def test_the_key_of_another_session_marks_nothing(bound: Bound, scene: Scene) -> None:
    """B50: a proof by another key is nobody's, in the statement as before it."""
    jti = new_secret()
    proof = signed_in(scene).proof(jti=jti, ath=None)

    assert ask(bound, proof, ANSWERED["a released book"]).status_code == 401
    assert scene.count(f"used_proof WHERE proof_id = '{jti}'") == 0
