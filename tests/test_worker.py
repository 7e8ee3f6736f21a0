"""The back door as a process of its own: what the door kept, the queue brings to the worker, and it is filed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

from app.core.settings import Settings
from tests.audit.commanding import sokhoe
from tests.conftest import Ground
from tests.ingestion import messages
from tests.people import Stand
from tests.sockets import PATIENCE

NORMAL = "from app.cli import main; main()"
SPITEFUL = """
import os, sys
from app.ingestion import qd4750, readers, reader_process
read = qd4750.read_message
def spite(body):
    if b"<kill" in body:
        os.kill(os.getpid(), 9)
    if b"<raise" in body:
        raise ValueError
    return read(body)
qd4750.read_message = spite
if sys.argv[1:] == ["worker"]:
    program = (sys.executable, "-c", os.environ["SPITEFUL"])
    readers.open_readers.__wrapped__.__kwdefaults__["program"] = program
    from app.cli import main
    main()
else:
    reader_process.main(sys.argv[1:])
"""
"""A worker, and a reader, whose parser dies of some messages."""


@contextmanager
def worker(settings: Settings, *, program: str = NORMAL) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "SOKHOE_DATABASE_URL": settings.database_url,
        "SOKHOE_SECRETS_DIR": str(settings.secrets_dir),
    }
    command = [sys.executable, "-c", program, "worker"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def status_of(stand: Stand, message_id: UUID, *, token: str) -> str:
    give_up_at = time.monotonic() + PATIENCE
    while (found := stand.receipt(message_id, token=token).status) == "received" and time.monotonic() < give_up_at:
        time.sleep(0.1)
    return found


def visit_of(facility: str, number: int) -> bytes:
    tables = {name: [{**line, "MA_LK": f"{facility}.{number}"}] for name, line in messages.LINES.items()}
    tables["XML1"] = [{**tables["XML1"][0], "MA_CSKCB": facility}]
    return messages.envelope(messages.visit_xml(tables), facility=facility)


def test_the_worker_files_what_the_door_kept(settings: Settings, stand: Stand) -> None:
    token = stand.facility("01901")
    waiting = stand.keep(messages.message(), token=token)

    with worker(settings):
        assert status_of(stand, waiting, token=token) == "filed"


def test_a_killed_worker_loses_nothing(settings: Settings, stand: Stand) -> None:
    token = stand.facility("01902", name="Bệnh viện thứ hai")
    with worker(settings) as first:
        kept = [stand.keep(visit_of("01902", number), token=token) for number in range(20)]
        first.kill()
        first.wait(PATIENCE)

    with worker(settings):
        assert {status_of(stand, one, token=token) for one in kept} == {"filed"}


def test_a_worker_waits_for_a_database_that_went_away(ground: Ground, settings: Settings, stand: Stand) -> None:
    token = stand.facility("01910", name="Bệnh viện thứ mười")
    database = settings.database_url.rpartition("/")[2]
    with worker(settings) as process:
        assert status_of(stand, stand.keep(visit_of("01910", 1), token=token), token=token) == "filed"
        ground.cluster.psql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        ground.cluster.psql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND usename = 'worker' AND application_name = ''"
        )
        ground.cluster.psql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")

        assert status_of(stand, stand.keep(visit_of("01910", 2), token=token), token=token) == "filed"
        assert process.poll() is None


@contextmanager
def refusing(stand: Stand, facility: str, *, sqlstate: str) -> Iterator[None]:
    """Let PostgreSQL refuse to conclude a facility's messages, in words of its own."""
    stand.as_owner(
        "CREATE FUNCTION intake.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE 'it cannot be' USING ERRCODE = '{sqlstate}'; END $$"
    )
    stand.as_owner(
        "CREATE TRIGGER refuse BEFORE UPDATE ON intake.message FOR EACH ROW "
        f"WHEN (old.facility_code = '{facility}') EXECUTE FUNCTION intake.refuse()"
    )
    try:
        yield
    finally:
        stand.as_owner("DROP FUNCTION intake.refuse CASCADE")


def job_of(ground: Ground, settings: Settings, message_id: UUID) -> list[str]:
    """Return the state of a message's job, how often it was tried, and whether it waits for its time."""
    query = (
        "SELECT status, attempts, execute_after > now() FROM jobs.pgqueuer WHERE convert_from(payload, 'UTF8') LIKE "
    )
    said = ground.cluster.psql(f"{query} '%{message_id}%'", database=settings.database_url.rpartition("/")[2])
    return said.strip().split("|")


def wait_for_job(ground: Ground, settings: Settings, message_id: UUID, *wanted: str) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while (found := job_of(ground, settings, message_id)) != list(wanted):
        assert time.monotonic() < give_up_at, found
        time.sleep(0.1)


def tried(ground: Ground, settings: Settings, *, often: int) -> None:
    """Let every job have been tried so often, and be due."""
    database = settings.database_url.rpartition("/")[2]
    ground.cluster.psql(f"UPDATE jobs.pgqueuer SET attempts = {often}, execute_after = now()", database=database)


def test_a_message_waits_for_a_database_that_lacks_something_however_long(
    ground: Ground, settings: Settings, stand: Stand
) -> None:
    """A disk that is full for more than a minute must not end what a hospital was told is accepted."""
    token = stand.facility("01911", name="Bệnh viện thứ mười một")
    with refusing(stand, "01911", sqlstate="53100"):
        waiting = stand.keep(visit_of("01911", 1), token=token)
        tried(ground, settings, often=50)
        with worker(settings):
            wait_for_job(ground, settings, waiting, "queued", "51", "t")
    tried(ground, settings, often=51)

    with worker(settings):
        assert status_of(stand, waiting, token=token) == "filed"


