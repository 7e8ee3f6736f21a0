"""What commands do when all is well: exit code 0, and JSON where it is asked for."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from app import cli
from app.core.ids import new_id
from app.core.settings import Settings
from app.gateway import trusted
from app.identity.jwt import new_private_key
from app.terminology.codes import SYSTEMS
from tests.commands.running import BAD, GOOD, ROOT, VIETNAMESE, Sokhoe, bilingual, run
from tests.conftest import Ground
from tests.identity.families import Families
from tests.ingestion.fhir import bundles
from tests.people import Stand, now
from tests.receiving import Receiver, serving
from tests.sockets import PATIENCE


def test_serve_prints_every_setting_without_needing_one() -> None:
    done = run("serve", "--print-settings")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[::2]] == [f"SOKHOE_{name.upper()}" for name in Settings.model_fields]
    assert all(line.strip() for line in lines[1::2])
    assert lines[0].endswith("(required)")
    told = json.loads(run("serve", "--print-settings", "--json").stdout)
    assert [one["name"] for one in told] == [line.split()[0] for line in lines[::2]]
    assert [one["name"] for one in told if one["required"]] == ["SOKHOE_DATABASE_URL", "SOKHOE_SECRETS_DIR"]
    assert next(one["default"] for one in told if one["name"] == "SOKHOE_DEMO") is False


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_server_that_is_told_to_stop_is_done(number: signal.Signals, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as server:
        try:
            while server.poll() is None and not answers(port):
                time.sleep(0.05)
            server.send_signal(number)
            assert server.wait(PATIENCE) == 0, (tmp_path / "log").read_text(encoding="utf-8")
        finally:
            server.kill()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez", timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


def test_the_committed_schema_is_the_codes(sokhoe: Sokhoe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sdl = sokhoe("schema")
    assert sokhoe("schema", "--check") == ""
    assert sokhoe.json("schema") == {"sdl": sdl}
    assert sokhoe.json("schema", "--check") == {"status": "same"}

    (tmp_path / "schema.graphql").write_text(sdl.replace("type Query {", "type Query {\n  gone: Int"), encoding="utf-8")
    monkeypatch.setattr(trusted, "FOLDER", tmp_path)
    assert "-  gone: Int" in sokhoe("schema", "--check", code=1)
    sokhoe("schema", "--write")
    assert (tmp_path / "schema.graphql").read_text(encoding="utf-8") == sdl


def test_check_judges_as_the_server_would(sokhoe: Sokhoe, tmp_path: Path) -> None:
    doctype = tmp_path / "doctype.xml"
    doctype.write_text("<!DOCTYPE x><GIAMDINHHS/>", encoding="utf-8")

    [good] = sokhoe.json("check", GOOD)
    [bad, refused] = sokhoe.json("check", BAD, str(doctype), code=1)
    text = sokhoe("check", BAD, "--facility", "01901", code=1)

    assert (good["status"], bad["status"], refused["status"]) == ("filed", "partly", "refused")
    assert [visit["status"] for visit in bad["visits"]] == ["filed", "rejected"]
    assert "REJECTS FIELD_MISSING XML1 1 HO_TEN" in text
    assert "XML1, HO_TEN: trường bắt buộc bị thiếu hoặc rỗng." in text
    assert "XML1, HO_TEN: required, but missing or empty." in text
    assert sokhoe.json("check", GOOD, "--facility", "79001", code=1)[0]["problems"][0]["code"] == "FACILITY_NOT_YOURS"


def test_check_tells_which_resources_are_not_filed(sokhoe: Sokhoe, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    bundle.write_bytes(bundles.message(change=lambda all_: all_["glucose"].update(status="preliminary")))
    text = sokhoe("check", str(bundle))

    assert "  ignored: 1 Claim (KIND_NOT_READ)\n" in text
    assert "  ignored: 1 Observation (NOT_FINAL)\n      chưa có kết quả chính thức (status)" in text
    assert "None" not in sokhoe("check", "--report", str(bundle))


def test_check_reports_on_a_test_batch(sokhoe: Sokhoe, tmp_path: Path) -> None:
    doctype = tmp_path / "doctype.xml"
    doctype.write_text("<!DOCTYPE x><GIAMDINHHS/>", encoding="utf-8")

    good = sokhoe.json("check", "--report", GOOD)
    batch = sokhoe.json("check", "--report", GOOD, BAD, str(doctype), code=1)
    text = sokhoe("check", "--report", GOOD, BAD, str(doctype), code=1)

    assert good["score"] > 80
    assert [one["status"] for one in batch["files"]] == ["filed", "partly", "refused"]
    assert batch["score"] == sum(one["score"] for one in batch["files"]) // 3
    assert {"table": "XML1", "field": "HO_TEN", "visits": 1} in batch["missing"]
    assert "XML1 HO_TEN: 1 hồ sơ / visits" in text
    assert "A DOCTYPE (DTD, ENTITY) is not allowed" in text


def test_send_prints_the_receipts(sokhoe: Sokhoe, tmp_path: Path) -> None:
    key = new_private_key(alg="ES256", kid="k1")
    file = tmp_path / "01901.jwk"
    file.write_text(json.dumps(key), encoding="ascii")
    receiver = Receiver(clock=lambda: datetime.now(UTC))
    receiver.register("01901", key)

    async def send(*arguments: str, code: int) -> Any:
        async with serving(receiver):
            options = ("--url", receiver.url, "--facility", "01901", "--key", str(file))
            return await asyncio.to_thread(sokhoe.json, "send", *arguments, *options, code=code)

    [receipt] = asyncio.run(send(GOOD, code=0))
    assert receipt["status"] == "filed"
    assert receipt["file"] == GOOD
    assert receiver.pushes[0].body == Path(GOOD).read_bytes()

    receiver.keys.clear()
    [refused] = asyncio.run(send(GOOD, code=1))
    assert refused["status"] == "refused"
    bilingual(f"{refused['vi']}\n{refused['en']}")


@pytest.mark.usefixtures("installed")
def test_code_lists_are_named_and_loaded(sokhoe: Sokhoe, tmp_path: Path) -> None:
    assert sokhoe.json("codes", "list") == dict(SYSTEMS)

    file = tmp_path / "route.csv"
    file.write_text("code,name_vi,name_en,valid_from,valid_until\n1.01,Uống,Oral,2026-01-01,\n", encoding="utf-8")
    assert sokhoe.json("codes", "load", str(file), "--system", "route") == {"system": "route", "codes": 1}

    file.write_text("code,name_vi,name_en,valid_from,valid_until\n1.01,,Oral,,\n", encoding="utf-8")
    said = sokhoe("codes", "load", str(file), "--system", "route", code=1)
    bilingual(said)
    assert "dòng 2" in said
    assert "line 2" in said


@pytest.mark.parametrize("mode", [0o400, 0o444], ids=oct)
def test_a_new_sealing_key_goes_first_and_the_old_one_stays(
    sokhoe: Sokhoe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int
) -> None:
    """Who could read the old file can read the new one: in containers API and worker are another account."""
    file = tmp_path / "sealing.keys"
    file.write_text(f"k1:{'ab' * 32}\n", encoding="ascii")
    file.chmod(mode)
    monkeypatch.setenv("SOKHOE_DATABASE_URL", "postgresql://127.0.0.1:1/sokhoe")
    monkeypatch.setenv("SOKHOE_SECRETS_DIR", str(tmp_path))

    assert sokhoe.json("keys", "rotate") == {"key": "k2", "keys": 2}

    lines = file.read_text(encoding="ascii").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["k2", "k1"]
    assert file.stat().st_mode & 0o777 == mode


@pytest.mark.usefixtures("installed")
def test_a_facilitys_life_in_json(sokhoe: Sokhoe, tmp_path: Path) -> None:
    first, second = str(tmp_path / "first.jwk"), str(tmp_path / "second.jwk")

    added = sokhoe.json("facility", "add", "01901", "--name", "Bệnh viện A", "--level", "CENTRAL", "--make-key", first)
    again = sokhoe.json("facility", "add", "01901", "--name", "Bệnh viện A", "--level", "CENTRAL")
    bilingual(sokhoe("facility", "add", "01901", "--name", "Bệnh viện B", code=1))
    rotated = sokhoe.json("facility", "rotate-key", "01901", "--make-key", second)
    token = sokhoe.json("demo", "token", "--as", "facility:1")["token"]
    suspended = sokhoe.json("facility", "suspend", "01901")

    assert (added["code"], added["added"], again["added"]) == ("01901", True, False)
    assert Path(first).stat().st_mode & 0o777 == 0o600
    assert json.loads(Path(first).read_text(encoding="ascii"))["kid"] == added["kid"]
    assert (rotated["revoked"], rotated["kid"] == added["kid"]) == (1, False)
    assert len(token) == 43
    assert suspended == {"code": "01901", "suspended": True}
    assert sokhoe.json("facility", "list") == [
        {"code": "01901", "name": "Bệnh viện A", "level": "CENTRAL", "suspended": True}
    ]
    assert "suspended" in sokhoe("facility", "list")


REGISTER = (
    "certificate,full_name,personal_id,valid_from,valid_until,facility_code,place_from,place_until,suspended_on\n"
    "990001/HNO-CCHN,Trần Minh Khôi,999071000001,2016-05-04,,01902,2020-01-01,,\n"
    "990002/HNO-GPHN,Lê Thị Ngọc Diệp,,2024-05-04,{until},01902,2024-06-01,,\n"
)


@pytest.mark.usefixtures("installed")
def test_the_register_of_practitioners_is_imported_and_the_same_again_changes_nothing(
    sokhoe: Sokhoe, tmp_path: Path
) -> None:
    sokhoe("facility", "add", "01902", "--name", "Bệnh viện B", "--level", "CENTRAL")
    file = tmp_path / "register.csv"
    file.write_text(REGISTER.format(until=""), encoding="utf-8")
    refused = sokhoe.json("practitioners", "import", str(file), code=1)
    told = sokhoe("practitioners", "import", str(file), code=1)
    file.write_text(REGISTER.format(until="2029-05-03"), encoding="utf-8")
    tried = sokhoe.json("practitioners", "import", str(file), "--dry-run")
    stored = sokhoe.json("practitioners", "import", str(file))
    again = sokhoe.json("practitioners", "import", str(file))

    (problem,) = refused["problems"]
    assert (problem["line"], problem["field"], problem["code"]) == (3, "valid_until", "LICENCE_WITHOUT_END")
    assert VIETNAMESE.search(problem["vi"])
    assert not VIETNAMESE.search(problem["en"])
    assert "3: valid_until LICENCE_WITHOUT_END" in told
    assert [(one["added"], one["changed"], one["dryRun"]) for one in (refused, tried, stored, again)] == [
        (0, 0, False),
        (2, 0, True),
        (2, 0, False),
        (0, 0, False),
    ]


@pytest.mark.usefixtures("installed")
def test_a_demo_doctor_has_a_token_that_counts_as_stepped_up_or_not(
    sokhoe: Sokhoe, ground: Ground, settings: Settings, tmp_path: Path
) -> None:
    sokhoe("facility", "add", "01902", "--name", "Bệnh viện B", "--level", "CENTRAL")
    (tmp_path / "register.csv").write_text(REGISTER.format(until="2029-05-03"), encoding="utf-8")
    sokhoe("practitioners", "import", str(tmp_path / "register.csv"))
    count = """
        SELECT count(*) FILTER (WHERE u.action = '*'), count(*) FROM auth.session s
          LEFT JOIN auth.step_up u ON u.session_id = s.id WHERE s.practitioner_id IS NOT NULL AND s.level = 2"""
    database = settings.database_url.rpartition("/")[2]
    tokens = [sokhoe.json("demo", "token", "--as", "doctor:1", *more)["token"] for more in ((), ("--no-step-up",))]

    assert [len(token) for token in tokens] == [43, 43]
    assert ground.cluster.psql(count, database).strip() == "1|2"
    sokhoe("demo", "token", "--as", "doctor:99", code=1)


@pytest.mark.usefixtures("installed")
def test_an_installed_database_has_nothing_to_do_and_an_empty_queue(sokhoe: Sokhoe) -> None:
    assert sokhoe.json("migrate") == {"changed": False}
    assert sokhoe.json("migrate", "--check") == {"status": "same"}
    assert sokhoe.json("queue") == []
    assert sokhoe.json("migrate", "--sql")["sql"].lstrip().startswith(("BEGIN", "CREATE"))
    assert sokhoe("migrate", "--sql").lstrip().startswith(("BEGIN", "CREATE"))


@pytest.mark.usefixtures("installed")
def test_a_database_of_an_older_release_is_told_and_not_compared(
    sokhoe: Sokhoe, ground: Ground, settings: Settings
) -> None:
    database = settings.database_url.rpartition("/")[2]
    newest = ground.cluster.psql("SELECT version_num FROM deploy.migration", database).strip()
    ground.cluster.psql("UPDATE deploy.migration SET version_num = '0001'", database)

    told = sokhoe.json("migrate", "--check", code=1)
    ground.cluster.psql(f"UPDATE deploy.migration SET version_num = '{newest}'", database)
    assert told["status"] == "failed"
    assert "not up to date" in told["en"]


@pytest.mark.usefixtures("installed")
def test_the_queue_tells_what_waits_for_its_time_and_which_pushes_failed_for_good(
    sokhoe: Sokhoe, ground: Ground, settings: Settings
) -> None:
    database = settings.database_url.rpartition("/")[2]
    ground.cluster.psql(
        """INSERT INTO jobs.pgqueuer (priority, entrypoint, status, execute_after)
             VALUES (0, 'sweep', 'queued', now() + interval '1 hour'), (0, 'tell', 'queued', now());
           SET session_replication_role = replica;
           INSERT INTO notice.push (notice_id, target_id, state, attempts, reason, settled_at)
             SELECT gen_random_uuid(), gen_random_uuid(), 'FAILED', 1, reason, now() - interval '5 minutes'
               FROM unnest(ARRAY['TIMEOUT', 'InvalidArgumentError', 'TIMEOUT']) AS reason;""",
        database,
    )
    try:
        found = sokhoe.json("queue")
        said = sokhoe("queue").splitlines()
    finally:
        ground.cluster.psql("DELETE FROM jobs.pgqueuer; DELETE FROM notice.push", database)

    jobs = [(one["kind"], one["status"], one["count"], one.get("reason")) for one in found]
    assert jobs == [
        ("sweep", "later", 1, None),
        ("tell", "queued", 1, None),
        ("push", "failed", 2, "TIMEOUT"),
        ("push", "failed", 1, "InvalidArgumentError"),
    ]
    assert all(one["oldestSeconds"] >= 300 for one in found if one["kind"] == "push")
    assert said[2].split()[:3] == ["push", "failed", "2"]
    assert said[2].endswith("TIMEOUT")


def test_a_running_demo_is_found_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text(
        json.dumps(
            {"environment": {"SOKHOE_DATABASE_URL": "postgresql://127.0.0.1:1/s", "SOKHOE_SECRETS_DIR": str(tmp_path)}}
        ),
        encoding="utf-8",
    )

    done = run("facility", "list", SOKHOE_DATA=str(tmp_path))

    assert done.returncode == 1
    assert "migrator.password" in done.stderr


@pytest.mark.usefixtures("installed")
def test_an_account_is_closed_and_opened_again_by_a_number_that_is_not_printed(
    sokhoe: Sokhoe, settings: Settings
) -> None:
    stand = Stand(settings)
    number = "979064000777"
    citizen = Families(stand).citizen("Trần Văn Khuất", born=date(1964, 2, 3), number=number)
    token = stand.citizen_token(citizen)

    asked = CliRunner().invoke(cli.app, ["citizen", "close", "--reason", "DEATH"], input=f"{number}\n")
    refused = sokhoe("citizen", "close", "--reason", "DEATH", "--personal-id", number, code=1)
    opened = sokhoe.json("citizen", "reopen", "--personal-id", number)

    assert (asked.exit_code, str(citizen) in asked.output, number in asked.output) == (0, True, False)
    assert number not in refused
    bilingual(refused)
    assert opened == {"citizen": str(citizen)}
    live = "SELECT ended_at IS NULL AS live FROM auth.session WHERE token_hash = sha256(convert_to(:token, 'UTF8'))"
    assert [row.live for row in stand.as_owner(live, token=token)] == [False]
    sokhoe("citizen", "close", "--personal-id", number, code=2)
    sokhoe("citizen", "close", "--reason", "DEATH", "--personal-id", "979064000778", code=1)


@pytest.mark.usefixtures("installed")
def test_a_parent_is_registered_or_a_claim_approved_by_papers_whose_numbers_are_not_printed(
    sokhoe: Sokhoe, settings: Settings
) -> None:
    stand = Stand(settings)
    families = Families(stand)
    numbers = {"child": "979070000101", "mother": "979070000102", "father": "979070000103"}
    people = {
        name: families.citizen(f"Người {name}", born=date(2022 if name == "child" else 1990, 2, 3), number=number)
        for name, number in numbers.items()
    }
    claim = new_id(now=now())
    stand.as_owner(
        "INSERT INTO auth.representation_claim SELECT :id, :father, i.lookup, c.name_key, c.birth_on, 'PARENT', now() "
        "FROM auth.citizen c JOIN auth.identifier i ON i.citizen_id = c.id WHERE c.id = :child",
        id=claim,
        father=people["father"],
        child=people["child"],
    )

    def papers(name: str) -> str:
        return f"{numbers['child']}\n{numbers[name]}\nGiấy khai sinh 12/2022\n"

    registered = CliRunner().invoke(cli.app, ["family", "register", "--kind", "PARENT"], input=papers("mother"))
    again = CliRunner().invoke(cli.app, ["family", "register", "--kind", "PARENT"], input=papers("mother"))
    waiting = sokhoe.json("family", "claims")
    wrong = CliRunner().invoke(cli.app, ["family", "approve", str(claim)], input=papers("mother"))
    approved = CliRunner().invoke(cli.app, ["family", "approve", str(claim)], input=papers("father"))
    refused = sokhoe("family", "refuse", str(claim), code=1)

    assert [done.exit_code for done in (registered, again, wrong, approved)] == [0, 0, 1, 0]
    assert ("registered" in registered.output, "known already" in again.output) == (True, True)
    assert [one["id"] for one in waiting] == [str(claim)]
    bilingual(refused)
    said = "".join(done.output for done in (registered, again, wrong, approved)) + json.dumps(waiting) + refused
    assert not [number for number in numbers.values() if number in said]
    rows = stand.as_owner("SELECT kind, evidence FROM auth.representation WHERE dependant_id = :id", id=people["child"])
    assert [tuple(row) for row in rows] == [("PARENT", "PAPER")] * 2


@pytest.mark.usefixtures("installed")
def test_a_lost_second_factor_is_taken_and_its_sessions_end(sokhoe: Sokhoe, settings: Settings) -> None:
    stand = Stand(settings)
    number = "979064000888"
    citizen = Families(stand).citizen("Trần Thị Mất Máy", born=date(1964, 2, 3), number=number)
    token = stand.citizen_token(citizen)
    bilingual(sokhoe("citizen", "drop-factor", "--personal-id", number, code=1))
    stand.as_owner(
        "INSERT INTO auth.factor (id, citizen_id, sealed, added_at, confirmed_at, last_step, failures, day_failures, "
        "day_began_at) VALUES (:id, :citizen, '\\x00', now(), now(), 1, 0, 0, now())",
        id=new_id(now=now()),
        citizen=citizen,
    )

    said = sokhoe.json("citizen", "drop-factor", "--personal-id", number)

    assert said == {"citizen": str(citizen), "dropped": True}
    live = "SELECT ended_at IS NULL AS live FROM auth.session WHERE token_hash = sha256(convert_to(:token, 'UTF8'))"
    assert [row.live for row in stand.as_owner(live, token=token)] == [False]
    told = stand.as_owner("SELECT kind FROM notice.event WHERE citizen_id = :id", id=citizen)
    assert [row.kind for row in told] == ["FACTOR_CHANGED"]
    sokhoe("citizen", "drop-factor", "--personal-id", number, code=1)


@pytest.mark.usefixtures("installed")
def test_a_personal_id_that_was_issued_again_leads_to_the_old_book(sokhoe: Sokhoe, settings: Settings) -> None:
    stand = Stand(settings)
    old, new = "979064000355", "979164000355"
    asked = ("--old", old, "--name", "TRẦN  THỊ MỚI", "--born", "1964-02-03", "--new")
    bilingual(sokhoe("citizen", "reissue", *asked, new, code=1))
    citizen = Families(stand).citizen("Trần Thị Mới", born=date(1964, 2, 3), number=old)

    said = sokhoe.json("citizen", "reissue", *asked, f"{new[:3]} {new[3:6]} {new[6:]}")

    assert said == {"citizen": str(citizen)}
    assert stand.citizen_by(new) == citizen
    again = sokhoe("citizen", "reissue", *asked, new, code=1)
    bilingual(again)
    assert not [number for number in (old, new) if number in again]
    assert "YYYY-MM-DD" in sokhoe("citizen", "reissue", "--born", "3/2/1964", *asked[:4], "--new", new, code=2)
