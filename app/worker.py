"""The back door: takes jobs from the queue, files messages, moves on what is due, tells people what happened.

What is small is read and filed in one step. What is large or suspect waits in a queue of its own, is read first, by a
process that may die of it (app.ingestion.readers), and filed then, one at a time.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from pgqueuer import AsyncpgPoolDriver, DatabaseRetryEntrypointExecutor, Job, PgQueuer, RetryRequested
from pgqueuer.core.executors import EntrypointExecutorParameters
from sqlalchemy.ext.asyncio import AsyncEngine

from app.appointments import sql as care
from app.appointments import waiting
from app.core.clock import utc_now
from app.core.context import run_step
from app.core.crypto import Vault, open_vault
from app.core.db import Login, open_engine
from app.core.defects import report_defect, report_rarely
from app.core.errors import TooSlow, Unavailable
from app.core.lanes import StepLane
from app.core.logins import open_pool
from app.core.logs import configure_logs, log
from app.core.marks import open_known_vault
from app.core.memory import return_large_blocks, spare_what_stays
from app.core.settings import Settings
from app.identity import family_sql as families
from app.ingestion import sql
from app.ingestion.door import reader_limits
from app.ingestion.formats import Reading
from app.ingestion.kept import open_message
from app.ingestion.processing import process_message
from app.ingestion.readers import TRIES, Reader, Readers, ReaderStopped, open_readers, read_here
from app.ingestion.suspects import SLOW_SECONDS, Suspects
from app.ingestion.turns import Lately, Rests, Turns
from app.notifications import sql as notices
from app.notifications import telling
from app.notifications.delivering import deliver
from app.notifications.fcm import open_pusher
from app.sharing import sql as sharing

MOST_ATTEMPTS = 6
FIRST_DELAY = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=30)
TAKE_AT_ONCE = 32  # messages in hand, so that looking again is not what limits a worker
LOOK_EVERY = timedelta(milliseconds=100)  # nobody is notified of new work: see app/core/sql/enqueue.sql
LOST_AFTER = timedelta(seconds=10)  # a job whose worker stopped breathing is taken by another
REMIND_EVERY = timedelta(seconds=2)
JUST_NOW = timedelta(minutes=2)
LATE = timedelta(hours=12)
SLOW_AT_A_TIME = 1
TRY_AGAIN_SECONDS = 1


class JobFailed(Exception):
    """A job failed; the queue keeps this text, so it names the kind of the failure and nothing else."""


class _Deferred(Exception):
    """A message could not be read here: it is read apart, in the slow queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worker:
    lane: StepLane
    vault: Vault
    readers: Readers
    suspects: Suspects
    turns: Turns
    lately: Lately
    rests: Rests

    async def quick(self, message_id: UUID, facility_code: str, _died: int) -> str | None:
        """Read and file a small message; a suspect one goes to the slow queue."""
        if message_id in self.suspects or facility_code in self.suspects:
            return await self._defer(message_id, facility_code, died=0)
        self.lately.note(facility_code)
        async with self.turns.of(facility_code):
            try:
                return await self._file(message_id, read=partial(self._read_here, sender=facility_code))
            except _Deferred:
                return await self._defer(message_id, facility_code, died=1)

    async def slow(self, message_id: UUID, facility_code: str, died: int) -> str | None:
        """Work off a slow message. Its sender rests afterwards where small messages of others come in."""
        if seconds := self.rests.put_off(facility_code):
            return await self._put_off(message_id, facility_code, died=died, seconds=seconds)
        start = time.monotonic()
        status = await self._read_apart(message_id, facility_code, died)
        if self.lately.besides(facility_code):
            self.rests.begin(facility_code, worked_seconds=time.monotonic() - start)
        return status

    async def _read_apart(self, message_id: UUID, facility_code: str, died: int) -> str | None:
        """Read a message outside of any transaction, however long it takes, and file it then."""
        kept = await run_step(self.lane, partial(sql.waiting_message, message_id=message_id))
        if kept is None:
            return None
        body = await asyncio.to_thread(open_message, kept.body, message_id=message_id, sealer=self.vault.sealer)
        del kept
        found: Reading | ReaderStopped
        try:
            found = await self.readers.read(body, tries=max(1, TRIES - died))
        except ReaderStopped:
            self.suspects.note(facility_code)
            found = ReaderStopped(tries=TRIES)
        del body
        async with self.turns.of(facility_code):
            return await self._file(message_id, found=found)

    async def _read_here(self, body: bytes, *, sender: str) -> Reading:
        start = time.thread_time()
        try:
            return await read_here(body)
        except Exception as error:
            report_defect(error, request_id=sender)
            raise _Deferred from error
        finally:
            if time.thread_time() - start > SLOW_SECONDS:
                self.suspects.note(sender)

    async def _file(
        self, message_id: UUID, *, read: Reader = read_here, found: Reading | ReaderStopped | None = None
    ) -> str | None:
        step = partial(process_message, message_id=message_id, vault=self.vault, now=utc_now(), read=read, found=found)
        return await run_step(self.lane, step)

    async def _defer(self, message_id: UUID, facility_code: str, *, died: int) -> str:
        step = partial(sql.defer_message, message_id=message_id, facility_code=facility_code, died=died)
        await run_step(self.lane, step)
        return "deferred"

    async def _put_off(self, message_id: UUID, facility_code: str, *, died: int, seconds: float) -> str:
        step = partial(
            sql.put_off_message, message_id=message_id, facility_code=facility_code, died=died, seconds=seconds
        )
        await run_step(self.lane, step)
        return "put off"


