"""SQL at will as `desk`: without a session nothing of a family is told, and no work is caused by hand."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from app.core.db import Login
from tests.identity.families import Families, today, years_ago
from tests.people import Stand

OF_A_FAMILY = ("auth.extent_today", "auth.narrows_on", "auth.representatives_of")


@pytest.fixture(scope="module")
def family(stand: Stand) -> tuple[UUID, UUID, UUID]:
    """Return a representation, its representative, and a stranger."""
    families, day = Families(stand), today(stand)
    parent = families.citizen("Lê Thị Cha Mẹ", born=years_ago(day, 36))
    child = families.citizen("Lê Văn Con", born=years_ago(day, 4))
    families.represent(child, families.citizen("Lê Văn Khác", born=years_ago(day, 37)))
    return families.represent(child, parent), parent, families.citizen("Lê Người Lạ", born=years_ago(day, 30))


def ask(stand: Stand, query: str, *values: object, token: str | None = None) -> object:
    """Ask as `desk`, signed in with a token if one is given."""

    async def go() -> object:
        connection = await stand.connect(Login.DESK)
        try:
            async with connection.transaction():
                if token is not None:
                    await connection.fetchrow("SELECT auth.sign_in($1, NULL)", token)
                return await connection.fetchval(query, *values)
        finally:
            await connection.close()

    return asyncio.run(go())


@pytest.mark.parametrize("function", OF_A_FAMILY)
def test_what_a_representation_is_worth_is_told_to_its_family_alone(
    stand: Stand, family: tuple[UUID, UUID, UUID], function: str
) -> None:
    representation, parent, stranger = family
    query = f"SELECT {function}($1)"

    with pytest.raises(asyncpg.PostgresError) as refused:
        ask(stand, query, representation)
    assert refused.value.sqlstate == "SK401"
    with pytest.raises(asyncpg.PostgresError):
        ask(stand, query, representation, token="a made-up token")
    assert ask(stand, query, representation, token=stand.citizen_token(parent))
    assert not ask(stand, query, representation, token=stand.citizen_token(stranger))


def test_sharing_is_not_unfrozen_by_an_answer_that_is_neither_yes_nor_no(
    stand: Stand, family: tuple[UUID, UUID, UUID]
) -> None:
    token = stand.citizen_token(family[2])
    ask(stand, "SELECT auth.freeze_sharing(NULL, true)", token=token)
    for frozen in ("false", "NULL"):
        with pytest.raises(asyncpg.PostgresError) as refused:
            ask(stand, f"SELECT auth.freeze_sharing(NULL, {frozen})", token=token)
        assert refused.value.sqlstate == "SK428"


@pytest.mark.parametrize("why", ["NULL", "'no reason'"])
def test_no_emergency_is_opened_without_a_reason(stand: Stand, family: tuple[UUID, UUID, UUID], why: str) -> None:
    token = stand.citizen_token(family[2], stepped_up=True)
    with pytest.raises(asyncpg.PostgresError) as refused:
        ask(stand, f"SELECT auth.open_emergency(uuidv7(), 'x', '01901', {why}, uuidv7())", token=token)
    assert refused.value.sqlstate == "SK422"


def test_desk_causes_no_work_by_hand(stand: Stand, family: tuple[UUID, UUID, UUID]) -> None:
    token = stand.citizen_token(family[1])
    for kind in ("push", "process_message", "tell"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            ask(stand, "SELECT jobs.enqueue($1, '{}')", kind, token=token)


@pytest.mark.parametrize(
    "call",
    [
        "auth.settle_try($1, NULL, uuidv7(), 1, NULL, 'SHARE', '5 minutes')",
        "auth.end_provider_sessions('https://issuer', 'subject', $1)",
        "auth.admit_person('https://issuer', $1, '{}', NULL)",
        "auth.issue_handoff($1, '{}', '1 minute')",
        "auth.renew_session($1, 'phone', NULL, 'a', 'b', '5 minutes', '10 seconds')",
        "auth.revoke_token($1, 'phone', NULL)",
    ],
)
def test_desk_lets_nobody_in_and_out_and_makes_no_factor_fresh(
    stand: Stand, family: tuple[UUID, UUID, UUID], call: str
) -> None:
    """What an app's questions run as is another login than the one that signs people in."""
    token = stand.citizen_token(family[1])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask(stand, f"SELECT {call}", token, token=token)
