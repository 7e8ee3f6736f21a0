"""Sessions and the devices they are on. Cases B121 to B130 of the security page, as far as a phone's key comes in."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.ids import new_secret
from tests.identity.signing_in import PHONES, Scene
from tests.identity.test_sessions import later, refresh_rows
from tests.identity.test_step_up import stale

SESSIONS = "{ sessions { id deviceName platform isThisOne asPractitioner beganAt lastSeenAt endsAt } }"
END = "mutation E($i: EndSessionInput!) { endSession(input: $i) { sessionId ended } }"


def sessions(scene: Scene, tokens: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scene.ask(SESSIONS, tokens["access_token"])["data"]["sessions"]
    return found


def this_one(scene: Scene, tokens: dict[str, Any]) -> str:
    return next(str(one["id"]) for one in sessions(scene, tokens) if one["isThisOne"])


def end(scene: Scene, tokens: dict[str, Any], **given: object) -> dict[str, Any]:
    phone = PHONES[tokens["access_token"]]
    body = {"query": END, "variables": {"i": {"idempotencyKey": new_secret(), **given}}}
    with scene.browser() as http:
        answer: dict[str, Any] = phone.send(http, "/graphql", access_token=tokens["access_token"], json=body).json()
    return answer


def told(scene: Scene, table: str, column: str, session: str) -> list[str]:
    """Return the kinds of events or lines that name a session."""
    query = f"SELECT {column} AS it FROM {table} WHERE about->>'session' = :id OR about->'sessions' ? :id ORDER BY 1"
    return [row.it for row in scene.stand.as_owner(query, id=session)]


def events(scene: Scene, session: str) -> list[str]:
    return told(scene, "notice.event", "kind", session)


def lines(scene: Scene, session: str) -> list[str]:
    return told(scene, "audit.line", "action", session)


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(scene: Scene) -> None:
    scene.stand.as_owner("UPDATE auth.session SET ended_at = now() WHERE ended_at IS NULL")


def test_sessions_are_listed_with_their_names(scene: Scene) -> None:
    first = scene.sign_in(phone=scene.phone(name="Điện thoại của Hòa"))
    second = scene.sign_in(phone=scene.phone(name="  Máy   bảng  "))

    listed = sessions(scene, second)

    assert [one["deviceName"] for one in listed] == ["Máy bảng", "Điện thoại của Hòa"]
    assert [one["isThisOne"] for one in listed] == [True, False]
    assert all(one["lastSeenAt"] for one in listed[:1])
    assert [one["isThisOne"] for one in sessions(scene, first)] == [False, True]


def test_the_platform_is_what_the_app_says(scene: Scene) -> None:
    phone, back = scene.come_back()
    with scene.browser() as http:
        http.headers["Sokhoe-App"] = "Android/1.4.0"
        tokens = phone.tokens(http, came_back_to=back)
    assert sessions(scene, tokens)[0]["platform"] == "android"


def test_nobody_sees_or_ends_anothers_session(scene: Scene) -> None:
    mine, theirs = scene.sign_in("citizen:1"), scene.sign_in("citizen:2")
    assert len(sessions(scene, mine)) == 1
    refused = end(scene, mine, sessionId=this_one(scene, theirs))
    assert refused["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert scene.is_alive(theirs)


def test_a_new_device_is_told_and_a_known_one_is_not(scene: Scene) -> None:
    phone = scene.phone()
    first = this_one(scene, scene.sign_in(phone=phone))
    assert (events(scene, first), lines(scene, first)) == (["DEVICE_ADDED"], ["DEVICE_ADDED"])

    tokens = scene.sign_in(phone=scene.phone(key=phone.key))

    assert events(scene, this_one(scene, tokens)) == []
    assert [one["id"] for one in sessions(scene, tokens)] == [this_one(scene, tokens)]  # it took the other's place


def test_b121_reuse_ends_the_family_and_is_told(scene: Scene) -> None:
    first = scene.sign_in()
    session = this_one(scene, first)
    second = scene.renew(first["refresh_token"]).json()
    scene.renew(second["refresh_token"])

    assert scene.renew(first["refresh_token"]).status_code == 400

    assert not scene.is_alive(second)
    assert events(scene, session) == ["DEVICE_ADDED", "SESSION_REUSED"]
    assert lines(scene, session) == ["DEVICE_ADDED", "SESSION_REUSED"]


def test_b122_the_same_token_by_another_key_ends_the_family(scene: Scene) -> None:
    for wait in ("0 seconds", "11 seconds"):
        first = scene.sign_in()
        session = this_one(scene, first)
        second = scene.renew(first["refresh_token"]).json()
        later(scene, wait)

        refused = scene.renew(first["refresh_token"], phone=scene.phone())

        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        assert not scene.is_alive(second)
        assert "SESSION_REUSED" in events(scene, session)


def test_b122_a_token_that_was_never_used_is_for_its_key_too(scene: Scene) -> None:
    first = scene.sign_in()
    assert scene.renew(first["refresh_token"], phone=scene.phone()).status_code == 400
    assert not scene.is_alive(first)
    assert scene.renew(first["refresh_token"]).status_code == 400


def test_b123_50_parallel_renewals_by_one_key_leave_one_family_with_one_live_token(scene: Scene) -> None:
    first = scene.sign_in()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: scene.renew(first["refresh_token"]), range(50)))

    good = [answer.json() for answer in answers if answer.status_code == 200]
    assert len({tokens["refresh_token"] for tokens in good}) == 1
    assert [row.live for row in refresh_rows(scene, first)].count(True) == 1
    assert scene.is_alive(good[0])
    assert len(sessions(scene, good[0])) == 1


def test_b124_the_ends_of_a_session_are_listed(scene: Scene) -> None:
    tokens = scene.sign_in()
    (listed,) = sessions(scene, tokens)
    later(scene, "31 minutes")
    assert scene.renew(tokens["refresh_token"]).status_code == 400
    assert [one["id"] for one in sessions(scene, scene.sign_in())] != [listed["id"]]


def test_b125_ending_this_session_wants_no_factor(scene: Scene) -> None:
    tokens = scene.sign_in()
    stale(scene)
    mine = this_one(scene, tokens)

    assert end(scene, tokens, sessionId=mine)["data"]["endSession"] == {"sessionId": mine, "ended": 1}

    assert not scene.is_alive(tokens)
    assert scene.renew(tokens["refresh_token"]).status_code == 400
    assert lines(scene, mine) == ["DEVICE_ADDED", "SESSION_ENDED"]


def test_b126_log_out_everywhere(scene: Scene) -> None:
    here, there, elsewhere = scene.sign_in(), scene.sign_in(), scene.sign_in()
    stranger = scene.sign_in("citizen:2")

    assert end(scene, here, others=True)["data"]["endSession"] == {"sessionId": None, "ended": 2}

    assert [scene.is_alive(tokens) for tokens in (here, there, elsewhere, stranger)] == [True, False, False, True]
    assert scene.renew(there["refresh_token"]).status_code == 400


def test_b126_another_session_wants_a_factor_unless_this_one_is_fresh(scene: Scene) -> None:
    here, there = scene.sign_in(), scene.sign_in()
    wanted = this_one(scene, there)
    stale(scene)
    for given in ({"sessionId": wanted}, {"others": True}):
        assert end(scene, here, **given)["errors"][0]["extensions"]["code"] == "STEP_UP_REQUIRED"
    assert scene.is_alive(there)

    scene.stand.step_up(here["access_token"], "SESSIONS")
    assert end(scene, here, sessionId=wanted)["data"]["endSession"]["ended"] == 1
    assert not scene.is_alive(there)


@pytest.mark.parametrize("given", [{}, {"sessionId": str(UUID(int=0)), "others": True}, {"others": False}])
def test_b126_one_or_the_others(scene: Scene, given: dict[str, object]) -> None:
    assert end(scene, scene.sign_in(), **given)["errors"][0]["extensions"]["code"] == "INVALID"


def test_b127_a_sign_in_on_the_same_phone_ends_the_session_before(scene: Scene) -> None:
    phone = scene.phone()
    first = scene.sign_in(phone=phone)
    second = scene.sign_in(phone=scene.phone(key=phone.key))
    assert [scene.is_alive(tokens) for tokens in (first, second)] == [False, True]
    assert scene.renew(first["refresh_token"]).status_code == 400


def test_b128_nothing_works_for_a_closed_citizen_at_the_next_request(scene: Scene) -> None:
    tokens = scene.sign_in("citizen:2")
    bearer = scene.stand.citizen_token(UUID(scene.ask("{ me { id } }", tokens["access_token"])["data"]["me"]["id"]))
    queries = ("{ me { id } }", "{ healthBook { version } }", SESSIONS)
    try:
        scene.stand.as_owner("UPDATE auth.citizen SET closed_at = now() WHERE id = :id", id=person(scene, bearer))
        for query in queries:
            assert codes(scene.ask(query, tokens["access_token"])) == ["UNAUTHENTICATED"]
            with scene.browser() as http:
                headers = {"Authorization": f"Bearer {bearer}"}
                assert http.post(f"{scene.url}/graphql", json={"query": query}, headers=headers).status_code == 401
        assert scene.renew(tokens["refresh_token"]).status_code == 400
        assert codes(end(scene, tokens, others=True)) == ["UNAUTHENTICATED"]
    finally:
        scene.stand.as_owner("UPDATE auth.citizen SET closed_at = NULL")


def person(scene: Scene, token: str) -> UUID:
    query = "SELECT citizen_id AS it FROM auth.session WHERE token_hash = sha256(convert_to(:token, 'UTF8'))"
    found: UUID = scene.stand.as_owner(query, token=token)[0].it
    return found


def codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]


def test_b129_the_eleventh_device_ends_the_oldest_session(scene: Scene) -> None:
    signed_in = [scene.sign_in() for _ in range(11)]
    oldest = this_one(scene, signed_in[1])
    assert [scene.is_alive(tokens) for tokens in signed_in] == [False] + [True] * 10

    twelfth = scene.sign_in()

    assert not scene.is_alive(signed_in[1])
    assert len(sessions(scene, twelfth)) == 10
    assert events(scene, oldest) == ["DEVICE_ADDED", "SESSION_ENDED"]
    assert lines(scene, oldest) == ["DEVICE_ADDED", "SESSION_ENDED"]


def test_b129_twenty_sign_ins_at_once_leave_ten(scene: Scene) -> None:
    with ThreadPoolExecutor(10) as pool:
        signed_in = list(pool.map(lambda _: scene.sign_in(), range(20)))
    assert [scene.is_alive(tokens) for tokens in signed_in].count(True) == 10


def test_b130_a_bound_token_in_a_query_or_a_cookie_is_nothing(scene: Scene) -> None:
    tokens = scene.sign_in()
    phone, token = PHONES[tokens["access_token"]], tokens["access_token"]
    proof = phone.proof(f"{scene.url}/graphql", nonce=None, access_token=token)
    with scene.browser() as http:
        answers: list[httpx.Response] = [
            http.post(
                f"{scene.url}/graphql{query}",
                json={"query": "{ me { id } }"},
                headers={"DPoP": proof, "Cookie": f"access_token={token}"},
            )
            for query in ("", f"?access_token={token}")
        ]
    assert [answer.status_code for answer in answers] == [401, 401]


def test_use_is_noted_once_a_minute(scene: Scene) -> None:
    tokens = scene.sign_in()
    query = "SELECT at::text AS at FROM auth.seen WHERE session_id = :id"
    session = UUID(this_one(scene, tokens))
    (before,) = scene.stand.as_owner(query, id=session)
    scene.is_alive(tokens)
    assert scene.stand.as_owner(query, id=session) == [before]

    scene.stand.as_owner("UPDATE auth.seen SET at = at - interval '61 seconds'")
    scene.is_alive(tokens)

    assert scene.stand.as_owner(query, id=session)[0].at > before.at


def test_a_session_of_the_demo_is_listed_too(scene: Scene) -> None:
    tokens = scene.sign_in()
    citizen = UUID(scene.ask("{ me { id } }", tokens["access_token"])["data"]["me"]["id"])
    bearer = scene.stand.citizen_token(citizen)
    with scene.browser() as http:
        headers = {"Authorization": f"Bearer {bearer}"}
        listed = http.post(f"{scene.url}/graphql", json={"query": SESSIONS}, headers=headers).json()["data"]["sessions"]
    assert [(one["isThisOne"], one["deviceName"]) for one in listed] == [(True, None), (False, "Điện thoại demo")]


# ---- names


def rename(scene: Scene, tokens: dict[str, Any], session: str, name: str) -> dict[str, Any]:
    query = "mutation R($i: RenameDeviceInput!) { renameDevice(input: $i) { sessionId deviceName } }"
    phone = PHONES[tokens["access_token"]]
    given = {"idempotencyKey": new_secret(), "sessionId": session, "name": name}
    with scene.browser() as http:
        body = {"query": query, "variables": {"i": given}}
        answer: dict[str, Any] = phone.send(http, "/graphql", access_token=tokens["access_token"], json=body).json()
    return answer


def test_a_device_is_renamed_and_keeps_that_name_when_its_app_signs_in_again(scene: Scene) -> None:
    phone = scene.phone(name="Pixel 9")
    first = scene.sign_in(phone=phone)
    session = this_one(scene, first)

    done = rename(scene, first, session, "  Máy\u202e của   mẹ ")["data"]["renameDevice"]

    assert done == {"sessionId": session, "deviceName": "Máy của mẹ"}
    assert [one["deviceName"] for one in sessions(scene, first)] == ["Máy của mẹ"]
    again = scene.sign_in(phone=scene.phone(key=phone.key, name="Pixel 9"))
    assert [one["deviceName"] for one in sessions(scene, again)] == ["Máy của mẹ"]
    assert lines(scene, session) == ["DEVICE_ADDED", "DEVICE_NAMED"]


def test_another_device_of_ones_own_is_renamed_from_here(scene: Scene) -> None:
    there, here = scene.sign_in(phone=scene.phone(name="Cũ")), scene.sign_in(phone=scene.phone(name="Mới"))
    rename(scene, here, this_one(scene, there), "Máy tính bảng")
    assert [one["deviceName"] for one in sessions(scene, here)] == ["Mới", "Máy tính bảng"]


def test_nobody_renames_anothers_device_or_an_ended_one(scene: Scene) -> None:
    mine, theirs = scene.sign_in("citizen:1"), scene.sign_in("citizen:2", phone=scene.phone(name="Của Bình"))
    ended = this_one(scene, scene.sign_in("citizen:1"))
    end(scene, mine, sessionId=ended)
    for session in (this_one(scene, theirs), ended, str(UUID(int=0)), "x"):
        assert codes(rename(scene, mine, session, "Của tôi")) == ["NOT_FOUND"]
    assert [one["deviceName"] for one in sessions(scene, theirs)] == ["Của Bình"]


@pytest.mark.parametrize("name", ["", "  ", "\u202e\u200b"])
def test_a_name_of_nothing_is_invalid(scene: Scene, name: str) -> None:
    tokens = scene.sign_in()
    assert codes(rename(scene, tokens, this_one(scene, tokens), name)) == ["INVALID"]


def test_a_long_name_is_cut(scene: Scene) -> None:
    tokens = scene.sign_in()
    assert rename(scene, tokens, this_one(scene, tokens), "ư" * 100)["data"]["renameDevice"]["deviceName"] == "ư" * 60
