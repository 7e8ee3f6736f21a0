"""Tries against what is shared: by representatives, live subscriptions, repeated deeds, locks, and raw logins."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID

import httpx
import pytest

from app.core.db import Login
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.conftest import RunningServer
from tests.identity.families import Families, today, years_ago
from tests.listening import begin, hear, socket, subscribe
from tests.people import Stand
from tests.sharing.opening import request
from tests.sharing.sharing import APPROVE, ASK, PREVIEW, REDEEM, REVOKE, SHARED, WHOLE, Clinic, a_key, redeem_input
from tests.sockets import PATIENCE

CHILD, OTHER = Member(number=341), Member(number=342)
CLOSED = 32  # VIOLENCE
LOGINS = (Login.API, Login.DESK, Login.INGEST, Login.WORKER)


@pytest.fixture(scope="module")
def clinic(stand: Stand, server: RunningServer) -> Iterator[Clinic]:
    sender = stand.facility()
    stand.facility("01902", name="Bệnh viện khác")
    assert stand.file(message(CHILD, OTHER), token=sender) == "filed"
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as http:
        yield Clinic(stand, http)


@pytest.fixture
def child(clinic: Clinic) -> UUID:
    """Return a child of five whose only visit tells of violence, and nobody's grants."""
    stand = clinic.stand
    found = stand.citizen_by(CHILD.personal_id)
    Families(stand).born(found, years_ago(today(stand), 5) - timedelta(days=1))
    stand.as_owner("UPDATE auth.share_code SET cancelled_at = now() WHERE redeemed_at IS NULL")
    stand.as_owner("UPDATE auth.representation SET ended_at = now()")
    return found


def classify(clinic: Clinic, citizen: UUID, classes: int) -> None:
    async def go() -> None:
        async with tries.as_login(clinic.stand, Login.MIGRATOR) as owner:
            await owner.execute("SET ROLE book_owner")
            await owner.execute("ALTER TABLE book.visit NO FORCE ROW LEVEL SECURITY")
            await owner.execute("UPDATE book.visit SET sensitive = $2 WHERE citizen_id = $1", citizen, classes)
            await owner.execute("ALTER TABLE book.visit FORCE ROW LEVEL SECURITY")

    asyncio.run(go())


def visits(book: dict[str, dict[str, list[object]]]) -> int:
    return len(book["visits"]["nodes"])


@pytest.mark.parametrize("way", ["code", "request"])
def test_t21_nobody_opens_to_others_what_is_closed_to_themselves(clinic: Clinic, child: UUID, way: str) -> None:
    """A parent is never shown violence; naming its class must not show it to a doctor of their choice either."""
    families = Families(clinic.stand)
    parent = families.citizen("Người Lớn", born=years_ago(today(clinic.stand), 40))
    families.represent(child, parent)
    classify(clinic, child, CLOSED)
    token, doctor = clinic.citizen(parent), clinic.doctor()
    scope = {**WHOLE, "sensitive": ["VIOLENCE", "TUBERCULOSIS"]}

    if way == "code":
        grant = clinic.grant(token, doctor, scope=scope, citizenId=str(child))
    else:
        asked = clinic.data(doctor, ASK, input=request(CHILD.personal_id, scope=scope))["request"]["id"]
        given = clinic.data(token, APPROVE, input={"idempotencyKey": a_key(), "requestId": asked})
        grant = given["grant"]["id"]

    of_child = PREVIEW.replace("($scope:", "($citizen: ID, $scope:").replace("(scope:", "(citizenId: $citizen, scope:")
    preview = clinic.data(token, of_child, scope=scope, citizen=str(child))
    shared = clinic.data(doctor, SHARED, grant=grant)
    assert visits(shared) == visits(preview) == 0
    assert shared["scope"]["sensitive"] == preview["scope"]["sensitive"] == ["TUBERCULOSIS"]
    classify(clinic, child, 2)
    assert visits(clinic.data(doctor, SHARED, grant=grant)) == 1
    classify(clinic, child, 0)


