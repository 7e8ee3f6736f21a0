"""What the bench of reading stands on: its data, its documents and the peers' role fit the schema of today.

The bench itself takes minutes and needs the peers' packages; what a migration can break in it is tried here.
"""

from collections.abc import Iterator

import pytest
from graphql import parse

from app.core.settings import Settings
from app.gateway import plans
from app.sharing.scope import EVERY_SECTION
from bench.reading.book import documents
from devkit.places import ROOT
from tests.attacks import tries
from tests.conftest import Ground
from tests.people import Stand

BENCH = ROOT / "bench"
DOCUMENTS = sorted(documents().keys() - {"Me"})
RESOURCES = """
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace IN ('book'::regnamespace, 'directory'::regnamespace) AND c.relkind IN ('r', 'v', 'p')
UNION ALL
SELECT coalesce(substring(obj_description(p.oid, 'pg_proc') FROM '@name (\\w+)'), p.proname) FROM pg_proc p
 WHERE p.pronamespace IN ('book'::regnamespace, 'directory'::regnamespace)"""


@pytest.fixture(scope="module")
def database(ground: Ground, settings: Settings) -> Iterator[str]:
    name = settings.database_url.rpartition("/")[2]
    ground.cluster.psql(BENCH / "reading" / "fill.sql", name, variables={"first": "1", "last": "2"})
    ground.cluster.psql(BENCH / "peers" / "role.sql", name)
    yield name
    ground.cluster.psql("DROP OWNED BY peer; DROP ROLE peer", name)


def test_postgraphile_finds_every_name_once(ground: Ground, database: str) -> None:
    """A function named like a table once ended its schema."""
    names = ground.cluster.psql(RESOURCES, database).split()

    assert len(names) > 20
    assert sorted(names) == sorted(set(names))


def test_others_may_read_a_heavy_book(ground: Ground, database: str) -> None:
    ground.cluster.psql(BENCH / "reading" / "others.sql", database)
    opened = """
        SELECT (SELECT o.sections FROM auth.open_book(parent.token, NULL, p.id, 'bench') o),
               auth.announce(s.token, NULL, s.grant_id, 'bench', NULL, NULL)
          FROM bench.person p JOIN bench.shared s USING (number)
          JOIN bench.person parent ON parent.number = p.number + 1"""

    assert ground.cluster.psql(opened, database).split() == ["1023|2"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_answers_a_heavy_book(name: str, ground: Ground, database: str, stand: Stand) -> None:
    operation = plans.compile_plain(parse(documents()[name]), operation_name=None, key=name)
    citizen, token = ground.cluster.psql("SELECT id, token FROM bench.person WHERE heavy", database).strip().split("|")

    async def read() -> bytes:
        async with tries.as_role(stand, "book_reader") as reader, reader.transaction():
            await reader.fetchrow("SELECT auth.open_book($1, NULL, NULL, 'bench')", token)
            (part,) = operation.deployed_parts
            inputs = {"in_citizen": citizen, "in_sections": EVERY_SECTION, "in_language": "vi"}
            body: bytes = await reader.fetchval(part.statement().sql, *part.statement().arguments(inputs))
        return body

    assert len(tries.run(read)) > 1000
