"""Share codes at the door: B91 to B106 and B109, B110, each as a doctor and a citizen meet it."""

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from app.core.db import Login
from app.gateway import endpoint
from app.sharing import sql
from tests.conftest import RunningServer
from tests.people import Stand, now
from tests.sharing.conftest import OWNER, Patients
from tests.sharing.sharing import (
    ALL_SECTIONS,
    CANCEL,
    CODES,
    CREATE,
    FREEZE,
    GRANTS,
    REDEEM,
    SHARED,
    WHOLE,
    Clinic,
    a_key,
    code_input,
    redeem_input,
)
from tests.sharing.trying import UNKNOWN, all_at_once, end_all, refused

REQUEST_ID = re.compile(r'"requestId":"\w+"')


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gateway wait for hashes, two at once, as long as they take here."""
    monkeypatch.setattr(endpoint, "MOST_SECONDS", 60)


@pytest.mark.usefixtures("http", "patient")
def test_b91_a_hundred_doctors_at_once_get_one_grant(
    server: RunningServer, clinic: Clinic, citizen: str, patients: Patients
) -> None:
    code = clinic.share(citizen)["code"]
    doctors = [clinic.doctor() for _ in range(100)]
    answers = all_at_once(server, [(d, {"query": REDEEM, "variables": {"input": redeem_input(code)}}) for d in doctors])
    won = [answer for answer in answers if "errors" not in answer.json()]
    assert len(won) == 1
    assert sum(refused(answer) for answer in answers) == 99
    live = clinic.data(citizen, GRANTS, state="LIVE")["nodes"]
    assert len(live) == 1
    assert len(clinic.lines(patients.owner, "GRANT_GIVEN")) >= 1


@pytest.mark.usefixtures("http")
def test_b92_the_same_doctor_a_hundred_times_at_once_gets_one_grant(
    server: RunningServer, clinic: Clinic, citizen: str
) -> None:
    code, doctor, key = clinic.share(citizen)["code"], clinic.doctor(), a_key()
    body = {"query": REDEEM, "variables": {"input": redeem_input(code, key=key)}}
    answers = [answer.json() for answer in all_at_once(server, [(doctor, body)] * 20)]
    told = {
        answer["data"]["redeemShareCode"]["grant"]["id"]
        if "errors" not in answer
        else answer["errors"][0]["extensions"]["code"]
        for answer in answers
    }
    assert len(told - {"REFUSED", "UNAVAILABLE", "RATE_LIMITED"}) == 1
    assert len(clinic.data(citizen, GRANTS, state="LIVE")["nodes"]) == 1
    again = clinic.ask(doctor, REDEEM, input=redeem_input(code, key=key)).json()
    assert again["data"]["redeemShareCode"]["grant"]["id"] in told


def change_code(stand: Stand, change: str) -> None:
    stand.as_owner(f"UPDATE auth.share_code SET {change} WHERE id = (SELECT max(id::text)::uuid FROM auth.share_code)")


def use(clinic: Clinic, citizen: str, code: str) -> None:
    del citizen
    assert not refused(clinic.redeem(clinic.doctor(), code))


def expire(clinic: Clinic, citizen: str, _code: str) -> None:
    del citizen
    change_code(clinic.stand, "redeemable_until = now() - interval '1 second'")


def cancel(clinic: Clinic, citizen: str, _code: str) -> None:
    (found, *_) = clinic.data(citizen, CODES)["nodes"]
    clinic.data(citizen, CANCEL, input={"idempotencyKey": a_key(), "shareCodeId": found["id"]})


def sign_out(clinic: Clinic, citizen: str, _code: str) -> None:
    clinic.stand.as_owner(
        "UPDATE auth.session SET ended_at = now() WHERE token_hash = sha256(convert_to(:token, 'UTF8'))", token=citizen
    )


def freeze(clinic: Clinic, citizen: str, _code: str) -> None:
    clinic.data(citizen, FREEZE, input={"idempotencyKey": a_key()})


@pytest.mark.parametrize("happens", [use, expire, cancel, sign_out, freeze])
def test_b93_b94_b95_b96_a_code_that_is_over_is_refused(
    clinic: Clinic, citizen: str, happens: Callable[[Clinic, str, str], None]
) -> None:
    code = clinic.share(citizen)["code"]
    happens(clinic, citizen, code)
    doctor = clinic.doctor()
    assert refused(clinic.redeem(doctor, code))
    assert clinic.data(doctor, GRANTS)["nodes"] == []


def test_b96_a_code_of_somebody_who_is_gone_is_refused(clinic: Clinic, citizen: str, patients: Patients) -> None:
    code = clinic.share(citizen)["code"]
    clinic.stand.as_owner("UPDATE auth.citizen SET closed_at = now() WHERE id = :id", id=patients.owner)
    try:
        assert refused(clinic.redeem(clinic.doctor(), code))
    finally:
        clinic.stand.as_owner("UPDATE auth.citizen SET closed_at = NULL WHERE id = :id", id=patients.owner)


def test_b97_cancelled_or_redeemed_never_both(clinic: Clinic, citizen: str, server: RunningServer) -> None:
    doctor = clinic.doctor()
    for _ in range(25):
        end_all(clinic.stand)
        made = clinic.share(citizen)
        sent = [
            (
                citizen,
                {
                    "query": CANCEL,
                    "variables": {"input": {"idempotencyKey": a_key(), "shareCodeId": made["shareCode"]["id"]}},
                },
            ),
            (doctor, {"query": REDEEM, "variables": {"input": redeem_input(made["code"])}}),
        ]
        cancelled, redeemed = (answer.json() for answer in all_at_once(server, sent))
        assert "errors" not in cancelled
        assert clinic.data(citizen, GRANTS, state="LIVE")["nodes"] == []
        if "errors" not in redeemed:
            grant = redeemed["data"]["redeemShareCode"]["grant"]["id"]
            assert clinic.code_of(doctor, SHARED, grant=grant) == "NOT_FOUND"


def test_b97_a_thousand_races_of_cancelling_and_redeeming_in_the_database(clinic: Clinic, citizen: str) -> None:
    """The two functions themselves, from two connections at once, without the door's 150 ms between them."""
    doctor = clinic.doctor()
    clinic.share(citizen)
    row = clinic.stand.as_owner("SELECT * FROM auth.share_code ORDER BY created_at DESC LIMIT 1")[0]
    clinic.stand.as_owner(
        "INSERT INTO auth.share_code SELECT (jsonb_populate_record(c, jsonb_build_object('id', uuidv7(), 'lookup', "
        "sha256(convert_to(n::text, 'UTF8')), 'verifier', 'proof'))).* "
        "FROM auth.share_code c, generate_series(1, 1000) n WHERE c.id = :id",
        id=row.id,
    )
    codes = [one.id for one in clinic.stand.as_owner("SELECT id FROM auth.share_code WHERE verifier = 'proof'")]
    assert len(codes) == 1000

    async def race() -> None:
        first, second = [await clinic.stand.connect(Login.DESK) for _ in range(2)]
        sign_in, cancels = "SELECT auth.sign_in($1, NULL)", "SELECT auth.cancel_code($1)"
        redeems = "SELECT auth.redeem_code('k', $1, 'proof', '01901', 'TREATMENT', gen_random_uuid())"

        async def do(connection: Any, token: str, statement: str, code: Any) -> None:
            async with connection.transaction():
                await connection.fetchval(sign_in, token)
                await connection.fetchval(statement, code)

        try:
            for code in codes:
                await asyncio.gather(do(first, citizen, cancels, code), do(second, doctor, redeems, code))
        finally:
            await first.close()
            await second.close()

    asyncio.run(race())
    both = clinic.stand.as_owner(
        "SELECT count(*) FILTER (WHERE c.cancelled_at IS NOT NULL AND c.redeemed_at IS NOT NULL) AS both, "
        "count(*) FILTER (WHERE g.revoked_at IS NULL AND g.id IS NOT NULL) AS live, "
        "count(*) FILTER (WHERE c.cancelled_at IS NULL AND c.redeemed_at IS NULL) AS neither, count(g.id) AS redeemed "
        "FROM auth.share_code c LEFT JOIN auth.book_grant g ON g.id = c.grant_id WHERE c.id = ANY (:codes)",
        codes=codes,
    )[0]
    assert (both.both, both.live, both.neither) == (0, 0, 0)
    assert 0 < both.redeemed <= 1000


