"""What a hot operation touches: pages, indexes, statements. Row-level security once lured the planner to 3,890 pages.

The citizen has 30 visits, 40 prescriptions of 3 drugs and 40 laboratory reports of 10 results, and is one of many.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.settings import Settings
from app.gateway import plans
from app.gateway.trusted import trusted_operations
from app.sharing.scope import EVERY_SECTION, BookSection
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.conftest import Ground, RunningServer
from tests.people import Stand
from tests.sockets import PATIENCE

FILL = Path(__file__).with_name("heavy.sql")
MOST_PAGES = {"Home": 260, "Visits": 150, "Prescriptions": 97, "TestResults": 113}
"""A written bound for each hot operation with its default page: a sixth above what was counted."""
MOST_PAGES_OF_BOOK = {"Home": 145, "Visits": 100, "Prescriptions": 95, "TestResults": 110}
"""The same for health data alone: what grows cold when citizens grow in number."""
KNOWN = {known.name: known for known in trusted_operations().values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heavy:
    """One of those who have much, and their bearer token."""

    citizen: UUID
    token: str


@pytest.fixture(scope="module")
def heavy(ground: Ground, settings: Settings, stand: Stand) -> Heavy:
    person = Member(number=941)
    assert stand.file(message(person), token=stand.facility()) == "filed"
    database = settings.database_url.rpartition("/")[2]
    first = {"citizen": str(stand.citizen_by(person.personal_id))}
    citizen = UUID(ground.cluster.psql(FILL, database, variables=first).strip())
    ground.cluster.psql("VACUUM ANALYZE", database)
    return Heavy(citizen=citizen, token=stand.citizen_token(citizen))


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of a plan, and the one-time filters above it."""

    said: dict[str, Any]
    guards: tuple[str, ...]

    @property
    def table(self) -> str | None:
        """Return the table that the node reads, with its schema."""
        name = self.said.get("Relation Name")
        return None if name is None else f"{self.said['Schema']}.{name}"


def nodes(said: dict[str, Any], guards: tuple[str, ...] = ()) -> Iterator[Node]:
    own = (*guards, *([said["One-Time Filter"]] if "One-Time Filter" in said else []))
    yield Node(said=said, guards=own)
    for child in said.get("Plans", ()):
        yield from nodes(child, own)


def explained(
    stand: Stand, heavy: Heavy, name: str, *, sections: int = EVERY_SECTION, **variables: object
) -> dict[str, Any]:
    """Return the plan of an operation's body as its function keeps it: one for all values."""
    operation = plans.compile_trusted(KNOWN[name])
    (part,) = operation.parts(plans.BOOK)
    statement = part.statement()
    values = operation.plan.named(operation.plan.bind(variables))
    inputs = {"in_citizen": heavy.citizen, "in_sections": sections, "in_language": "vi"}
    said = ", ".join(map(literal, statement.arguments({**values, **inputs})))

    async def explain() -> dict[str, Any]:
        async with tries.as_role(stand, "book_reader") as reader, reader.transaction():
            await reader.execute(
                "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; "
                "SET LOCAL enable_bitmapscan = off"
            )  # as `api`
            await reader.execute(f"PREPARE probe AS {statement.sql}")
            await reader.fetchrow("SELECT auth.open_book($1, NULL, NULL, 'probe')", heavy.token)
            for _ in range(2):  # the first run fills the caches of the backend
                rows = await reader.fetch(
                    f"EXPLAIN (ANALYZE, BUFFERS, VERBOSE, TIMING OFF, FORMAT JSON) EXECUTE probe({said})"
                )
        plan: dict[str, Any] = json.loads(rows[0][0])[0]["Plan"]
        return plan

    return tries.run(explain)


def literal(value: object) -> str:
    return "NULL" if value is None else f"'{value}'"


@pytest.fixture(scope="module", params=MOST_PAGES)
def plan(request: pytest.FixtureRequest, stand: Stand, heavy: Heavy) -> tuple[str, dict[str, Any]]:
    return request.param, explained(stand, heavy, request.param)


def of_book(plan: dict[str, Any]) -> list[Node]:
    """Return the scans of health data that ran; what a policy asks in a narrower scope must not be among them."""
    found = [node for node in nodes(plan) if (node.table or "").startswith("book.")]
    assert found
    return [node for node in found if node.said["Actual Loops"] > 0]


