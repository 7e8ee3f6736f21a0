"""The demo's first citizens, read through GraphQL: citizen:1 and citizen:2 have something in every section."""

import asyncio
import json
from functools import partial
from typing import Any

import httpx
import pytest

from app.core.db import Login
from app.core.ids import new_id
from app.demo import booking
from app.demo.load import demo_messages
from app.demo.people import FACILITIES, citizen, families
from app.demo.standing import standing_messages
from app.identity import families as guardians
from app.ingestion.fhir import read_message
from tests.conftest import RunningServer
from tests.demo.year import TODAY
from tests.identity.families import today
from tests.people import Stand, now
from tests.sockets import PATIENCE

PEOPLE = tuple(citizen(number) for number in range(1, 5))
LISTS = ("vaccinationSchedule", "imaging", "conditions", "allergies", "noKnownAllergies", "insurance")
PAGES = ("visits", "prescriptions", "vaccinations", "testResults", "documents", "appointments")
BOOK = """query($id: ID) { healthBook(citizenId: $id) { owner { fullName }
  visits { nodes { id } } prescriptions { nodes { items { drugName } } }
  vaccinations { nodes { vaccineName reactions { description } } }
  vaccinationSchedule { series dose state lateFrom }
  testResults { nodes { id } } documents { nodes { id } } appointments { nodes { origin } }
  imaging { conclusion modalities visitId readerName } conditions { code name statements { note } }
  allergies { substance reactions { description } } noKnownAllergies { statement } insurance { cardNumber } } }"""
FIRST = (
    "{ me { fullName } healthBook { visits(first: 1) "
    "{ nodes { startedAt facility { name } diagnoses { role code name } } } } }"
)


@pytest.fixture(scope="module", autouse=True)
def loaded(stand: Stand) -> dict[str, str]:
    tokens = {one.code: stand.facility(one.code, name=one.name, level=one.level) for one in FACILITIES}
    for message in demo_messages(PEOPLE, today=TODAY):
        assert stand.file(message.body, token=tokens[message.facility_code]) == "filed"
    return tokens


def token(stand: Stand, number: int) -> str:
    return stand.citizen_token(stand.citizen_by(citizen(number).personal_id), stepped_up=True)


def ask(http: httpx.Client, bearer: str, query: str, **variables: object) -> Any:
    asked = {"query": query, "variables": variables}
    answer = http.post("/graphql", json=asked, headers={"Authorization": f"Bearer {bearer}"}).json()
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.mark.parametrize("number", [1, 2])
def test_no_section_of_the_first_two_is_null_or_empty(
    http: httpx.Client, server: RunningServer, stand: Stand, loaded: dict[str, str], number: int
) -> None:
    mine, code, day = token(stand, number), FACILITIES[0].code, today(stand)
    body, headers = json.dumps(booking.plan(today=day)), {"Authorization": f"Bearer {loaded[code]}"}
    sent = http.post("/ingest/schedules", content=body, headers={**headers, "Content-Type": "application/json"})
    assert sent.status_code == 200, sent.text

    async def book() -> bool:
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as phone:
            return await booking.book_once(phone, token=mine, facility_code=code, today=day)

    assert asyncio.run(book())
    found = ask(http, mine, BOOK)["healthBook"]
    assert {name: bool(found[name]["nodes"]) for name in PAGES} == dict.fromkeys(PAGES, True)
    sections = [name for name in LISTS if name not in ("vaccinationSchedule", "noKnownAllergies")]
    assert {name: bool(found[name]) for name in sections} == dict.fromkeys(sections, True)
    assert (found["vaccinationSchedule"], found["noKnownAllergies"]) == ([], [])
    assert "BOOKED" in [one["origin"] for one in found["appointments"]["nodes"]]
    (image,) = found["imaging"]
    assert all(image[name] for name in ("conclusion", "modalities", "readerName"))
    assert image["visitId"] is not None
    assert any(one["statements"] for one in found["conditions"])
    assert all(one["reactions"] for one in found["allergies"])


def test_the_parent_sees_what_the_child_had_and_what_is_due(http: httpx.Client, stand: Stand) -> None:
    ((child, parent),) = families()
    papers = guardians.SeenPapers(
        id=new_id(now=now()),
        dependant=child.personal_id,
        representative=parent.personal_id,
        kind=guardians.RepresentationKind.PARENT,
        valid_from=child.birth_on,
    )
    stand.run(Login.MIGRATOR, partial(guardians.register, papers=papers, vault=stand.vault))
    found = ask(http, token(stand, 3), BOOK, id=str(stand.citizen_by(child.personal_id)))["healthBook"]

    assert found["owner"]["fullName"] == child.full_name
    states = {(one["series"], one["dose"]): one["state"] for one in found["vaccinationSchedule"]}
    late = {(one["series"], one["dose"]): one["lateFrom"] for one in found["vaccinationSchedule"]}
    is_late = today(stand).isoformat() >= late["JAPANESE_ENCEPHALITIS", 3]
    assert states["JAPANESE_ENCEPHALITIS", 3] == ("LATE" if is_late else "DUE")
    assert states["DTP", 4] == "LATE"
    assert states["DTP", 5] == "UPCOMING"
    assert list(states.values()).count("DONE") == 13
    assert ask(http, token(stand, 3), BOOK)["healthBook"]["noKnownAllergies"]


def test_the_first_query_of_the_readme_answers_as_printed(http: httpx.Client, stand: Stand) -> None:
    found = ask(http, token(stand, 1), FIRST)
    assert found["me"] == {"fullName": "Nguyễn Văn Hòa"}
    assert found["healthBook"]["visits"]["nodes"] == [
        {
            "startedAt": "2026-11-12T02:39:00Z",
            "facility": {"name": "Bệnh viện Đa khoa Trung ương Đại La"},
            "diagnoses": [
                {"role": "MAIN", "code": "E11.9", "name": "Đái tháo đường típ 2, không biến chứng"},
                {"role": "ACCOMPANYING", "code": "I10", "name": "Tăng huyết áp vô căn (nguyên phát)"},
                {"role": "ACCOMPANYING", "code": "E78.2", "name": "Rối loạn lipid máu hỗn hợp"},
            ],
        }
    ]


def test_bundles_are_read_without_a_complaint_and_always_the_same() -> None:
    sent = standing_messages(PEOPLE, today=TODAY)
    assert sent == standing_messages(PEOPLE, today=TODAY)
    assert len(sent) == 5
    for message in sent:
        assert [(one.code, one.effect) for one in read_message(message.body).problems] == []
