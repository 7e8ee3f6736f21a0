"""Second factors over the wire. Cases B111 to B120 of the security page."""

import asyncio
import base64
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from graphql import GraphQLEnumType

from app.core.crypto import Place
from app.core.db import Login
from app.core.errors import LevelTooLow
from app.core.ids import new_secret
from app.gateway.schema import schema
from app.identity import totp
from app.identity.jwk import thumbprint_bytes
from app.identity.step_up import OPERATIONS, StepUpAction
from tests.identity.holding import CONFIRM, ENROL, STEP_UP, Holder
from tests.identity.signing_in import PHONES, Scene

ROOT = Path(__file__).parents[2]
END_OTHERS = "mutation O($k: ID!) { endSession(input: {idempotencyKey: $k, others: true}) { ended } }"


@pytest.fixture
def person(scene: Scene) -> Iterator[Holder]:
    """Sign somebody in who has no factor yet."""
    scene.stand.as_owner("DELETE FROM auth.factor")
    yield Holder(scene, scene.sign_in()["access_token"])
    scene.stand.as_owner("DELETE FROM auth.factor")


@pytest.fixture
def holder(person: Holder) -> Holder:
    """Sign somebody in who has one."""
    person.enrol()
    return person


WRONG = "000000"


def wrong(holder: Holder) -> str:
    """Return six digits that are of no accepted step."""
    near = {totp.code_at(holder.secret, seconds=time.time() + 30 * step) for step in range(-3, 4)}
    return next(code for code in (f"{digit}" * 6 for digit in range(10)) if code not in near)


def test_a_factor_is_enrolled_and_steps_up(person: Holder) -> None:
    told = person.send(ENROL, k="one")["data"]["enrolTotp"]
    assert told["otpauthUri"].startswith("otpauth://totp/")
    assert f"secret={told['secret']}" in told["otpauthUri"]
    assert told["qrSvg"].startswith("<svg")
    person.secret = base64.b32decode(told["secret"])
    assert len(person.secret) == 20

    codes = person.send(CONFIRM, k="two", c=person.code())["data"]["confirmTotp"]["recoveryCodes"]
    assert len(set(codes)) == 10

    person.forget_step()
    answer = person.send(STEP_UP, a="SHARE", c=person.code())["data"]["stepUp"]
    assert answer["action"] == "SHARE"
    (row,) = person.scene.stand.as_owner(
        "SELECT u.action, extract(epoch FROM u.until - clock_timestamp()) AS left FROM auth.step_up u"
        " JOIN auth.session s ON s.id = u.session_id AND s.token_hash = sha256(convert_to(:token, 'UTF8'))",
        token=person.token,
    )
    assert row.action == "SHARE"
    assert 290 < row.left <= 300


FACTOR = "{ secondFactor { isEnrolled enrolledAt lockedUntil isOff recoveryCodesLeft } }"
NO_FACTOR = {"isEnrolled": False, "enrolledAt": None, "lockedUntil": None, "isOff": False, "recoveryCodesLeft": 0}


def test_an_app_asks_whether_there_is_a_factor(person: Holder) -> None:
    assert person.send(FACTOR)["data"]["secondFactor"] == NO_FACTOR
    person.send(ENROL, k=new_secret())
    assert person.send(FACTOR)["data"]["secondFactor"] == NO_FACTOR, "one that is not confirmed is none"
    person.enrol()
    told = person.send(FACTOR)["data"]["secondFactor"]
    enrolled_at = datetime.fromisoformat(told.pop("enrolledAt"))
    assert enrolled_at == person.factor("confirmed_at")
    assert told == {"isEnrolled": True, "lockedUntil": None, "isOff": False, "recoveryCodesLeft": 10}

    assert person.step_up(person.recovery_codes[0]) == "OK"
    assert person.send(FACTOR)["data"]["secondFactor"]["recoveryCodesLeft"] == 9


def test_an_app_sees_that_the_factor_is_locked_or_off(holder: Holder) -> None:
    for _ in range(5):
        holder.step_up(wrong(holder))
    told = holder.send(FACTOR)["data"]["secondFactor"]
    assert datetime.fromisoformat(told["lockedUntil"]) == holder.factor("locked_until")
    assert not told["isOff"]
    holder.scene.stand.as_owner(
        "UPDATE auth.factor SET locked_until = clock_timestamp() - interval '1 second', off_at = clock_timestamp()"
    )
    told = holder.send(FACTOR)["data"]["secondFactor"]
    assert (told["lockedUntil"], told["isOff"]) == (None, True)