def test_pages_stay_under_their_bound(plan: tuple[str, dict[str, Any]]) -> None:
    name, said = plan
    total = said["Shared Hit Blocks"] + said["Shared Read Blocks"]
    health = sum(node.said["Shared Hit Blocks"] + node.said["Shared Read Blocks"] for node in of_book(said))

    assert MOST_PAGES[name] * 0.6 < total <= MOST_PAGES[name]
    assert health <= MOST_PAGES_OF_BOOK[name]
    assert all(node.said["Shared Dirtied Blocks"] == 0 for node in nodes(said))


def test_every_scan_of_health_data_is_led_by_the_citizen(plan: tuple[str, dict[str, Any]]) -> None:
    _, said = plan
    for node in of_book(said):
        assert node.said["Node Type"] in {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, node.said
        condition = node.said.get("Index Cond") or node.said["Plans"][0]["Index Cond"]
        assert re.match(r"\({1,2}\w+\.citizen_id = \$\d+\)", condition), condition


def test_the_policy_is_asked_once_and_does_not_choose_the_index(plan: tuple[str, dict[str, Any]]) -> None:
    """The citizen of the policy is compared once, above the scan; the scan goes by the citizen of the body."""
    _, said = plan
    for node in of_book(said):
        assert len(node.guards) >= 2, node.said
        assert all(re.fullmatch(r"\(\(InitPlan \d+\)\.col1 = \$\d+\)", guard) for guard in node.guards), node.guards
    children = [node for node in of_book(said) if node.table in {"book.test_result", "book.prescription_item"}]
    for node in children:
        assert node.said["Index Name"].endswith("_pkey")
        assert "Rows Removed by Filter" not in node.said or node.said["Rows Removed by Filter"] == 0


def test_a_section_out_of_scope_touches_no_page(stand: Stand, heavy: Heavy) -> None:
    said = explained(stand, heavy, "TestResults", sections=EVERY_SECTION - BookSection.TEST_RESULTS.bit)

    assert sum(node.said["Actual Loops"] for node in of_book(said)) == 0


def test_a_later_page_begins_where_the_cursor_says(stand: Stand, heavy: Heavy, http: httpx.Client) -> None:
    """The cursor is a bound of the index, not a filter that reads all that was shown before."""
    text = KNOWN["Prescriptions"].text
    headers = {"Authorization": f"Bearer {heavy.token}"}
    first = http.post("/graphql", json={"query": text, "variables": {"first": 35}}, headers=headers).json()
    after = first["data"]["healthBook"]["prescriptions"]["pageInfo"]["endCursor"]

    said = explained(stand, heavy, "Prescriptions", first=5, after=after)

    (page,) = [node for node in of_book(said) if node.table == "book.prescription"]
    assert page.said["Actual Rows"] == 5
    assert page.said["Rows Removed by Filter"] == 1  # the cursor's own row
    assert "ordered_at <= " in page.said["Index Cond"]


def test_a_released_operation_on_a_book_is_one_statement(
    ground: Ground, settings: Settings, stand: Stand, heavy: Heavy
) -> None:
    """What PostgreSQL was sent, by its own log: one for an answer, one for an unchanged one."""
    del stand
    database = settings.database_url.rpartition("/")[2]
    ground.cluster.psql(f"ALTER DATABASE {database} SET log_statement = 'all'")
    running = RunningServer(settings.model_copy(update={"demo": False}))
    running.start()
    try:
        with httpx.Client(
            base_url=running.url, timeout=PATIENCE, headers={"Authorization": f"Bearer {heavy.token}"}
        ) as client:
            for name in MOST_PAGES:
                asked = {"documentId": KNOWN[name].id}
                client.post("/graphql", json=asked)  # names of public lists are asked for once a minute
                etag = ""
                for status in (200, 304):
                    before = ground.cluster.log.stat().st_size
                    found = client.post("/graphql", json=asked, headers={"If-None-Match": etag})
                    assert found.status_code == status
                    etag = found.headers["etag"]
                    (sent,) = statements(ground.cluster.log, since=before)
                    assert sent.startswith("SELECT op.")
    finally:
        running.stop()
        ground.cluster.psql(f"ALTER DATABASE {database} RESET log_statement")


def statements(log: Path, *, since: int) -> list[str]:
    with log.open("rb") as said:
        said.seek(since)
        text = said.read().decode(errors="replace")
    return re.findall(r"(?m)LOG:  (?:statement|execute [^:]+): (.*)$", text)
