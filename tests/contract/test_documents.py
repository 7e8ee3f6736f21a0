"""What the documents say of this repository is still there."""

import json
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import parse, validate

from app import cli
from app.commands.hospital import _lines
from app.gateway import plans
from app.ingestion import judging
from app.ingestion.verdict import verdict_body

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "infra" / "decisions").glob("*.md"))
GUIDES = [ROOT / "README.md", *sorted((ROOT / "infra").glob("*-guide.md"))]
DOCUMENTS = [
    *GUIDES,
    ROOT / "CHANGELOG.md",
    ROOT / "BENCHMARKS.md",
    ROOT / "app" / "GLOSSARY.md",
    *DECISIONS,
]
OUR_PATH = re.compile(r"`((?:app|bench|graphql|infra|migrations|tests)/[\w./-]*[\w/-])(?:::\w+)?`")
PARTS_OF_A_PAGE = ["## Context", "## Decision", "## Consequences", "## Alternatives"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")

    assert [path for path in OUR_PATH.findall(text) if not (ROOT / path).exists()] == []
    assert unicodedata.is_normalized("NFC", text)
    assert not re.search(r"/(?:tmp|home|root|Users)/", text)


@pytest.mark.parametrize("document", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_the_parts_of_a_page(document: Path) -> None:
    lines = document.read_text(encoding="utf-8").splitlines()

    assert re.fullmatch(rf"# {document.name[:4]} · .+", lines[0])
    assert re.match(r"(Accepted|Replaced by \d{4}), \d{4}-\d\d-\d\d", lines[2])
    assert [line for line in lines if line in PARTS_OF_A_PAGE] == PARTS_OF_A_PAGE


def test_numbers_of_decisions_are_given_once() -> None:
    numbers = [path.name[:4] for path in DECISIONS]

    assert len(numbers) == len(set(numbers))
    assert numbers[0] == "0001"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_every_command_of_a_guide_exists(guide: Path) -> None:
    own = {command.callback.__name__ for command in cli.app.registered_commands if command.callback}

    said = set(re.findall(r"\bsokhoe ([a-z]+)", guide.read_text(encoding="utf-8")))
    assert said
    assert not said - {*cli.NOUNS, *own}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^):#]+)\)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []
    assert links or document.name != "README.md"


QUERY = re.compile(r"""-d '(\{"query": .*?\})'|ask "\$\w+" '(\{"query": .*?\})'""")


@pytest.mark.parametrize("guide", ["README.md", "infra/app-guide.md"])
def test_every_query_of_a_guide_can_be_asked(guide: str) -> None:
    found = [first or second for first, second in QUERY.findall((ROOT / guide).read_text(encoding="utf-8"))]
    core = plans.index().schema

    asked = [json.loads(body)["query"] for body in found]
    assert asked
    assert [problem.message for text in asked for problem in validate(core, parse(text))] == []


@pytest.mark.parametrize("file", ["outpatient.xml", "one-good-one-bad.xml"])
def test_the_readme_shows_the_receipts_that_are_given(file: str) -> None:
    """The excerpts are lines of the real ones, in their order; ids and what was added come from a database."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    body = (ROOT / "tests" / "golden" / "qd4750" / file).read_bytes()
    judged = judging.judge(body, facility_code="01901", now=datetime(2026, 11, 22, tzinfo=UTC))
    given = _lines({"file": f"tests/golden/qd4750/{file}", **verdict_body(judged)}).splitlines()

    shown = text.split(f"sokhoe send tests/golden/qd4750/{file}\n")[1].split("\n```")[0].splitlines()
    bare = [re.sub(r"\s+\([^()]*\)$", "", line) if not line.startswith("    ") else line for line in shown]
    places = [given.index(line) for line in bare]
    assert len(places) > 3
    assert places == sorted(places)