def test_the_secret_is_sealed_to_its_row(holder: Holder) -> None:
    (row,) = holder.scene.stand.as_owner("SELECT id, sealed FROM auth.factor")
    place = Place(table="auth.factor", column="sealed", row_id=row.id)
    assert holder.scene.stand.vault.sealer.open(row.sealed, place=place) == holder.secret
    assert holder.secret not in row.sealed
    everything = "SELECT f::text, r::text, d::text FROM auth.factor f, auth.recovery_code r, auth.deed d"
    stored = str(holder.scene.stand.as_owner(everything))
    for secret in (base64.b32encode(holder.secret).decode(), *holder.recovery_codes):
        assert secret not in stored
        assert secret.replace("-", "") not in stored


def test_b111_a_code_is_good_once(holder: Holder) -> None:
    code = holder.code()
    assert [holder.step_up(code), holder.step_up(code)] == ["OK", "REFUSED"]


def test_b111_in_fifty_requests_at_once_too(holder: Holder) -> None:
    code = holder.code()
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda _: holder.step_up(code), range(50)))
    assert outcomes.count("OK") == 1
    assert set(outcomes) <= {"OK", "REFUSED", "RATE_LIMITED"}


def test_b112_the_step_before_counts_once_and_time_runs_forward_only(holder: Holder) -> None:
    before, present = holder.code(steps=-1), holder.code()
    assert [holder.step_up(holder.code(steps=steps)) for steps in (-2, 1, 2)] == ["REFUSED"] * 3
    assert [holder.step_up(code) for code in (before, before, present, before)] == ["OK", "REFUSED", "OK", "REFUSED"]


def test_b113_five_wrong_codes_lock_for_a_quarter_of_an_hour(holder: Holder) -> None:
    assert [holder.step_up(wrong(holder)) for _ in range(5)] == ["REFUSED"] * 5

    locked = holder.send(STEP_UP, a="SHARE", c=holder.code())
    assert locked["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < locked["errors"][0]["extensions"]["retryAfterSeconds"] <= 900
    assert events(holder, "FACTOR_LOCKED") == 1

    holder.scene.stand.as_owner("UPDATE auth.factor SET locked_until = locked_until - interval '16 minutes'")
    assert holder.step_up(holder.code()) == "OK"
    assert (holder.factor("failures"), holder.factor("day_failures")) == (0, 5)


def events(holder: Holder, kind: str) -> int:
    query = "SELECT count(*) AS n FROM notice.event e WHERE e.kind = :kind AND e.about->>'factor' = :factor"
    factor = str(holder.factor("id"))
    found: int = holder.scene.stand.as_owner(query, kind=kind, factor=factor)[0].n
    return found


def test_b113_a_hundred_at_once_are_five_tries(holder: Holder) -> None:
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda _: holder.step_up(wrong(holder)), range(100)))
    assert (outcomes.count("REFUSED"), outcomes.count("RATE_LIMITED")) == (5, 95)
    assert (holder.factor("failures"), holder.factor("day_failures")) == (5, 5)


def test_b113_twenty_in_a_day_turn_it_off_until_a_new_sign_in(holder: Holder) -> None:
    for _ in range(4):
        assert [holder.step_up(wrong(holder)) for _ in range(5)] == ["REFUSED"] * 5
        holder.scene.stand.as_owner("UPDATE auth.factor SET locked_until = locked_until - interval '16 minutes'")

    assert holder.factor("off_at") is not None
    assert holder.step_up(holder.code()) == "STEP_UP_REQUIRED"

    anew = Holder(holder.scene, holder.scene.sign_in()["access_token"], holder.secret)
    assert holder.step_up(holder.code()) == "STEP_UP_REQUIRED"
    assert anew.step_up(anew.code()) == "OK"
    assert holder.factor("off_at") is None


def test_b113_the_count_outlives_a_process_that_dies_before_it_judges(holder: Holder) -> None:
    async def count_and_die() -> None:
        connection = await holder.scene.stand.connect(Login.DESK)
        async with connection.transaction():
            await connection.execute(
                "SELECT auth.sign_in($1, $2)", holder.token, thumbprint_bytes(PHONES[holder.token].key)
            )
            assert await connection.fetchval("SELECT id FROM auth.count_try()") is not None
        connection.terminate()

    asyncio.run(count_and_die())
    assert (holder.factor("failures"), holder.factor("day_failures")) == (1, 1)


