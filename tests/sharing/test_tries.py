"""Codes that somebody guesses, and what a person may type: B101 to B104, B106."""

from datetime import timedelta

import pytest

from app.core.codes import code_from, read_code, shown
from app.core.db import Login
from app.sharing import sql
from tests.sharing.sharing import (
    REDEEM,
    Clinic,
    a_key,
    redeem_input,
)
from tests.sharing.trying import UNKNOWN, age_tries, refused


def test_b101_failures_lock_their_maker_for_a_while_and_tell_them(clinic: Clinic, citizen: str) -> None:
    code, doctor = clinic.share(citizen)["code"], clinic.doctor()
    for _ in range(5):
        assert refused(clinic.redeem(doctor, UNKNOWN))
    locked = clinic.redeem(doctor, UNKNOWN).json()["errors"][0]["extensions"]
    assert locked["code"] == "RATE_LIMITED"
    assert 0 < locked["retryAfterSeconds"] <= 15 * 60
    age_tries(clinic.stand, timedelta(minutes=16))
    for _ in range(5):
        assert refused(clinic.redeem(doctor, UNKNOWN))
    assert 15 * 60 < clinic.redeem(doctor, UNKNOWN).json()["errors"][0]["extensions"]["retryAfterSeconds"] <= 3600
    age_tries(clinic.stand, timedelta(hours=1, minutes=1))
    for _ in range(2):
        for _ in range(5):
            assert refused(clinic.redeem(doctor, UNKNOWN))
        age_tries(clinic.stand, timedelta(minutes=16))
    age_tries(clinic.stand, timedelta(hours=1))
    assert clinic.redeem(doctor, UNKNOWN).json()["errors"][0]["extensions"]["retryAfterSeconds"] > 3600
    assert not refused(clinic.redeem(clinic.doctor(), code))


def test_b101_a_batch_of_aliases_counts_each(clinic: Clinic, citizen: str) -> None:
    doctor = clinic.doctor()
    del citizen
    guesses = " ".join(
        f'g{n}: redeemShareCode(input: {{idempotencyKey: "{a_key()}", code: "{shown(code_from(bytes([n] * 6)))}", '
        'facilityCode: "01901", purpose: TREATMENT}) { grant { id } }'
        for n in range(15)
    )
    answer = clinic.ask(doctor, f"mutation {{ {guesses} }}").json()
    counted = clinic.stand.as_owner(
        "SELECT count(*) AS n FROM auth.share_try WHERE practitioner_id = :id", id=clinic.doctors[doctor]
    )[0].n
    assert len(answer["errors"]) == 1  # the first refusal ends the operation: one guess a document
    assert counted <= 1


def test_b101_a_facility_and_everybody_together_raise_alarms_and_lock_nobody(clinic: Clinic, citizen: str) -> None:
    code = clinic.share(citizen)["code"]
    clinic.stand.as_owner("DELETE FROM auth.alarm")
    doctor = clinic.doctors[clinic.doctor()]
    clinic.stand.as_owner(
        "INSERT INTO auth.share_try SELECT uuidv7(), :doctor, CASE WHEN n <= 99 THEN '01901' ELSE '0190' || n END, "
        "n::text, NULL, NULL, 'UNKNOWN', now(), NULL FROM generate_series(1, 299) n",
        doctor=doctor,
    )
    assert not refused(clinic.redeem(clinic.doctor(), code))
    raised = {one.kind for one in clinic.stand.as_owner("SELECT kind FROM auth.alarm")}
    assert raised == {"GUESSES_AT_FACILITY", "GUESSES_EVERYWHERE"}


def test_b102_a_locked_doctor_does_not_burn_a_right_code(clinic: Clinic, citizen: str) -> None:
    code, doctor = clinic.share(citizen)["code"], clinic.doctor()
    for _ in range(5):
        clinic.redeem(doctor, UNKNOWN)
    for _ in range(4):
        assert clinic.code_of(doctor, REDEEM, input=redeem_input(code)) == "RATE_LIMITED"
    assert not refused(clinic.redeem(clinic.doctor(), code))


def test_b103_any_way_of_typing_a_code_redeems_it(clinic: Clinic, citizen: str) -> None:
    for write in (str.lower, lambda c: c.replace("-", " "), lambda c: c.replace("0", "O").replace("1", "l")):
        assert not refused(clinic.redeem(clinic.doctor(), write(clinic.share(citizen)["code"])))


@pytest.mark.parametrize("typed", ["K7QF-2M9D-XĐ", "Ｋ7QF2M9DXA", "K7QF\u200b2M9DXA", "", "0", "x" * 1000])
def test_b103_b104_what_is_no_code_is_refused_and_is_no_guess(clinic: Clinic, citizen: str, typed: str) -> None:
    del citizen
    doctor = clinic.doctor()
    assert refused(clinic.redeem(doctor, typed))
    assert clinic.stand.as_owner("SELECT count(*) AS n FROM auth.share_try")[0].n == 0


def test_b104_one_wrong_symbol_is_refused_before_anything_is_looked_up(clinic: Clinic, citizen: str) -> None:
    code = read_code(clinic.share(citizen)["code"])
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    assert refused(clinic.redeem(clinic.doctor(), wrong))
    assert clinic.stand.as_owner("SELECT count(*) AS n FROM auth.share_try")[0].n == 0


def test_b106_neither_code_nor_pin_is_in_the_database_and_hashes_are_erased(clinic: Clinic, citizen: str) -> None:
    made = clinic.share(citizen, withPin=True, redeemableMinutes=1)
    redeemed = clinic.share(citizen)
    assert not refused(clinic.redeem(clinic.doctor(), redeemed["code"]))
    dump = "".join(
        clinic.stand.as_owner(f"SELECT coalesce(jsonb_agg(to_jsonb(t))::text, '') AS dump FROM {table} t")[0].dump
        for table in ("auth.share_code", "auth.deed", "auth.share_try", "notice.event", "audit.line")
    )
    for secret in (made["code"], read_code(made["code"]), redeemed["code"], read_code(redeemed["code"])):
        assert secret not in dump
    assert f'"{made["pin"]}"' not in dump
    kept = {str(one.id): one for one in clinic.stand.as_owner("SELECT id, lookup, verifier FROM auth.share_code")}
    assert kept[redeemed["shareCode"]["id"]].verifier is None
    assert kept[made["shareCode"]["id"]].verifier.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    clinic.stand.as_owner("UPDATE auth.share_code SET redeemable_until = now() - interval '1 second'")
    clinic.stand.run(Login.WORKER, sql.swept)
    left = clinic.stand.as_owner("SELECT count(lookup) AS l, count(verifier) AS v FROM auth.share_code")[0]
    assert (left.l, left.v) == (0, 0)
