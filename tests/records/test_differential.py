"""The product's answers are those of a judge that shares none of its code.

By default a hundred and fifty drawn operations run; SOKHOE_GENERATED=5000 runs so many.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import httpx
import pytest
from graphql import FieldNode, OperationDefinitionNode, parse
from hypothesis import HealthCheck, Phase, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.core.settings import Settings
from app.gateway.trusted import TrustedOperation, trusted_operations
from tests.attacks import tries
from tests.conftest import Ground, RunningServer
from tests.differential.drawing import Known, documents_of_everything, operations
from tests.differential.judge import Viewing, canonical, parsed
from tests.differential.people import KINDS, settle
from tests.differential.rows import Lists, Row, Shelf, read_lists, read_shelf
from tests.differential.shown import VIETNAM
from tests.people import Stand
from tests.sockets import PATIENCE

GENERATED = int(os.environ.get("SOKHOE_GENERATED", "150"))
LANGUAGES = ("vi", "en")
MOSTLY_RICH = ("rich", "rich", "rich", "odd", *KINDS)
DATED = {"visits": ("visit", "started_at"), "prescriptions": ("prescription", "ordered_at")} | {
    "testResults": ("test_report", "resulted_at"),
    "documents": ("document", "dated_at"),
    "vaccinations": ("vaccination", "injected_at"),
    "appointments": ("appointment", "starts_at"),
}


def _roots(known: TrustedOperation) -> set[str]:
    (operation,) = (one for one in known.document.definitions if isinstance(one, OperationDefinitionNode))
    return {one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode)}


JUDGED = [known for known in trusted_operations().values() if _roots(known) <= {"healthBook", "me"}]
"""What a book answers, and the viewer; other rooms try their own documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """The server in demo mode, the server as it is installed, and what rests of four citizens."""

    demo: httpx.Client
    released: httpx.Client
    stand: Stand
    lists: Lists
    shelves: Mapping[str, Shelf]
    tokens: Mapping[str, str]
    known: Mapping[str, Known]

    def __repr__(self) -> str:
        return "the court"

    def ask(self, http: httpx.Client, kind: str, language: str, members: Mapping[str, object]) -> dict[str, Any]:
        """Return the parsed answer of the product."""
        headers = {"Authorization": f"Bearer {self.tokens[kind]}", "Accept-Language": language}
        answer = http.post("/graphql", json=members, headers=headers)
        found = parsed(answer.content)
        assert isinstance(found, dict)
        assert (answer.status_code == 200) == ("data" in found), answer.text[:1000]
        return found

    def assert_right(
        self,
        answer: Mapping[str, Any],
        kind: str,
        language: str,
        text: str,
        *,
        variables: Mapping[str, object],
        operation: str | None = None,
    ) -> None:
        """Compare an answer with the judge's, keys in their order, and the paths and codes of errors."""
        viewing = Viewing(shelf=self.shelves[kind], lists=self.lists, vault=self.stand.vault, language=language)
        expected = viewing.judged(parse(text), variables, operation)
        assert json.dumps(canonical(answer.get("data")), indent=1) == json.dumps(expected.data, indent=1)
        errors = [(error["path"], error["extensions"]["code"]) for error in answer.get("errors", ())]
        assert errors == [(error.path, (error.extensions or {}).get("code")) for error in expected.errors or ()]


@pytest.fixture(scope="module")
def court(ground: Ground, settings: Settings, stand: Stand) -> Iterator[Court]:
    by_kind = settle(ground, stand)

    async def look() -> tuple[Lists, dict[str, Shelf]]:
        async with tries.as_superuser(ground, settings) as superuser:
            shelves = {kind: await read_shelf(superuser, citizen) for kind, citizen in by_kind.items()}
            return await read_lists(superuser), shelves

    lists, shelves = tries.run(look)
    servers = [RunningServer(settings), RunningServer(settings.model_copy(update={"demo": False}))]
    for server in servers:
        server.start()
    with (
        httpx.Client(base_url=servers[0].url, timeout=PATIENCE) as demo,
        httpx.Client(base_url=servers[1].url, timeout=PATIENCE) as released,
    ):
        tokens = {kind: stand.citizen_token(citizen) for kind, citizen in by_kind.items()}
        found = Court(demo=demo, released=released, stand=stand, lists=lists, shelves=shelves, tokens=tokens, known={})
        known = {kind: _known(found, kind) for kind in KINDS}
        yield Court(demo=demo, released=released, stand=stand, lists=lists, shelves=shelves, tokens=tokens, known=known)
    for server in servers:
        server.stop()


def _known(court: Court, kind: str) -> Known:
    pages = " ".join(f"{name}(first: 50) {{ edges {{ cursor }} }}" for name in DATED)
    book = court.ask(court.demo, kind, "vi", {"query": f"{{ healthBook {{ {pages} }} }}"})["data"]["healthBook"]
    shelf = court.shelves[kind]
    moments = [row[dated] for table, dated in DATED.values() for row in shelf.records[table]]
    days = {moment.astimezone(zone).date().isoformat() for moment in moments for zone in (UTC, VIETNAM)}
    asked = "{ me { ... on Citizen { consents(first: 50) { edges { cursor } } } } }"
    consents = court.ask(court.demo, kind, "vi", {"query": asked})["data"]["me"]["consents"]
    cursors = {**{name: book[name] for name in DATED}, "consents": consents}
    return Known(
        citizen=str(shelf.citizen["id"]),
        days=sorted(days),
        facilities=sorted(court.lists.facilities),
        cursors={name: [edge["cursor"] for edge in page["edges"]] for name, page in cursors.items()},
        lines=[f"{row['citizen_id']}.{row['n']}" for row in shelf.views],
        codes=sorted(_codes(shelf)),
    )