def test_b113_a_day_is_over_after_a_day(holder: Holder) -> None:
    holder.scene.stand.as_owner("UPDATE auth.factor SET day_failures = 19, day_began_at = now() - interval '25 hours'")
    assert holder.step_up(wrong(holder)) == "REFUSED"
    assert (holder.factor("day_failures"), holder.factor("off_at")) == (1, None)


@pytest.mark.parametrize(
    "typed",
    [
        "１２３４５６",
        "१२३४५६",
        " 123456",
        "123 456",
        "12345",
        "1234567",
        "123456\n",
        "",
        "12345a",
        "-12345",
        "1e5",
        "\u0000" * 6,
        "K7QF-2M9D-XA",
        "x" * 5000,
    ],
)
def test_b114_what_is_no_code_is_refused_alike(holder: Holder, typed: str) -> None:
    answer = holder.send(STEP_UP, a="SHARE", c=typed)
    if "\u0000" in typed:  # no text of ours holds one: the request itself is wrong
        assert answer["errors"][0]["extensions"]["code"] == "INVALID"
    else:
        assert answer == holder.send(STEP_UP, a="SHARE", c=wrong(holder))
        assert answer["errors"][0]["extensions"] == {"code": "REFUSED"}


@pytest.mark.parametrize("typed", [None, 123456, 1.5, True, ["123456"], {}])
def test_b114_another_type_is_invalid(holder: Holder, typed: object) -> None:
    assert holder.send(STEP_UP, a="SHARE", c=typed)["errors"][0]["extensions"]["code"] == "INVALID"


def test_b114_who_has_no_factor_is_refused_alike(person: Holder) -> None:
    none = person.send(STEP_UP, a="SHARE", c=WRONG)
    person.enrol()
    assert none == person.send(STEP_UP, a="SHARE", c=wrong(person))


def test_b115_a_factor_is_replaced_by_its_holder_only(holder: Holder) -> None:
    later_session = Holder(holder.scene, holder.scene.sign_in()["access_token"], holder.secret)
    for session in (holder, later_session):
        refused = session.send(ENROL, k=new_secret())
        assert refused["errors"][0]["extensions"]["code"] == "STEP_UP_REQUIRED"
    old, other = holder.secret, holder.scene.sign_in()["access_token"]

    assert holder.step_up(holder.code()) == "OK"
    holder.enrol()

    assert holder.secret != old
    assert not holder.scene.is_alive({"access_token": other})  # B126
    assert holder.scene.is_alive({"access_token": holder.token})
    assert holder.step_up(totp.code_at(old, seconds=time.time())) == "REFUSED"
    assert events(holder, "FACTOR_CHANGED") == 1


def test_b115_a_first_factor_wants_a_fresh_sign_in(person: Holder) -> None:
    person.scene.stand.as_owner("UPDATE auth.session SET created_at = created_at - interval '16 minutes'")
    refused = person.send(ENROL, k=new_secret())["errors"][0]
    assert refused["extensions"]["code"] == "STEP_UP_REQUIRED"
    assert "đăng nhập lại" in refused["message"]


def test_a_first_factor_of_a_low_account_is_refused_and_not_sent_to_sign_in_again(person: Holder) -> None:
    person.scene.stand.as_owner("UPDATE auth.session SET level = 1")
    refused = person.send(ENROL, k=new_secret())["errors"][0]
    assert (refused["extensions"]["code"], refused["message"]) == ("REFUSED", LevelTooLow.default_text.vi)


def test_b115_only_the_session_that_enrolled_confirms(person: Holder) -> None:
    person.secret = base64.b32decode(person.send(ENROL, k=new_secret())["data"]["enrolTotp"]["secret"])
    other = Holder(person.scene, person.scene.sign_in()["access_token"], person.secret)

    assert other.send(CONFIRM, k=new_secret(), c=other.code())["errors"][0]["extensions"]["code"] == "CONFLICT"
    wrong_one = person.send(CONFIRM, k=new_secret(), c=wrong(person))
    assert wrong_one["errors"][0]["extensions"]["code"] == "REFUSED"
    assert person.factor("confirmed_at") is None
    assert person.step_up(person.code()) == "REFUSED"  # it does not count yet


