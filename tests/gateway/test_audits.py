"""The server audits of the npm package graphql-http, in demo mode: GraphQL over HTTP as its authors check it.

Declined, since POST is the only method here (security.md B186, B187; an address stands in logs and histories):
every audit of GET, which are all of level MAY.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from devkit.node import ready_node, ready_packages
from tests.conftest import RunningServer

FOLDER = Path(__file__).parent / "audits"
Outcomes = Mapping[str, Mapping[str, Any]]
_KNOWN = json.loads((FOLDER / "audits.json").read_text(encoding="utf-8"))
AUDITS: Mapping[str, str] = _KNOWN["answered"]
DECLINED: Mapping[str, str] = _KNOWN["declined"]


@pytest.fixture(scope="module")
def outcomes(server: RunningServer) -> Outcomes:
    """Run the audits once, one at a time."""
    environment = Path(sys.prefix)
    home = ready_packages(FOLDER, environment=environment)
    done = subprocess.run(
        [ready_node(environment).program, home / "audit.mjs", f"{server.url}/graphql"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["id"]: one for one in found}


def test_these_are_all_audits(outcomes: Outcomes) -> None:
    assert {name: one["name"] for name, one in outcomes.items()} == {**AUDITS, **DECLINED}


@pytest.mark.parametrize("audit", AUDITS, ids=lambda audit: f"{audit} {AUDITS[audit]}")
def test_audit(outcomes: Outcomes, audit: str) -> None:
    assert outcomes[audit]["status"] == "ok", outcomes[audit]


@pytest.mark.parametrize("audit", DECLINED)
def test_b186_only_audits_of_get_are_declined(outcomes: Outcomes, audit: str) -> None:
    assert DECLINED[audit].startswith("MAY ")
    assert "GET" in DECLINED[audit]
    assert outcomes[audit]["status"] == "notice"