def test_t21_a_court_guardian_of_a_summary_shares_no_more_than_it(clinic: Clinic, child: UUID) -> None:
    families = Families(clinic.stand)
    families.born(child, years_ago(today(clinic.stand), 40))
    guardian = families.citizen("Người Giám Hộ", born=years_ago(today(clinic.stand), 50))
    families.represent(child, guardian, "COURT", extent="SUMMARY")
    token, doctor = clinic.citizen(guardian), clinic.doctor()
    sections = ["VISITS", "TEST_RESULTS", "IMAGING", "DOCUMENTS"]

    grant = clinic.grant(token, doctor, scope={"sections": sections}, citizenId=str(child))

    seen = clinic.data(doctor, SHARED, grant=grant)["scope"]["sections"]
    own = clinic.data(token, "query ($c: ID) { healthBook(citizenId: $c) { scope { sections } } }", c=str(child))
    assert set(seen) == set(sections) & set(own["scope"]["sections"]) < set(sections)


CHANGE = "UPDATE auth.book_grant SET {} WHERE id = :grant"
HEARD = "subscription ($grant: ID) { bookEvents(grantId: $grant) { kind } }"


@pytest.mark.parametrize(
    "change",
    [
        "revoked_at = now()",
        "starts_at = now() + interval '1 hour', ends_at = now() + interval '2 hours'",
        "starts_at = now() - interval '2 hours', ends_at = now()",
        "facility_code = '01902'",
        "practitioner_id = (SELECT min(id::text) FROM auth.practitioner)::uuid",
    ],
    ids=["revoked", "not begun", "ended", "moved", "another's"],
)
def test_b138_b139_nothing_is_heard_by_a_grant_that_opens_nothing(
    server: RunningServer, clinic: Clinic, child: UUID, change: str
) -> None:
    clinic.doctor()  # somebody else who has a certificate
    doctor = clinic.doctor()
    grant = clinic.grant(clinic.citizen(child), doctor)
    clinic.stand.as_owner(CHANGE.format(change), grant=UUID(grant))
    with socket(server) as one:
        begin(one, doctor)
        subscribe(one, query=HEARD, grant=grant)
        assert hear(one)["payload"][0]["extensions"]["code"] == "NOT_FOUND"
    assert clinic.stand.as_owner("SELECT count(*) AS n FROM auth.live_subscription")[0].n == 0


def test_a_repeated_redemption_shows_nothing_after_the_revocation(clinic: Clinic, child: UUID) -> None:
    """The deed is done once and told again; what it opened then is judged anew."""
    token, doctor, other = clinic.citizen(child), clinic.doctor(), clinic.doctor()
    code = clinic.share(token)
    asked = redeem_input(code["code"])
    first = clinic.data(doctor, REDEEM, input=asked)
    assert visits(first["healthBook"]) == 1
    clinic.data(token, REVOKE, input={"idempotencyKey": a_key(), "grantId": first["grant"]["id"]})

    again = clinic.ask(doctor, REDEEM, input=asked).json()
    theirs = clinic.ask(other, REDEEM, input=asked).json()

    assert CHILD.told not in str(again)
    assert [error["extensions"]["code"] for error in again["errors"]] == ["NOT_FOUND"]
    assert [error["extensions"]["code"] for error in theirs["errors"]] == ["REFUSED"]


