"""The visitors' book in SQL: numbered, chained, hashed so that anybody can recompute it; and closed when it fails."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as drawing
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from app.core.db import Login
from app.core.errors import Unavailable
from app.core.settings import Settings
from tests.attacks.tries import run
from tests.audit.visitors import Visitors, canonical, leaf_of
from tests.conftest import Ground
from tests.people import Stand

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=6)
WHOLE = st.integers(min_value=-(10**15) + 1, max_value=10**15 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
NOTHING = b"\x00" * 32


@pytest.fixture(scope="module")
def visitors(stand: Stand) -> Visitors:
    stand.facility()
    return Visitors(stand)


@pytest.fixture(scope="module")
def doctor(visitors: Visitors) -> str:
    return visitors.practitioner()


@pytest.fixture
def citizen(visitors: Visitors) -> UUID:
    return visitors.citizen()


def test_lines_are_numbered_without_a_gap_and_each_names_the_leaf_before(
    visitors: Visitors, citizen: UUID, doctor: str
) -> None:
    written = [visitors.view(citizen, by=doctor, about={"purpose": "TREATMENT"}) for _ in range(3)]

    lines = visitors.lines(citizen)
    assert written == [line.n for line in lines] == [1, 2, 3]
    assert [line.previous for line in lines] == [NOTHING, lines[0].hash, lines[1].hash]
    assert [leaf_of(line.nonce, line.body) for line in lines] == [line.hash for line in lines]
    heads = visitors.stand.as_owner("SELECT n, hash FROM audit.head WHERE citizen_id = :id", id=citizen)
    assert tuple(heads[0]) == (3, lines[2].hash)


def test_a_line_that_is_rolled_back_leaves_no_gap(visitors: Visitors, citizen: UUID, doctor: str) -> None:
    with pytest.raises(DBAPIError):
        visitors.stand.as_owner("SELECT audit.write_line(:id, 'FROZEN', NULL, '{}'), 1 / 0", id=citizen)

    assert visitors.view(citizen, by=doctor) == 1


def test_the_body_is_canonical_and_says_what_the_columns_say(visitors: Visitors, citizen: UUID, doctor: str) -> None:
    visitors.view(citizen, by=doctor, about={"purpose": "TREATMENT", "facility": "01901", "sections": 3, "gone": None})

    line = visitors.lines(citizen)[0]
    told = json.loads(line.body)
    assert canonical(told) == line.body
    assert told == {
        "v": 1,
        "citizen": str(citizen),
        "n": 1,
        "previous": "00" * 32,
        "at": line.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "action": "BOOK_OPENED",
        "category": "VIEW",
        "actor": {"kind": "PRACTITIONER", "id": str(line.actor_id), "name": "Trần Văn Đức", "facility": "01901"},
        "about": {"operation": "DoctorView", "purpose": "TREATMENT", "facility": "01901", "sections": 3},
    }


@drawing(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
def test_canonical_json_is_that_of_rfc_8785(ground: Ground, settings: Settings, value: object) -> None:
    text = json.dumps(value).replace("'", "''")
    database = settings.database_url.rpartition("/")[2]
    found = ground.cluster.psql(
        f"SELECT encode(convert_to(coalesce(audit.canonical('{text}'::jsonb), 'null'), 'UTF8'), 'hex')", database
    )
    assert bytes.fromhex(found.strip()).decode() == canonical(value)


def test_a_number_that_is_not_whole_is_refused(stand: Stand) -> None:
    with pytest.raises(DBAPIError, match="whole"):
        stand.as_owner("""SELECT audit.canonical('{"a": 1.5}')""")


def test_each_kind_of_actor_is_told_apart(visitors: Visitors, citizen: UUID, doctor: str) -> None:
    mother = visitors.citizen("Lê Thị Hoa")
    system = visitors.stand.facility("79001", name="Bệnh viện Khác")
    for token in (
        visitors.stand.citizen_token(citizen),
        visitors.stand.citizen_token(mother),
        doctor,
        system,
        None,
    ):
        visitors.write(citizen, "GRANT_REVOKED", by=token)

    told = [(line.actor_kind, line.actor_name, line.facility_code) for line in visitors.lines(citizen)]
    assert told == [
        ("OWNER", "Nguyễn Thị Lan", None),
        ("REPRESENTATIVE", "Lê Thị Hoa", None),
        ("PRACTITIONER", "Trần Văn Đức", None),
        ("FACILITY_SYSTEM", None, "79001"),
        ("SYSTEM", None, None),
    ]


def test_an_unknown_grant_cannot_be_announced(visitors: Visitors, doctor: str) -> None:
    async def announce() -> object:
        connection = await visitors.stand.connect(Login.API)
        try:
            return await connection.fetchval(
                "SELECT op.announce($1, NULL, gen_random_uuid(), 'DoctorView', NULL, NULL)", doctor
            )
        except asyncpg.PostgresError as error:
            return error.sqlstate
        finally:
            await connection.close()

    assert run(announce) == "SK404"


@contextmanager
def changed(ground: Ground, settings: Settings, change: str, back: str) -> Iterator[None]:
    """Change the database as a superuser for a while."""
    database = settings.database_url.rpartition("/")[2]
    ground.cluster.psql(change, database)
    try:
        yield
    finally:
        ground.cluster.psql(back, database)


@pytest.mark.parametrize("table", ["head", "line", "leaf"])
@pytest.mark.parametrize("action", ["BOOK_OPENED", "GRANT_GIVEN"])
def test_t17_when_the_book_cannot_be_written_nothing_is_viewed_and_no_right_changes(
    visitors: Visitors, citizen: UUID, doctor: str, ground: Ground, settings: Settings, table: str, action: str
) -> None:
    revoke = f"REVOKE INSERT, UPDATE ON audit.{table} FROM auth_owner"
    with changed(ground, settings, revoke, f"GRANT INSERT, UPDATE ON audit.{table} TO auth_owner"):
        assert not is_written(visitors, citizen, action, by=doctor)

    assert visitors.lines(citizen) == []


def is_written(visitors: Visitors, citizen: UUID, action: str, *, by: str) -> bool:
    """Tell whether a line is written, or the product is unavailable instead."""
    try:
        visitors.write(citizen, action, by=by)
    except Unavailable:
        return False
    return True


def test_t17_without_a_seal_for_too_long_nobody_views_anothers_book(
    visitors: Visitors, citizen: UUID, doctor: str, ground: Ground, settings: Settings
) -> None:
    mother, owner = visitors.stand.citizen_token(visitors.citizen()), visitors.stand.citizen_token(citizen)
    old = "UPDATE audit.tree SET sealed_at = now() - interval '15 minutes 1 second'"
    with changed(ground, settings, old, "UPDATE audit.tree SET sealed_at = now()"):
        assert not is_written(visitors, citizen, "BOOK_OPENED", by=doctor)
        assert not is_written(visitors, citizen, "BOOK_OPENED", by=mother)
        assert is_written(visitors, citizen, "BOOK_OPENED", by=owner)
        assert is_written(visitors, citizen, "GRANT_REVOKED", by=owner)

    assert is_written(visitors, citizen, "BOOK_OPENED", by=doctor)