def _codes(shelf: Shelf) -> set[str]:
    """Return what tests and services of a book are called."""
    named = [(one["code"], one.get("service_code")) for line in shelf.lines.values() for one in line if "code" in one]
    named += [(one["service_code"], None) for one in shelf.records["test_report"]]
    named += [(one["procedure_code"], None) for one in shelf.records["imaging_study"]]
    return {code for codes in named for code in codes if code}


def test_everything_that_can_be_asked(court: Court) -> None:
    """Documents of every field: what the judge was not taught ends it."""
    for text in documents_of_everything():
        for kind in KINDS:
            for language in LANGUAGES:
                answer = court.ask(court.demo, kind, language, {"query": text})
                court.assert_right(answer, kind, language, text, variables={})
    assert all(court.shelves["rich"].records.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("known", JUDGED, ids=lambda known: known.name)
def test_a_released_operation_says_what_the_judge_says(
    court: Court, known: TrustedOperation, kind: str, language: str
) -> None:
    for variables in _variables(court.known[kind], known):
        members = {"documentId": known.id, "variables": variables}
        for http in (court.released, court.demo):
            answer = court.ask(http, kind, language, members)
            court.assert_right(answer, kind, language, known.text, variables=variables)


def _variables(known: Known, operation: TrustedOperation) -> Iterator[Mapping[str, object]]:
    """Yield what apps send: nothing, small pages one after the other, and each filter."""
    if operation.name == "AccessReceipts":
        yield from ({"entryIds": lines} for lines in (known.lines, known.lines[:1], ["x"], []))
        return
    if operation.name == "TestTrend":
        yield from ({"code": code} for code in ("GLU", "718-7", "x"))
        return
    if operation.name == "ReuseAdvice":
        yield from ({"codes": codes} for codes in (known.codes[:50], ["GLU", "x"], []))
        return
    yield {}
    field = f"{operation.name[0].lower()}{operation.name[1:]}"
    if field not in known.cursors:
        return
    yield {"first": 50}
    yield {"first": 3, "after": None}
    for cursor in known.cursors[field][2:20:3]:
        yield {"first": 3, "after": cursor}
    yield from (filtered for name, ones in _filters(known).items() if f"${name}" in operation.text for filtered in ones)


def _filters(known: Known) -> Mapping[str, Sequence[Mapping[str, object]]]:
    """Return what apps send, by the variable that an operation must have for it."""
    return {
        "from": [one for day in known.days for one in ({"from": day, "to": day}, {"to": day, "first": 7})],
        "facilityCode": [{"facilityCode": code, "from": None} for code in (*known.facilities, "none")],
        "category": [{"category": category, "from": "2020-01-01"} for category in ("LABORATORY", "IMAGING", None)],
        "order": [{"order": order, "first": 7} for order in ("SOONEST_FIRST", "LATEST_FIRST", None)],
    }


def shown(shelf: Shelf, table: str) -> list[Row]:
    """Return a table's rows, of doses those that stand for the others."""
    return [row for row in shelf.records[table] if row.get("dose_id", row["id"]) == row["id"]]


def test_pages_one_after_the_other_are_the_whole(court: Court) -> None:
    """A phone that turns pages meets every record once, in the order of one long page."""
    for field in DATED:
        text = (
            f"query($after: String) {{ healthBook {{ {field}(first: 7, after: $after) "
            "{ nodes { id } pageInfo { hasNextPage endCursor } } } }"
        )
        met, after = [], None
        while True:
            answer = court.ask(court.demo, "rich", "vi", {"query": text, "variables": {"after": after}})
            page = answer["data"]["healthBook"][field]
            met += [node["id"] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        table, dated = DATED[field]
        rows = sorted(shown(court.shelves["rich"], table), key=lambda row: (row[dated], row["id"]), reverse=True)
        assert met == [str(row["id"]) for row in rows]
        assert len(met) > 8


@hypothesis_settings(
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    max_examples=GENERATED,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(
    data=st.data(), kind=st.sampled_from(["rich", "rich", "rich", "odd", *KINDS]), language=st.sampled_from(LANGUAGES)
)
def test_a_drawn_operation_is_answered_as_the_judge_answers_it(
    court: Court, data: st.DataObject, kind: str, language: str
) -> None:
    drawn = data.draw(operations(court.known[kind]))
    members = {"query": drawn.document, "variables": drawn.variables, "operationName": drawn.operation}

    answer = court.ask(court.demo, kind, language, members)

    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    assume(codes != {"TOO_COMPLEX"})
    court.assert_right(answer, kind, language, drawn.document, variables=drawn.variables, operation=drawn.operation)
