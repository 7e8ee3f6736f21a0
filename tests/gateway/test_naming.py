"""Names of public lists are put in by the gateway: right in each language, never old, safe from any code."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from app.core.db import Login
from app.core.settings import Settings
from app.terminology.codes import CodeEntry, read_codes
from app.terminology.loading import load
from tests.attacks import tries
from tests.conftest import Ground
from tests.gateway.timed import Clock, reading_by
from tests.people import Stand

QUERY = "{ healthBook { visits { nodes { id facility { code name } diagnoses { code name } kind } } } }"
NASTY = '\x04\x01;"\\\x02é\U0001f600'
"""What would end a mark, if anything of a code stood bare in it."""


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(datetime(2026, 11, 22, 8, tzinfo=UTC))


@pytest.fixture(scope="module")
def client(settings: Settings, stand: Stand, clock: Clock) -> Iterator[httpx.Client]:
    with reading_by(clock, settings=settings, stand=stand) as http:
        yield http


@pytest.fixture
def later(clock: Clock) -> None:
    """Let everything that is kept grow old."""
    clock.at += timedelta(minutes=1)


def visit(client: httpx.Client, language: str = "vi") -> dict[str, Any]:
    answer = client.post("/graphql", json={"query": QUERY}, headers={"Accept-Language": language}).json()
    assert "errors" not in answer
    found: dict[str, Any] = answer["data"]["healthBook"]["visits"]["nodes"][0]
    return found


def behind(ground: Ground, settings: Settings, sql: str, *values: object) -> Any:
    """Return the first value of what a superuser asks of the database."""

    async def ask() -> Any:
        async with tries.as_superuser(ground, settings) as superuser:
            return await superuser.fetchval(sql, *values)

    return tries.run(ask)


def test_names_are_those_of_the_lists_in_the_viewers_language(
    client: httpx.Client, ground: Ground, settings: Settings
) -> None:
    newest = "SELECT %s FROM code.entry WHERE system = 'icd10' AND code = $1 ORDER BY valid_from DESC LIMIT 1"
    for language, name in (("vi", "name_vi"), ("en", "coalesce(name_en, name_vi)"), ("vi", "name_vi")):
        found = visit(client, language)
        code = found["facility"]["code"]
        registered = behind(ground, settings, "SELECT name FROM directory.facility WHERE code = $1", code)
        assert found["facility"]["name"] == registered
        assert found["kind"]
        for diagnosis in found["diagnoses"]:
            asked = newest.replace("%s", name)
            assert diagnosis["name"] == behind(ground, settings, asked, diagnosis["code"])


def kept(client: httpx.Client, etag: str = "") -> httpx.Response:
    """Ask again, with what is kept of the answer before."""
    return client.post("/graphql", json={"query": QUERY}, headers={"If-None-Match": etag})


@pytest.fixture
def etag(client: httpx.Client) -> str:
    first = kept(client).headers["etag"]
    assert kept(client, first).status_code == 304
    return first


def test_a_facility_that_is_renamed_is_shown_so_at_once(client: httpx.Client, stand: Stand, etag: str) -> None:
    before = visit(client)["facility"]
    change = "UPDATE directory.facility SET name = :name WHERE code = :code"
    stand.as_owner(change, name="Tên mới", code=before["code"])
    try:
        answer = kept(client, etag)
        assert answer.status_code == 200
        assert answer.json()["data"]["healthBook"]["visits"]["nodes"][0]["facility"]["name"] == "Tên mới"
        assert kept(client, answer.headers["etag"]).status_code == 304
    finally:
        stand.as_owner(change, name=before["name"], code=before["code"])


def test_a_code_list_that_is_loaded_again_is_shown_so_at_once(
    client: httpx.Client, ground: Ground, settings: Settings, stand: Stand, etag: str
) -> None:
    code = visit(client)["diagnoses"][0]["code"]
    listed = "SELECT valid_from FROM code.entry WHERE system = 'icd10' AND code = $1"
    day = behind(ground, settings, listed, code)
    mended = CodeEntry(system="icd10", code=code, name_vi="Tên đã sửa", name_en=None, valid_from=day, valid_until=None)
    others = tuple(entry for entry in read_codes("icd10") if entry.code != code)
    stand.run(Login.MIGRATOR, partial(load, system="icd10", entries=(*others, mended)))
    try:
        answer = kept(client, etag)
        assert answer.status_code == 200
        found = answer.json()["data"]["healthBook"]["visits"]["nodes"][0]["diagnoses"]
        assert {diagnosis["name"] for diagnosis in found if diagnosis["code"] == code} == {"Tên đã sửa"}
    finally:
        stand.run(Login.MIGRATOR, partial(load, system="icd10", entries=read_codes("icd10")))


@pytest.mark.parametrize(
    "table", ["code.entry", "code.scheduled_dose", "code.reuse_rule", "code.test_unit", "directory.laboratory_level"]
)
def test_every_public_list_counts(
    client: httpx.Client, ground: Ground, settings: Settings, etag: str, table: str
) -> None:
    behind(ground, settings, f"DELETE FROM {table} WHERE false")
    assert kept(client, etag).status_code == 200


def test_what_a_facility_does_besides_changes_no_kept_answer(client: httpx.Client, stand: Stand, etag: str) -> None:
    stand.as_owner("UPDATE directory.facility SET suspended_at = suspended_at")
    assert kept(client, etag).status_code == 304


@pytest.mark.usefixtures("later")
def test_no_code_can_end_its_mark(client: httpx.Client, ground: Ground, settings: Settings) -> None:
    found = visit(client)
    own = found["diagnoses"][0]["code"]
    change = "UPDATE book.visit_diagnosis SET code = $1 WHERE visit_id = $3 AND code = $2"
    behind(ground, settings, change, NASTY, own, found["id"])
    try:
        shown = {diagnosis["code"]: diagnosis["name"] for diagnosis in visit(client)["diagnoses"]}
        assert shown[NASTY] is None
        assert len(shown) == len(found["diagnoses"])
    finally:
        behind(ground, settings, change, own, NASTY, found["id"])


@pytest.mark.usefixtures("later")
def test_a_facility_that_is_nowhere_is_an_error_and_never_silent(
    client: httpx.Client, ground: Ground, settings: Settings
) -> None:
    found = visit(client)
    change = "UPDATE book.visit SET facility_code = $1 WHERE id = $2"
    behind(ground, settings, change, "0ZZZ0", found["id"])
    try:
        answer = client.post("/graphql", json={"query": QUERY}).json()
        assert answer["data"]["healthBook"]["visits"] is None
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL"]
        assert answer["errors"][0]["path"][-1] == "name"
    finally:
        behind(ground, settings, change, found["facility"]["code"], found["id"])