def test_b115_an_enrolment_waits_for_a_quarter_of_an_hour(person: Holder) -> None:
    person.secret = base64.b32decode(person.send(ENROL, k=new_secret())["data"]["enrolTotp"]["secret"])
    person.scene.stand.as_owner("UPDATE auth.factor SET added_at = added_at - interval '16 minutes'")
    assert person.send(CONFIRM, k=new_secret(), c=person.code())["errors"][0]["extensions"]["code"] == "CONFLICT"


def test_b116_the_secret_is_told_once(person: Holder) -> None:
    first = person.send(ENROL, k="same")["data"]["enrolTotp"]
    assert first["secret"]
    nothing = {"enrolTotp": {"secret": None, "otpauthUri": None, "qrSvg": None}}
    assert person.send(ENROL, k="same")["data"] == nothing
    person.secret = base64.b32decode(first["secret"])
    person.send(CONFIRM, k="confirm", c=person.code())
    assert person.send(ENROL, k="same")["data"] == nothing


def test_the_first_code_is_not_good_again(person: Holder) -> None:
    person.secret = base64.b32decode(person.send(ENROL, k=new_secret())["data"]["enrolTotp"]["secret"])
    code = person.code()
    assert person.send(CONFIRM, k=new_secret(), c=code)["data"]
    assert person.step_up(code) == "REFUSED"


def test_b117_a_recovery_code_is_good_once(holder: Holder) -> None:
    one, two = holder.recovery_codes[:2]
    typed = one.lower().replace("-", " ")
    assert [holder.step_up(typed), holder.step_up(one), holder.step_up(two)] == ["OK", "REFUSED", "OK"]


def test_b117_of_fifty_at_once_one_counts(holder: Holder) -> None:
    code = holder.recovery_codes[0]
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda _: holder.step_up(code), range(50)))
    assert outcomes.count("OK") == 1


def test_b117_wrong_ones_count_as_wrong_codes(holder: Holder) -> None:
    code = holder.recovery_codes[0]
    assert holder.step_up(code) == "OK"
    assert [holder.step_up(code) for _ in range(5)] == ["REFUSED"] * 5
    assert holder.step_up(holder.recovery_codes[1]) == "RATE_LIMITED"


def test_b117_the_codes_are_told_again_for_the_same_key(person: Holder) -> None:
    person.secret = base64.b32decode(person.send(ENROL, k=new_secret())["data"]["enrolTotp"]["secret"])
    code = person.code()
    first = person.send(CONFIRM, k="again", c=code)
    assert len(first["data"]["confirmTotp"]["recoveryCodes"]) == 10
    assert person.send(CONFIRM, k="again", c=code) == first
    assert person.send(CONFIRM, k="again", c=wrong(person))["errors"][0]["extensions"]["code"] == "CONFLICT"


def test_b118_a_factor_is_for_its_action_session_and_time(holder: Holder) -> None:
    other = Holder(holder.scene, holder.scene.sign_in()["access_token"], holder.secret)
    stale(holder.scene)
    assert holder.step_up(holder.code(), "SHARE") == "OK"
    assert ended(holder) == "STEP_UP_REQUIRED"  # another action

    holder.forget_step()
    assert holder.step_up(holder.code(), "SESSIONS") == "OK"
    assert ended(other) == "STEP_UP_REQUIRED"  # another session
    holder.scene.stand.as_owner("UPDATE auth.step_up SET until = until - interval '5 minutes'")
    assert ended(holder) == "STEP_UP_REQUIRED"  # too late

    holder.forget_step()
    assert holder.step_up(holder.code(), "SESSIONS") == "OK"
    assert ended(holder) == "OK"
    assert not holder.scene.is_alive({"access_token": other.token})


def stale(scene: Scene) -> None:
    scene.stand.as_owner("UPDATE auth.session SET created_at = created_at - interval '16 minutes'")


def ended(holder: Holder) -> str:
    answer = holder.send(END_OTHERS, k=new_secret())
    return "OK" if answer["data"] else str(answer["errors"][0]["extensions"]["code"])


def test_b118_a_renewed_token_is_of_the_same_session(holder: Holder) -> None:
    assert holder.step_up(holder.code(), "SHARE") == "OK"
    phone = PHONES[holder.token]
    refresh = next(token for token, known in PHONES.items() if known is phone and token != holder.token)
    renewed = holder.scene.renew(refresh).json()
    rows = holder.scene.stand.as_owner(
        "SELECT u.action FROM auth.step_up u JOIN auth.session s ON s.id = u.session_id "
        "WHERE s.token_hash = sha256(convert_to(:token, 'UTF8'))",
        token=renewed["access_token"],
    )
    assert [row.action for row in rows] == ["SHARE"]