def test_what_failed_for_good_is_tried_again_when_an_operator_says_so(
    ground: Ground, settings: Settings, stand: Stand
) -> None:
    token = stand.facility("01912", name="Bệnh viện thứ mười hai")
    with refusing(stand, "01912", sqlstate="57014"):  # a statement that takes too long: another may, too
        failing = stand.keep(visit_of("01912", 1), token=token)
        tried(ground, settings, often=6)
        with worker(settings):
            wait_for_job(ground, settings, failing, "failed", "6", "f")

    twins = "SELECT jobs.enqueue('sweep', '{}', now() + interval '1 day', 'twin'); "
    fail = "UPDATE jobs.pgqueuer SET status = 'failed' WHERE dedupe_key = 'twin'; "
    database = settings.database_url.rpartition("/")[2]
    ground.cluster.psql(twins + fail + twins + fail + twins, database=database)  # two failed, and one that runs again

    code, said = sokhoe(settings, "queue", "--retry-failed", "--json")

    assert (code, "failed" in {one["status"] for one in json.loads(said)}) == (0, False)
    left = ground.cluster.psql("SELECT count(*) FROM jobs.pgqueuer WHERE dedupe_key = 'twin'", database=database)
    assert left.strip() == "1"
    with worker(settings):
        assert status_of(stand, failing, token=token) == "filed"


def spiteful(settings: Settings) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Start a worker whose own parser, and that of its readers, die of some messages."""
    return worker(settings, program=f"import os; os.environ['SPITEFUL'] = source = {SPITEFUL!r}; exec(source)")


def poison(word: str, number: int) -> bytes:
    return f"<{word} n='{number}'/>".encode()


def reasons(stand: Stand, message_id: UUID, *, token: str) -> list[str]:
    verdict = stand.receipt(message_id, token=token).verdict or {}
    return [problem["code"] for problem in verdict["problems"]]


def test_large_messages_are_read_apart_and_filed(settings: Settings, stand: Stand) -> None:
    token = stand.facility("01903", name="Bệnh viện thứ ba")
    body = messages.many_visits(most_bytes=600_000).replace(b"<MACSKCB>01901", b"<MACSKCB>01903")
    with worker(settings):
        kept = stand.keep(body, token=token)
        assert status_of(stand, kept, token=token) == "rejected"  # its visits are of 01901
        own = stand.keep(messages.many_visits(most_bytes=600_000), token=stand.facility("01901"))
        assert status_of(stand, own, token=stand.facility("01901")) == "filed"
    kinds = stand.as_owner(
        "SELECT DISTINCT entrypoint FROM jobs.pgqueuer_log WHERE job_id IN "
        "(SELECT job_id FROM jobs.pgqueuer_log WHERE status = 'successful') AND entrypoint = 'process_slow_message'"
    )
    assert kinds


def test_whose_sender_rests_lets_the_large_message_of_another_go_before_it(settings: Settings, stand: Stand) -> None:
    """One that sends nothing but large messages does not keep another's waiting behind all of them; none is lost."""
    token, other = stand.facility("01908"), stand.facility("01909")
    large = messages.many_visits(most_bytes=400_000)
    many = [stand.keep(large + f"<!-- {number} -->".encode(), token=token) for number in range(3)]
    last = stand.keep(large, token=other)
    with worker(settings):
        for number in range(PATIENCE * 10):  # small messages come in all the time
            assert status_of(stand, stand.keep(visit_of("01909", number), token=other), token=other) == "filed"
            if stand.receipt(last, token=other).status != "received":
                break
        assert [stand.receipt(one, token=token).status for one in many[1:]] == ["received", "received"]
        assert status_of(stand, last, token=other) == "rejected"  # its visits are of another facility
        assert {status_of(stand, one, token=token) for one in many} == {"rejected"}
    assert not stand.as_owner("SELECT 1 FROM jobs.pgqueuer WHERE entrypoint = 'process_slow_message'")


def test_a_message_that_the_parser_cannot_bear_is_rejected_with_a_receipt(settings: Settings, stand: Stand) -> None:
    token, other = stand.facility("01904"), stand.facility("01905")
    with spiteful(settings):
        bad = [stand.keep(poison("raise", number), token=token) for number in range(3)]
        good = [stand.keep(visit_of("01905", number), token=other) for number in range(3)]
        after = stand.keep(visit_of("01904", 1), token=token)
        assert {status_of(stand, one, token=token) for one in bad} == {"rejected"}
        assert {status_of(stand, one, token=other) for one in good} == {"filed"}
        assert status_of(stand, after, token=token) == "filed"
    assert reasons(stand, bad[0], token=token) == ["READER_STOPPED"]


def test_a_small_message_that_kills_the_worker_kills_it_once(settings: Settings, stand: Stand) -> None:
    """What it had in hand is read apart when it comes back; the poison ends as rejected, the others are filed."""
    token, other = stand.facility("01906"), stand.facility("01907")
    with spiteful(settings) as first:
        bad = stand.keep(poison("kill", 0), token=token)
        good = [stand.keep(visit_of("01907", number), token=other) for number in range(3)]
        assert first.wait(PATIENCE) == -signal.SIGKILL
    with spiteful(settings) as second:
        assert status_of(stand, bad, token=token) == "rejected"
        assert {status_of(stand, one, token=other) for one in good} == {"filed"}
        assert second.poll() is None
    assert reasons(stand, bad, token=token) == ["READER_STOPPED"]