@pytest.mark.parametrize("login", LOGINS)
def test_b102_no_login_stops_a_doctor_by_holding_a_lock(clinic: Clinic, child: UUID, login: Login) -> None:
    token, doctor = clinic.citizen(child), clinic.doctor()
    code = clinic.share(token)
    redeem = partial(clinic.redeem, doctor, code["code"])

    async def held() -> httpx.Response:
        async with tries.as_login(clinic.stand, login) as attacker:
            for seed in range(12):
                statement = "SELECT pg_advisory_lock(hashtextextended($1, $2))"
                await attacker.execute(statement, str(clinic.doctors[doctor]), seed)
            return await asyncio.to_thread(redeem)

    answer = asyncio.run(held()).json()
    assert "errors" not in answer, answer


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.asyncio
async def test_f_no_login_learns_of_books_from_the_catalogue_or_plans(
    stand: Stand, clinic: Clinic, login: Login
) -> None:
    """Statistics, plans, other sessions, large objects, events: none tells what a policy hides."""
    assert clinic.stand == stand
    async with tries.as_login(stand, login) as connection:
        for table in ("book.visit", "book.allergy", "auth.share_code", "auth.book_grant", "audit.line"):
            name = table.partition(".")[2]
            known = await connection.fetchval("SELECT count(*) FROM pg_stats WHERE tablename = $1", name)
            assert known == 0, (login, table)
        for statement in (
            "EXPLAIN SELECT FROM auth.share_try WHERE citizen_id IS NULL FOR UPDATE",
            "EXPLAIN SELECT FROM auth.announcement",
            "EXPLAIN ANALYZE SELECT verifier FROM auth.share_code",
            "SELECT * FROM auth.announcement",
            "INSERT INTO auth.announcement VALUES (gen_random_uuid(), 1, now())",
            "SELECT auth.take_announcement(NULL, NULL, NULL, NULL, NULL)",
            "SELECT auth.within_reach('{}', NULL, NULL)",
            "SELECT auth.decide(NULL, '{}', true, true, 0)",
            "SELECT audit.write_line(NULL, 'BOOK_OPENED', NULL, '{}')",
            "SELECT count(*) FROM pg_statistic",
            "SELECT count(*) FROM pg_statistic_ext_data",
            "SELECT lo_create(0)",
            "SELECT pg_ls_waldir()",
            "SELECT count(*) FROM pg_authid",
            "CREATE TEMP TABLE t (i int)",
            "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ):
            assert await tries.sqlstate_of(connection, statement) == tries.DENIED, statement
        others = await connection.fetch(
            "SELECT query FROM pg_stat_activity WHERE usename <> current_user AND query <> '<insufficient privilege>'"
        )
        assert [row["query"] for row in others if row["query"]] == []


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.asyncio
async def test_f_forged_settings_are_nobodys_session(stand: Stand, clinic: Clinic, child: UUID, login: Login) -> None:
    """A setting names who it is by a secret, and a decision by what only open_book's owner reads."""
    assert clinic.stand == stand
    async with tries.as_login(stand, login) as connection, connection.transaction():
        await tries.forge(connection, child)
        for name in ("desk.token", "desk.proof_key", "desk.citizen", "desk.me"):
            await connection.execute("SELECT set_config($1, $2, true)", name, str(child))
        for table in ("auth.book_grant", "auth.share_request", "audit.line", "care.appointment", "book.visit"):
            told = await tries.sqlstate_of(connection, f"SELECT * FROM {table}")
            assert told in {tries.DENIED, tries.NO_SESSION, tries.NO_BOOK, "22023"}, (login, table, told)


def test_f_events_on_channels_hold_nothing_of_anybody(clinic: Clinic, child: UUID) -> None:
    """LISTEN is open to every login: what is sent there is a kind of job at most."""
    heard: list[str] = []
    token = clinic.citizen(child)

    async def listen() -> None:
        async with tries.as_login(clinic.stand, Login.API) as api:
            for channel in ("ch_pgqueuer", "book", "notice", "jobs", "audit"):
                await api.add_listener(channel, lambda *told: heard.append(str(told[-1])))
            await asyncio.to_thread(clinic.share, token)
            await asyncio.sleep(0.3)

    asyncio.run(listen())
    assert not any(str(child) in told or CHILD.told in told for told in heard)
