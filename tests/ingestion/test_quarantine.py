"""What was not filed: listed with age and reasons, filtered, and taken up again after a fix."""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from app import cli
from app.core.db import Login
from app.core.settings import Settings
from app.ingestion import processing, qd4750, sql
from app.ingestion.readers import ReaderStopped
from tests.attacks.crowd import Member, message
from tests.ingestion import messages
from tests.people import Stand, now

cli.register(["quarantine", "replay"])


async def reader_that_stops(_body: bytes) -> qd4750.Message:
    raise ReaderStopped(tries=3)


@pytest.fixture(scope="module")
def held(stand: Stand) -> dict[str, UUID]:
    """Three messages that were not filed, of two facilities, the second of them three days old."""
    first, second = stand.facility("01901"), stand.facility("79001")
    kept = {
        "stopped": stand.keep(message(Member(number=4_001)), token=first),
        "nameless": stand.keep(messages.changed("XML1", SO_CCCD="", MA_THE_BHYT=""), token=first),
        "bad": stand.keep(b"<GIAMDINHHS/>", token=second),
    }
    stopped = partial(processing.process_message, message_id=kept["stopped"], vault=stand.vault, now=now())
    assert stand.run(Login.WORKER, partial(stopped, read=reader_that_stops)) == "rejected"
    assert stand.process(kept["nameless"]) == "quarantined"
    assert stand.process(kept["bad"]) == "rejected"
    stand.as_owner(
        "UPDATE intake.message SET received_at = received_at - interval '3 days' WHERE id = :id", id=kept["nameless"]
    )
    return kept


def listed(stand: Stand, **asked: Any) -> list[UUID]:
    every: dict[str, Any] = {"facility_code": None, "status": None, "reason": None, "min_age": timedelta(0), "page": 10}
    return [one.id for one in stand.run(Login.WORKER, partial(sql.unfiled_messages, **{**every, **asked}))]


def run(settings: Settings, *arguments: str, code: int = 0) -> str:
    environment = {"SOKHOE_DATABASE_URL": settings.database_url, "SOKHOE_SECRETS_DIR": str(settings.secrets_dir)}
    done = CliRunner().invoke(cli.app, arguments, env=environment)
    assert done.exit_code == code, done.output
    return done.output


def test_the_oldest_first_and_filtered(stand: Stand, held: dict[str, UUID]) -> None:
    assert listed(stand) == [held["nameless"], held["stopped"], held["bad"]]
    assert listed(stand, facility_code="79001") == [held["bad"]]
    assert listed(stand, status="quarantined") == [held["nameless"]]
    assert listed(stand, reason="READER_STOPPED") == [held["stopped"]]
    assert listed(stand, min_age=timedelta(days=2)) == [held["nameless"]]
    assert listed(stand, page=1) == [held["nameless"]]
    assert listed(stand, reason="NAME_DIFFERS") == []


def test_the_operator_sees_age_and_reasons_and_no_person(settings: Settings, held: dict[str, UUID]) -> None:
    found = json.loads(run(settings, "quarantine", "list", "--older-than", "24", "--json"))
    assert [one["messageId"] for one in found] == [str(held["nameless"])]
    assert found[0]["ageSeconds"] >= 3 * 24 * 3600
    assert found[0]["reasons"] == ["IDENTIFIER_NONE"]
    text = run(settings, "quarantine", "list") + run(settings, "quarantine", "show", str(held["nameless"]))
    assert "72 h" in text
    assert "QUARANTINES IDENTIFIER_NONE XML1" in text
    assert "còn nguyên / intact" in text
    for secret in (messages.VISIT["HO_TEN"], messages.VISIT["SO_CCCD"], messages.VISIT["DIEN_THOAI"]):
        assert str(secret) not in text


def test_after_a_fix_a_message_is_replayed_and_filed_once(
    settings: Settings, stand: Stand, held: dict[str, UUID]
) -> None:
    assert "taken up again" in run(settings, "replay", str(held["stopped"]))
    assert held["stopped"] not in listed(stand)
    assert stand.process(held["stopped"]) == "filed"
    run(settings, "replay", str(held["stopped"]), code=1)
    run(settings, "quarantine", "show", str(held["stopped"]), code=1)


def test_a_replay_of_what_is_still_wrong_ends_the_same(settings: Settings, stand: Stand, held: dict[str, UUID]) -> None:
    run(settings, "replay", str(held["bad"]))
    assert stand.process(held["bad"]) == "rejected"
    assert held["bad"] in listed(stand)


def test_the_bytes_are_handed_out_and_it_is_written_down(
    settings: Settings, held: dict[str, UUID], tmp_path: Path
) -> None:
    file, taken = tmp_path / "message.xml", ("--by", "operator-7", "--reason", "ticket 12")
    run(settings, "quarantine", "export", str(held["nameless"]), "--to", str(file), *taken)
    assert file.read_bytes() == messages.changed("XML1", SO_CCCD="", MA_THE_BHYT="")
    assert file.stat().st_mode & 0o777 == 0o600
    found = json.loads(run(settings, "quarantine", "show", str(held["nameless"]), "--json"))
    assert [(one["by"], one["reason"]) for one in found["exports"]] == [("operator-7", "ticket 12")]
    run(settings, "quarantine", "export", str(held["nameless"]), "--to", str(file), *taken, code=1)  # it is there
    run(settings, "quarantine", "export", str(UUID(int=7)), "--to", str(tmp_path / "none"), *taken, code=1)
    assert not (tmp_path / "none").exists()
    assert len(json.loads(run(settings, "quarantine", "show", str(held["nameless"]), "--json"))["exports"]) == 1


def test_who_has_a_part_of_it_in_their_book_reads_that_it_was_taken(
    stand: Stand, settings: Settings, tmp_path: Path
) -> None:
    token = stand.facility("79002")
    one, other = Member(number=4_100), {**messages.VISIT, "MA_CSKCB": "79002", "SO_CCCD": "", "MA_THE_BHYT": ""}
    body = messages.envelope(
        messages.visit_xml(
            {"XML1": [{**messages.VISIT, "MA_CSKCB": "79002", "MA_LK": "LK-1", "SO_CCCD": one.personal_id}]}
        ),
        messages.visit_xml({"XML1": [{**other, "MA_LK": "LK-2"}]}),
        facility="79002",
    )
    kept = stand.keep(body, token=token)
    assert stand.process(kept) == "partly"
    run(settings, "quarantine", "export", str(kept), "--to", str(tmp_path / "m"), "--by", "op", "--reason", "r")
    lines = stand.as_owner(
        "SELECT actor_kind, about FROM audit.line WHERE action = 'MESSAGE_EXPORTED' AND citizen_id = :citizen",
        citizen=stand.citizen_by(one.personal_id),
    )
    assert [(line.actor_kind, line.about["facility"]) for line in lines] == [("SYSTEM", "79002")]