def sweep(stand: Stand) -> None:
    stand.as_owner("UPDATE auth.share_try SET at = at - interval '5 seconds' WHERE told_at IS NULL")
    stand.run(Login.WORKER, sql.swept)


def test_b98_three_wrong_pins_end_a_code_and_the_citizen_is_told_why(
    clinic: Clinic, citizen: str, patients: Patients
) -> None:
    code, doctor = clinic.share(citizen, withPin=True), clinic.doctor()
    wrong = f"{(int(code['pin']) + 1) % 10**6:06d}"
    before = len(clinic.events(patients.owner, "CODE_REFUSED"))
    for _ in range(3):
        assert refused(clinic.redeem(doctor, code["code"], pin=wrong))
    assert refused(clinic.redeem(clinic.doctor(), code["code"], pin=code["pin"]))
    sweep(clinic.stand)
    (told, *_) = clinic.data(citizen, CODES)["nodes"]
    assert told["state"] == "SPENT"
    assert [one["reason"] for one in told["refusals"]] == ["TRIES_SPENT", "WRONG_PIN", "WRONG_PIN", "WRONG_PIN"]
    assert len(clinic.events(patients.owner, "CODE_REFUSED")) == before + 4
    assert "TRIES_SPENT" in {line.about["reason"] for line in clinic.lines(patients.owner, "CODE_REFUSED")}


