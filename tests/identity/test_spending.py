"""A proof is good for one answer: marked in the transaction of what it is for, or right after what was refused."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.ids import new_secret
from app.core.settings import Settings
from app.gateway.trusted import trusted_operations
from tests.attacks import tries
from tests.conftest import Ground, RunningServer
from tests.identity.signing_in import Scene
from tests.identity.test_dpop import Bound, refused, signed_in
from tests.people import Stand
from tests.sockets import PATIENCE

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
        return http.post(f"{bound.scene.url}/graphql", json=dict(body), headers=told, timeout=PATIENCE)


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
                return http.post(
                    f"{url}/graphql", json=dict(ANSWERED[what]), headers=told, timeout=PATIENCE
                ).status_code

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


_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema)'"""


async def rows_of(ground: Ground, settings: Settings) -> dict[str, list[str]]:
    """Return of every table which rows it has, by place and by the transaction that wrote them."""
    async with tries.as_superuser(ground, settings) as connection:
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        return {
            table: [row[0] for row in await connection.fetch(f"SELECT concat(ctid, ' ', xmin) FROM {table}")]
            for table in tables
        }


def written(ground: Ground, settings: Settings, read: Callable[[], object]) -> set[str]:
    """Return the tables that some reads wrote to."""
    before = asyncio.run(rows_of(ground, settings))
    read()
    after = asyncio.run(rows_of(ground, settings))
    assert len(after) > 50
    return {table for table in after if after[table] != before[table]}


def test_a_read_writes_its_proof_and_once_a_minute_that_it_was_there(
    bound: Bound, ground: Ground, settings: Settings
) -> None:
    """Issue 7: no write for each read but replay key, last seen (at most once a minute) and another's audit line."""
    (me,) = ask(bound, bound.proof(), ANSWERED["a field of the desk"]).json()["data"].values()
    bearer = {"Authorization": f"Bearer {bound.scene.stand.citizen_token(UUID(me['id']))}"}

    def by_bearer() -> None:
        with bound.scene.browser() as http:
            for body in (released("Home"), released("Visits")):
                assert http.post(f"{bound.scene.url}/graphql", json=body, headers=bearer).status_code == 200

    def by_proof() -> None:
        for body in (released("Home"), released("Visits"), released("Me")):
            assert ask(bound, bound.proof(), body).status_code == 200

    assert written(ground, settings, by_bearer) == set()
    assert written(ground, settings, by_proof) == {"auth.used_proof"}
    bound.scene.stand.as_owner("UPDATE auth.seen SET at = at - interval '61 seconds'")
    assert written(ground, settings, by_proof) == {"auth.used_proof", "auth.seen"}
    assert written(ground, settings, by_proof) == {"auth.used_proof"}


def test_what_is_swept_is_found_by_its_index(stand: Stand) -> None:
    """However many proofs are still good: a thousand calls sweep twenty times, and none of them reads those."""
    (told,) = stand.as_owner(
        "WITH spent AS MATERIALIZED (SELECT count(*) FILTER (WHERE auth.is_first_use(sha256('swept'), i::text)) AS new "
        "FROM generate_series(1, 1000) i) "
        "SELECT new, pg_stat_get_xact_tuples_returned('auth.used_proof_expires_at_idx'::regclass) FROM spent"
    )
    assert told[0] == 1000
    assert told[1] < 100
