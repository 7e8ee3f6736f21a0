"""Migration 0038: what waited in the queue of an older release is told and pushed by this one, and nothing twice."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from app.core.crypto import Place, open_vault
from app.core.db import Login, Row, open_engine
from app.core.settings import Settings
from app.installed import ROOT
from app.migrate import migrate
from app.notifications import pushing, telling
from app.notifications.fcm import open_pusher
from devkit.credentials import prepare_database
from tests import steps
from tests.conftest import Ground
from tests.notifications.pushing import Service, push_service
from tests.people import Stand
from tests.sockets import PATIENCE

BEFORE = "0037"
DATABASE = "older"
LATER = datetime.now(UTC) + timedelta(hours=8)


@pytest.fixture
def older(ground: Ground) -> Iterator[Stand]:
    """A database of the release before, whose tables were guarded as ours are."""
    prepare_database(ground.cluster, database=DATABASE, secrets_directory=ground.secrets)
    settings = ground.settings(DATABASE)
    asyncio.run(_upgrade(settings, to=BEFORE))
    stand = Stand(settings)
    for table in ("event", "notice"):
        stand.as_owner(f"ALTER TABLE notice.{table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        stand.as_owner(f"CREATE POLICY deciding ON notice.{table} TO auth_owner USING (true) WITH CHECK (true)")
    yield stand
    steps.close(settings)
    ground.cluster.drop_database(DATABASE)


@pytest.fixture
def service(older: Stand) -> Iterator[Service]:
    with push_service() as running:
        running.write_credentials(older.settings.secrets_dir)
        yield running
    (older.settings.secrets_dir / "fcm.json").unlink()


def test_what_waited_in_the_queue_is_told_and_pushed_and_nothing_twice(older: Stand, service: Service) -> None:
    person = _person(older)
    waits, in_hand, told = (_event(older, person) for _ in range(3))
    _job(older, "tell", event_id=waits)
    _job(older, "tell", event_id=in_hand, status="picked")
    due, later, gone = (_notice(older, person, event=_event(older, person)) for _ in range(3))
    _job(older, "push", notice_id=due)
    _job(older, "push", notice_id=later, at=LATER)

    asyncio.run(migrate(older.settings, progress=lambda _step: None))
    _phone(older, person)
    told_now = older.run(Login.WORKER, partial(telling.tell_waiting, most=10))
    asyncio.run(_push(older.settings, service))

    new = older.as_owner(
        "SELECT id FROM notice.notice WHERE event_id IN (:waits, :in_hand)", waits=waits, in_hand=in_hand
    )
    assert told_now == 2
    assert not older.as_owner("SELECT FROM notice.notice WHERE event_id = :told", told=told)
    assert {UUID(sent["data"]["noticeId"]) for sent in service.state.taken} == {due, *(row.id for row in new)}
    assert len(service.state.taken) == 3
    kept = dict(
        older.as_owner("SELECT id, try_at FROM notice.notice WHERE id IN (:later, :gone)", later=later, gone=gone)
    )
    assert kept == {later: LATER, gone: None}
    assert not older.as_owner("SELECT FROM jobs.pgqueuer WHERE entrypoint IN ('tell', 'push')")


async def _upgrade(settings: Settings, *, to: str) -> None:
    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "migrations"))
        config.attributes |= {"metadata": Row.metadata, "connection": connection}
        command.upgrade(config, to)

    engine = open_engine(settings, Login.MIGRATOR, size=1)
    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()


def _person(stand: Stand) -> UUID:
    person = uuid4()
    stand.as_owner(
        "INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at) "
        "VALUES (:id, 'Thử', 'THU', '1990-01-01', 'DAY', 'FEMALE', now())",
        id=person,
    )
    stand.as_owner("INSERT INTO auth.book (citizen_id, changed_at) VALUES (:id, now())", id=person)
    stand.as_owner("INSERT INTO notice.preference VALUES (:id, '{}', false, '22:00', '06:00')", id=person)
    return person


def _phone(stand: Stand, person: UUID) -> None:
    stand.citizen_token(person)
    device = uuid4()
    place = Place(table="notice.push_target", column="sealed", row_id=device)
    stand.as_owner(
        "INSERT INTO notice.push_target SELECT :id, :person, s.id, 'FID', 'x', :sealed, NULL, 'vi', now() "
        "FROM auth.session s WHERE s.citizen_id = :person",
        id=device,
        person=person,
        sealed=stand.vault.sealer.seal(b"phone", place=place),
    )


def _event(stand: Stand, person: UUID) -> UUID:
    rows = stand.as_owner(
        "INSERT INTO notice.event (id, citizen_id, kind, about, happened_at) "
        "VALUES (uuidv7(), :person, 'DEVICE_ADDED', '{}', now()) RETURNING id",
        person=person,
    )
    found: UUID = rows[0].id
    return found


def _notice(stand: Stand, person: UUID, *, event: UUID) -> UUID:
    rows = stand.as_owner(
        "INSERT INTO notice.notice (id, event_id, citizen_id, about_id, kind, class, thread, about, title_vi, text_vi, "
        "title_en, text_en, happened_at, push_at, push_until) SELECT uuidv7(), e.id, :person, :person, e.kind, "
        "'SECURITY', 'SECURITY:' || e.id, '{}', '', '', '', '', now(), now(), now() + interval '1 day' "
        "FROM notice.event e WHERE e.id = :event RETURNING id",
        person=person,
        event=event,
    )
    found: UUID = rows[0].id
    return found


def _job(stand: Stand, kind: str, *, status: str = "queued", at: datetime | None = None, **payload: UUID) -> None:
    ((member, value),) = payload.items()
    stand.as_owner(
        "INSERT INTO jobs.pgqueuer (priority, status, entrypoint, payload, execute_after) VALUES (0, "
        "CAST(:status AS jobs.pgqueuer_status), :kind, convert_to(CAST(jsonb_build_object(CAST(:member AS text), "
        "CAST(:value AS text)) AS text), 'UTF8'), coalesce(CAST(:at AS timestamptz), now()))",
        status=status,
        kind=kind,
        member=member,
        value=str(value),
        at=at,
    )


async def _push(settings: Settings, service: Service) -> None:
    engine = open_engine(settings, Login.WORKER, size=1)
    async with open_pusher(settings.secrets_dir, url=service.send_url, call_seconds=PATIENCE) as pusher:
        while reached := await pushing.take(engine=engine, most=20):
            await pushing.send(reached, engine=engine, vault=open_vault(settings.secrets_dir), pusher=pusher)
    await engine.dispose()
