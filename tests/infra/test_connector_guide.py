"""The connector's guide does what it says: its samples are run as they stand, its codes exist."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app.core.db import Login
from app.core.settings import Settings
from app.facilities import registry
from app.identity.jwt import parse_key, public_part
from app.ingestion.catalogue import ProblemCode
from app.ingestion.fhir.words import FhirCode
from app.ingestion.judging import WAITS
from app.ingestion.qd4750.fields import KNOWN
from tests.conftest import RunningServer
from tests.people import Stand, now
from tests.sockets import free_port
from tests.test_worker import worker

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "infra" / "connector-guide.md").read_text(encoding="utf-8")
MAKE_KEY, *USE_IT = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
OTHERS = {"FACILITY_NOT_YOURS", "UNAUTHENTICATED", "REJECTS", "QUARANTINES", "WARNS", "NOTES"}


@pytest.fixture
def public(settings: Settings) -> Iterator[RunningServer]:
    """Serve at the address that the settings name: a token request must name it exactly."""
    port = free_port()
    named = settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
    running = RunningServer(named, port=port)
    running.start()
    yield running
    running.stop()


def run(script: str, *, folder: Path, **variables: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def told(folder: Path, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / name).read_text(encoding="utf-8"))
    return found


def test_the_samples_of_the_guide_send_a_message_and_read_its_receipt(
    settings: Settings, stand: Stand, public: RunningServer, tmp_path: Path
) -> None:
    stand.facility("01901")
    run(MAKE_KEY, folder=tmp_path)
    assert (tmp_path / "private.pem").stat().st_mode & 0o077 == 0
    jwk = json.loads((tmp_path / "public.jwk").read_text(encoding="ascii"))
    assert parse_key(jwk).kid == "his-1"
    stand.run(Login.MIGRATOR, partial(registry.add_key, code="01901", jwk=public_part(jwk), now=now()))

    with worker(settings):
        run(
            "\n".join(USE_IT),
            folder=tmp_path,
            SERVER=public.url,
            FACILITY="01901",
            FILE=str(ROOT / "tests" / "golden" / "qd4750" / "outpatient.xml"),
        )

    assert (told(tmp_path, "verdict.json")["dryRun"], told(tmp_path, "verdict.json")["status"]) == (True, "filed")
    assert told(tmp_path, "kept.json")["status"] == "received"
    assert told(tmp_path, "receipt.json")["status"] == "filed"


def test_twelve_refusals_with_their_cure_in_both_languages() -> None:
    rows = re.findall(r"^\| (\d+) \|(.*)\|(.*)\|(.*)\|$", GUIDE, re.MULTILINE)
    assert [int(number) for number, *_ in rows] == list(range(1, 13))
    assert all(" / " in because and " / " in cure for _, _, because, cure in rows)


def test_every_code_of_the_guide_exists() -> None:
    codes = set(re.findall(r"`([A-Z]+(?:_[A-Z0-9]+)+)`", GUIDE))
    known = {code.value for code in (*ProblemCode, *FhirCode)} | set(WAITS) | OTHERS | set(fields())
    assert codes - known == set()
    assert {"NAME_DIFFERS", "NUMBER_COMMA", "READER_STOPPED"} <= codes


def fields() -> set[str]:
    return {name for table in KNOWN.values() for name in table.rules}


def test_the_dotnet_sample_says_that_it_was_not_run() -> None:
    before, _, sample = GUIDE.partition("```csharp\n")
    assert sample.startswith("// NOT RUN.")
    assert "CHƯA CHẠY" in before.splitlines()[-2]
