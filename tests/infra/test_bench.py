"""What the bench of reading stands on: its data, its documents and the peers' role fit the schema of today.

The bench itself takes minutes and needs the peers' packages; what a migration can break in it is tried here.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import parse

from app.core.settings import Settings
from app.gateway import plans
from app.sharing.scope import EVERY_SECTION
from devkit.places import ROOT
from tests.attacks import tries
from tests.conftest import Ground
from tests.people import Stand

BENCH = ROOT / "bench"
DOCUMENTS = [path for path in sorted((BENCH / "operations").glob("*.graphql")) if path.stem != "Me"]
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_document_answers_a_heavy_book(document: Path, ground: Ground, database: str, stand: Stand) -> None:
    text = document.read_text(encoding="utf-8")
    operation = plans.compile_plain(parse(text), operation_name=None, key=document.stem)
    citizen, token = ground.cluster.psql("SELECT id, token FROM bench.person WHERE heavy", database).strip().split("|")

    async def read() -> bytes:
        async with tries.as_role(stand, "book_reader") as reader, reader.transaction():
            await reader.fetchrow("SELECT auth.open_book($1, NULL, NULL, 'bench')", token)
            (part,) = operation.parts(plans.BOOK)
            inputs = {"in_citizen": citizen, "in_sections": EVERY_SECTION, "in_language": "vi"}
            body: bytes = await reader.fetchval(part.statement().sql, *part.statement().arguments(inputs))
        return body

    assert len(tries.run(read)) > 1000