@pytest.mark.usefixtures("http", "patient")
def test_b99_fifty_wrong_pins_at_once_are_three_checks(
    server: RunningServer, clinic: Clinic, citizen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = clinic.share(citizen, withPin=True)
    wrong = f"{(int(code['pin']) + 1) % 10**6:06d}"
    checked: list[str] = []
    from app.sharing import hashing  # noqa: PLC0415 - the module whose function is watched

    verify = hashing._verify

    def watched(verifier: str, text: str) -> bool:
        checked.append(verifier)
        return verify(verifier, text)

    monkeypatch.setattr(hashing, "_verify", watched)
    sent = [
        (clinic.doctor(), {"query": REDEEM, "variables": {"input": redeem_input(code["code"], pin=wrong)}})
        for _ in range(50)
    ]
    answers = all_at_once(server, sent)
    assert all(refused(answer) for answer in answers)
    assert len([one for one in checked if one != hashing.NOBODYS]) == 3
    assert clinic.stand.as_owner("SELECT max(tries) AS tries FROM auth.share_code")[0].tries == 3


def test_b100_every_refusal_is_the_same_bytes(clinic: Clinic, citizen: str, patients: Patients) -> None:
    pinned = clinic.share(citizen, withPin=True)
    used, over = clinic.share(citizen)["code"], clinic.share(citizen)["code"]
    assert not refused(clinic.redeem(clinic.doctor(), used))
    expire(clinic, citizen, over)
    own = clinic.doctor(citizen=patients.owner)
    elsewhere = clinic.doctor(facility="01902")
    clinic.stand.as_owner(
        "UPDATE auth.share_code SET cancelled_at = NULL, redeemable_until = now() + interval '1 hour' "
        "WHERE redeemed_at IS NULL AND id <> :id",
        id=pinned["shareCode"]["id"],
    )
    expire_last = partial(change_code, clinic.stand, "redeemable_until = now() - interval '1 second'")
    expire_last()
    answers = {
        "mistyped": clinic.redeem(clinic.doctor(), "K7QF-2M9D-X"),
        "unknown": clinic.redeem(clinic.doctor(), UNKNOWN),
        "used": clinic.redeem(clinic.doctor(), used),
        "expired": clinic.redeem(clinic.doctor(), over),
        "wrong pin": clinic.redeem(clinic.doctor(), pinned["code"], pin="000000"),
        "no pin": clinic.redeem(clinic.doctor(), pinned["code"]),
        "own": clinic.redeem(own, pinned["code"], pin=pinned["pin"]),
        "another place": clinic.redeem(elsewhere, pinned["code"], pin=pinned["pin"]),
    }
    assert len({(a.status_code, REQUEST_ID.sub("", a.text)) for a in answers.values()}) == 1
    assert all(refused(answer) for answer in answers.values())


def test_b100_a_miss_costs_the_hash_of_a_hit(clinic: Clinic, citizen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal work, not equal luck: each refusal of what may be a code proves one hash and writes one row."""
    from app.sharing import hashing  # noqa: PLC0415

    code = clinic.share(citizen, withPin=True)
    proved: list[str] = []
    verify = hashing._verify

    def watched(verifier: str, text: str) -> bool:
        proved.append(verifier)
        return verify(verifier, text)

    monkeypatch.setattr(hashing, "_verify", watched)
    rows = "SELECT count(*) AS n FROM auth.share_try"
    for typed in (UNKNOWN, code["code"]):
        before = clinic.stand.as_owner(rows)[0].n
        assert refused(clinic.redeem(clinic.doctor(), typed, pin="x"))
        assert clinic.stand.as_owner(rows)[0].n == before + 1
    assert len(proved) == 2
    parameters = {one.split("$")[3] for one in proved}
    assert parameters == {"m=19456,t=2,p=1"}


def test_a_code_is_shown_again_by_its_key_and_never_to_another_key(clinic: Clinic, citizen: str) -> None:
    key = a_key()
    first = clinic.share(citizen, key=key, withPin=True)
    again = clinic.share(citizen, key=key, withPin=True)
    assert first == again
    assert clinic.share(citizen)["code"] != first["code"]
    assert clinic.code_of(citizen, CREATE, input=code_input(key=key)) == "CONFLICT"
    assert len(first["spoken"]) == 10
    assert first["qrSvg"].startswith("<svg")
    assert first["pin"] not in first["slip"]
    assert OWNER.name not in first["slip"]


def test_at_most_three_codes_are_live(clinic: Clinic, citizen: str) -> None:
    for _ in range(3):
        clinic.share(citizen)
    assert why_not(clinic, citizen) == ("CONFLICT", "Đã có ba mã còn hiệu lực.")
    cancel(clinic, citizen, "")
    clinic.share(citizen)


def test_frozen_sharing_makes_no_code_and_says_so(clinic: Clinic, citizen: str) -> None:
    freeze(clinic, citizen, "")
    assert why_not(clinic, citizen) == ("CONFLICT", "Việc chia sẻ đang bị khóa.")


def why_not(clinic: Clinic, citizen: str) -> tuple[str, str]:
    """Return the code and the first sentence of a refusal to make a share code."""
    (error,) = clinic.ask(citizen, CREATE, input=code_input()).json()["errors"]
    return error["extensions"]["code"], error["message"].partition(".")[0] + "."


def test_a_pin_belongs_to_a_code_that_is_good_for_more_than_an_hour(clinic: Clinic, citizen: str) -> None:
    assert clinic.share(citizen, redeemableMinutes=60)["pin"] is None
    assert re.fullmatch(r"[0-9]{6}", clinic.share(citizen, redeemableMinutes=61)["pin"], re.ASCII)


@pytest.mark.parametrize(
    "more",
    [
        {"accessMinutes": 0},
        {"accessMinutes": -1440},
        {"accessMinutes": 4},
        {"accessMinutes": 525_601},
        {"accessMinutes": 2**31 - 1},
        {"redeemableMinutes": 0},
        {"redeemableMinutes": -1},
        {"redeemableMinutes": 10_081},
        {"scope": {"sections": []}},
        {"scope": {"sections": ["VISITS"], "facilityCodes": []}},
        {"scope": {"sections": ["VISITS"], "facilityCodes": ["0" * 21]}},
        {"scope": {"sections": ["VISITS"], "from": "2026-05-02", "to": "2026-05-01"}},
        {"scope": {"sections": ["VISITS"], "recordIds": []}},
    ],
)
def test_b109_lengths_and_scopes_that_cannot_be_are_invalid(clinic: Clinic, citizen: str, more: Any) -> None:
    asked = {**code_input(), **more}
    assert clinic.code_of(citizen, CREATE, input=asked) == "INVALID"


def test_b109_a_grant_ends_after_exactly_so_long_whatever_the_year(clinic: Clinic, citizen: str) -> None:
    clinic.grant(citizen, clinic.doctor(), accessMinutes=525_600)
    (row,) = clinic.stand.as_owner(
        "SELECT ends_at - starts_at = interval '525600 minutes' AS exact FROM auth.book_grant WHERE revoked_at IS NULL"
    )
    assert row.exact


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE auth.practitioner SET suspended_at = now() WHERE id = :doctor",
        "UPDATE auth.practitioner SET valid_until = current_date - 2 WHERE id = :doctor",
        "UPDATE auth.practitioner_place SET valid_until = current_date - 2 WHERE practitioner_id = :doctor",
    ],
)
def test_b110_a_doctor_who_may_not_practise_any_more_redeems_nothing(clinic: Clinic, citizen: str, change: str) -> None:
    code, doctor = clinic.share(citizen)["code"], clinic.doctor()
    clinic.stand.as_owner(change, doctor=clinic.doctors[doctor])
    answer = clinic.redeem(doctor, code)
    assert answer.status_code == 401 or refused(answer)
    assert not refused(clinic.redeem(clinic.doctor(), code))


def test_b110_a_hospital_that_is_suspended_in_the_meantime_redeems_nothing(clinic: Clinic, citizen: str) -> None:
    code, doctor = clinic.share(citizen)["code"], clinic.doctor(facility="01902")
    clinic.stand.as_owner("UPDATE directory.facility SET suspended_at = now() WHERE code = '01902'")
    try:
        answer = clinic.redeem(doctor, code, facility="01902")
        assert answer.status_code == 401 or refused(answer)
    finally:
        clinic.stand.as_owner("UPDATE directory.facility SET suspended_at = NULL WHERE code = '01902'")
    assert not refused(clinic.redeem(doctor, code, facility="01902"))


def test_sharing_needs_a_fresh_second_factor(clinic: Clinic, patients: Patients, citizen: str) -> None:
    del citizen
    plain = clinic.stand.citizen_token(patients.owner)
    assert clinic.code_of(plain, CREATE, input=code_input()) == "STEP_UP_REQUIRED"


def test_making_a_code_tells_of_everybody_who_has_a_grant_already(clinic: Clinic, citizen: str) -> None:
    assert clinic.share(citizen)["liveGrants"] == []
    clinic.grant(citizen, clinic.doctor("Lê Thị Hoa"))
    assert [one["practitionerName"] for one in clinic.share(citizen)["liveGrants"]] == ["Lê Thị Hoa"]


def test_a_code_carries_its_scope(clinic: Clinic, citizen: str) -> None:
    made = clinic.share(
        citizen,
        scope={
            "sections": ["VISITS", "TEST_RESULTS"],
            "from": "2025-01-01",
            "to": "2026-12-31",
            "facilityCodes": ["01901"],
            "sensitive": ["TUBERCULOSIS"],
        },
    )
    assert made["scope"] == {
        "sections": ["VISITS", "TEST_RESULTS"],
        "sensitive": ["TUBERCULOSIS"],
        "from": "2025-01-01",
        "to": "2026-12-31",
        "facilityCodes": ["01901"],
        "recordIds": None,
    }
    assert made["shareCode"]["state"] == "LIVE"
    assert now() < datetime.fromisoformat(made["redeemableUntil"])
    assert made["redeemableUntil"].endswith("Z")  # as every other moment of the schema
    assert WHOLE["sections"] == ALL_SECTIONS


def test_hashing_two_at_once_is_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.sharing import hashing  # noqa: PLC0415

    running, most, lock = 0, 0, threading.Lock()
    verify = hashing._verify

    def watched(verifier: str, text: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return verify(verifier, text)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(hashing, "_verify", watched)

    async def many() -> list[bool]:
        return list(await asyncio.gather(*(hashing.is_proved(str(n), by=None) for n in range(8))))

    assert asyncio.run(many()) == [False] * 8
    assert most <= hashing.AT_ONCE
    assert isinstance(hashing._HANDS, ThreadPoolExecutor)