def _patient(parameters: EntrypointExecutorParameters) -> DatabaseRetryEntrypointExecutor:
    return DatabaseRetryEntrypointExecutor(
        parameters=parameters, max_attempts=MOST_ATTEMPTS, initial_delay=FIRST_DELAY, max_delay=timedelta(minutes=5)
    )


def _told_of(error: Exception, *, job: Job, name: str) -> Exception:
    """Return what the queue is told: that a job failed, or that it waits for the database, however long that takes."""
    if not isinstance(error, Unavailable) or isinstance(error, TooSlow):
        report_defect(error, request_id=name)
        return JobFailed(type(error).__name__)
    delay = min(FIRST_DELAY * 2 ** min(job.attempts, MOST_ATTEMPTS), LONGEST_WAIT)
    log.warning("a job waits for the database", job=name, seconds=delay.total_seconds())
    return RetryRequested(delay=delay, reason=type(error).__name__)


_Do = Callable[[UUID, str, int], Awaitable[str | None]]


def _serve(queue: PgQueuer, kind: str, do: _Do, *, at_a_time: int = 0) -> None:
    """Take jobs of a kind; `at_a_time` limits them for all workers together, 0 does not."""

    @queue.entrypoint(kind, concurrency_limit=at_a_time, on_failure="hold", executor_factory=_patient)
    async def process(job: Job) -> None:
        asked: dict[str, Any] = orjson.loads(job.payload or b"{}")
        message_id = UUID(asked["message_id"])
        try:
            status = await do(message_id, asked.get("facility", ""), asked.get("died", 0))
        except Exception as error:  # noqa: BLE001 - the queue would keep the text of whatever it is
            raise _told_of(error, job=job, name=str(message_id)) from None
        log.info("message", message_id=str(message_id), status=status)


def _serve_appointments(queue: PgQueuer, engine: AsyncEngine, *, terms: str) -> None:
    """Move on what is held for who waits, and settle what facilities' new plans leave."""
    run = partial(run_step, engine)

    async def move(asked: dict[str, Any]) -> None:
        await run(partial(care.move_waitlist, slot=UUID(asked["slot_id"]), terms=terms))

    async def settle(_asked: dict[str, Any]) -> None:
        await waiting.settle(run, terms=terms)

    for kind, do in {"move_waitlist": move, "settle_slots": settle}.items():
        _serve_job(queue, kind, do)


def _serve_families(queue: PgQueuer, engine: AsyncEngine) -> None:
    """Tell families, every morning, of birthdays that narrow what a representative may see."""

    async def tell(_asked: dict[str, Any]) -> None:
        await run_step(engine, families.tell_birthdays)

    _serve_job(queue, "tell_birthdays", tell)