def test_b120_aliases_are_tries_and_the_first_refusal_ends_them(holder: Holder) -> None:
    code = wrong(holder)
    fields = " ".join(f's{n}: stepUp(input: {{action: SHARE, code: "{code}"}}) {{ until }}' for n in range(10))
    answer = holder.send(f"mutation {{ {fields} }}")
    assert answer["errors"][0]["extensions"]["code"] == "REFUSED"
    assert holder.factor("day_failures") == 1


def test_the_table_is_printed_in_the_schema() -> None:
    published = schema()._schema.type_map["StepUpAction"]
    assert isinstance(published, GraphQLEnumType)
    printed = {
        name: action
        for action, value in published.values.items()
        for name in re.findall(r"[a-z]+[A-Z][A-Za-z]+", (value.description or "").partition("Asked for by:")[2])
    }
    assert printed == {name: action.value for name, action in OPERATIONS.items()}
    assert set(published.values) == {action.value for action in StepUpAction}


def test_postgresql_knows_the_same_actions(scene: Scene) -> None:
    (row,) = scene.stand.as_owner(
        "SELECT pg_get_constraintdef(oid) AS it FROM pg_constraint "
        "WHERE conrelid = 'auth.step_up'::regclass AND contype = 'c'"
    )
    assert set(re.findall(r"'([A-Z*]+)'", row.it)) == {*(action.value for action in StepUpAction), "*"}


def test_every_action_that_sql_asks_for_is_one_of_the_table() -> None:
    asked = set()
    for path in (ROOT / "app").rglob("*.sql"):
        text = path.read_text(encoding="utf-8")
        asked |= set(
            re.findall(r"(?:require_step_up\(\w+|is_stepped_up\(\w+|my_citizen_session\(\w*), ?'([A-Z]+)'", text)
        )
        asked |= set(re.findall(r"my_citizen_session\('([A-Z]+)'\)", text))
    assert asked <= {action.value for action in StepUpAction}
    assert asked <= {action.value for action in OPERATIONS.values()}
    assert {"FACTORS", "SESSIONS"} <= asked


ASKED: dict[str, dict[str, object]] = {
    "createShareCode": {"scope": {"sections": ["VISITS"]}, "purpose": "TREATMENT"},
    "freezeSharing": {"frozen": False},
    "askRepresentative": {"personalId": "973066999990", "fullName": "Nguyễn Văn Mới", "kind": "MANDATE"},
    "acceptRepresentation": {"representationId": str(UUID(int=7))},
    "endRepresentation": {"representationId": str(UUID(int=7))},
    "joinIdentifier": {"kind": "PASSPORT", "number": "C1234567"},
    "undoJoin": {"joinId": str(UUID(int=7))},
    "endSession": {"others": True},
}
"""Arguments that have the right types, for operations of a citizen."""


@pytest.mark.parametrize("operation", ASKED)
def test_b118_each_operation_wants_its_own_action(scene: Scene, operation: str) -> None:
    citizen = scene.stand.as_owner("SELECT id FROM auth.citizen WHERE closed_at IS NULL LIMIT 1")[0].id
    action = OPERATIONS[operation]
    other = StepUpAction.FACTORS if action is not StepUpAction.FACTORS else StepUpAction.SHARE

    def outcome(*stepped_up: StepUpAction) -> set[str]:
        token = scene.stand.citizen_token(citizen)
        for one in stepped_up:
            scene.stand.step_up(token, one.value)
        kind = f"{operation[0].upper()}{operation[1:]}Input"
        body = {
            "query": f"mutation A($i: {kind}!) {{ {operation}(input: $i) {{ __typename }} }}",
            "variables": {"i": {"idempotencyKey": new_secret(), **ASKED[operation]}},
        }
        with scene.browser() as http:
            headers = {"Authorization": f"Bearer {token}"}
            answer = http.post(f"{scene.url}/graphql", json=body, headers=headers).json()
        return {error["extensions"]["code"] for error in answer.get("errors", [])}

    assert outcome() == outcome(other) == {"STEP_UP_REQUIRED"}
    assert "STEP_UP_REQUIRED" not in outcome(action)