def _serve_job(queue: PgQueuer, kind: str, do: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    @queue.entrypoint(kind, on_failure="hold", executor_factory=_patient)
    async def process(job: Job) -> None:
        try:
            await do(orjson.loads(job.payload or b"{}"))
        except Exception as error:  # noqa: BLE001 - the queue would keep the text of whatever it is
            raise _told_of(error, job=job, name=f"{kind} {job.id}") from None


def _serve_events(queue: PgQueuer, engine: AsyncEngine) -> None:
    """Tell people, one by one, of events that could not be told with others."""

    async def tell(asked: dict[str, Any]) -> None:
        await run_step(engine, partial(telling.tell, event_ids=[UUID(asked["event_id"])]))

    _serve_job(queue, "tell", tell)


def _serve_sweeps(queue: PgQueuer, engine: AsyncEngine, *, reminder_hours: Sequence[float]) -> None:
    """Every minute: reminders that are due, codes and accesses that have ended."""
    leads = [timedelta(hours=hours) for hours in reminder_hours]

    async def sweep(_asked: dict[str, Any]) -> None:
        await run_step(engine, notices.sweep_next)
        await run_step(engine, sharing.swept)
        await run_step(engine, partial(notices.remind, leads=leads, late=LATE))
        await run_step(engine, partial(notices.remind_early, leads=leads))

    _serve_job(queue, "sweep", sweep)


async def _remind_on(engine: AsyncEngine, *, reminder_hours: Sequence[float]) -> None:
    """Look every other second for reminders that fell due just now; what a stop left behind is the sweep's."""
    leads = [timedelta(hours=hours) for hours in reminder_hours]
    while True:
        try:
            await run_step(engine, partial(notices.remind, leads=leads, late=JUST_NOW))
        except Exception as error:  # noqa: BLE001 - the next look is as good as this one
            report_defect(error, request_id="reminders")
        await asyncio.sleep(REMIND_EVERY.total_seconds())


async def work(settings: Settings) -> None:
    """Run until a signal asks to stop; what is in hand is finished first.

    What keeps it from starting is raised; after that, a database that goes away is waited for.
    """
    configure_logs()
    return_large_blocks()
    await open_known_vault(settings, Login.WORKER)
    stopping, begun = asyncio.Event(), asyncio.Event()
    while not stopping.is_set():
        try:
            await _work_until(stopping, settings, begun=begun)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Unavailable) as error:
            if not begun.is_set():
                raise
            report_rarely(error, request_id="worker")
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), timeout=TRY_AGAIN_SECONDS)


async def _work_until(stopping: asyncio.Event, settings: Settings, *, begun: asyncio.Event) -> None:
    """Work until a signal asks to stop, or the database is lost."""
    at_a_time = settings.worker_concurrency
    share = min(settings.worker_facility_share, at_a_time)
    size = at_a_time + SLOW_AT_A_TIME
    lane = StepLane(open_engine(settings, Login.WORKER, size=size, one_statement=True), size=size)
    engine = open_engine(settings, Login.WORKER, size=at_a_time)
    told = open_engine(settings, Login.WORKER, size=2 + settings.push_concurrency)  # notices do not wait for messages
    vault = open_vault(settings.secrets_dir)
    pool = await open_pool(settings, Login.WORKER, size=4)
    queue = PgQueuer(AsyncpgPoolDriver(pool))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _set_all, stopping, queue.shutdown)
    try:
        async with (
            open_readers(reader_limits(settings, processes=SLOW_AT_A_TIME)) as readers,
            open_pusher(settings.secrets_dir, url=settings.push_url, call_seconds=settings.push_seconds) as pusher,
        ):
            worker = _Worker(
                lane=lane,
                vault=vault,
                readers=readers,
                suspects=Suspects(in_hand=await run_step(engine, sql.messages_in_hand)),
                turns=Turns(total=at_a_time, most_of_one=share),
                lately=Lately(),
                rests=Rests(),
            )
            _serve(queue, "process_message", worker.quick)
            _serve(queue, "process_slow_message", worker.slow, at_a_time=SLOW_AT_A_TIME)
            _serve_appointments(queue, engine, terms=care.terms(settings))
            _serve_families(queue, engine)
            await run_step(engine, families.begin_telling)
            _serve_sweeps(queue, told, reminder_hours=settings.reminder_hours)
            await run_step(told, notices.sweep_next)
            _serve_events(queue, told)
            reminding = asyncio.create_task(_remind_on(told, reminder_hours=settings.reminder_hours))
            delivering = asyncio.create_task(
                deliver(told, vault=vault, pusher=pusher, at_a_time=settings.push_concurrency, stopped=queue.shutdown)
            )
            spare_what_stays()
            begun.set()
            try:
                await queue.run(
                    batch_size=TAKE_AT_ONCE,
                    max_concurrent_tasks=TAKE_AT_ONCE * 2,
                    dequeue_timeout=LOOK_EVERY,
                    heartbeat_timeout=LOST_AFTER,
                )
            finally:
                reminding.cancel()
                queue.shutdown.set()
                await delivering
    finally:
        await pool.close()
        await lane.close()
        await engine.dispose()
        await told.dispose()


def _set_all(*events: asyncio.Event) -> None:
    for event in events:
        event.set()
