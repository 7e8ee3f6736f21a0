"""The back door: takes jobs from the queue and files messages."""

import asyncio
import signal
from datetime import timedelta
from functools import partial
from uuid import UUID

import orjson
import structlog
from pgqueuer import AsyncpgPoolDriver, DatabaseRetryEntrypointExecutor, Job, PgQueuer
from pgqueuer.core.executors import EntrypointExecutorParameters

from app.core.clock import utc_now
from app.core.context import run_step
from app.core.crypto import open_vault
from app.core.db import Login, open_engine, open_pool
from app.core.defects import report_defect
from app.core.logs import configure_logs
from app.core.settings import Settings
from app.ingestion.processing import process_message

MOST_ATTEMPTS = 6
FIRST_DELAY = timedelta(seconds=1)
TAKE_AT_ONCE = 32  # messages in hand, so that looking again is not what limits a worker
LOOK_EVERY = timedelta(milliseconds=100)  # nobody is notified of new work: see app/core/sql/enqueue.sql
LOST_AFTER = timedelta(seconds=10)  # a job whose worker stopped breathing is taken by another

log = structlog.get_logger()


class JobFailed(Exception):
    """A job failed; the queue keeps this text, so it names the kind of the failure and nothing else."""


def _patient(parameters: EntrypointExecutorParameters) -> DatabaseRetryEntrypointExecutor:
    return DatabaseRetryEntrypointExecutor(
        parameters=parameters, max_attempts=MOST_ATTEMPTS, initial_delay=FIRST_DELAY, max_delay=timedelta(minutes=5)
    )


async def work(settings: Settings) -> None:
    """Run until a signal asks to stop; what is in hand is finished first."""
    configure_logs()
    vault = open_vault(settings.secrets_dir)
    engine = open_engine(settings, Login.WORKER, size=settings.worker_concurrency)
    pool = await open_pool(settings, Login.WORKER, size=4)
    queue = PgQueuer(AsyncpgPoolDriver(pool))
    hands = asyncio.Semaphore(settings.worker_concurrency)

    @queue.entrypoint(
        "process_message",
        on_failure="hold",
        executor_factory=_patient,
    )
    async def process(job: Job) -> None:
        message_id = UUID(orjson.loads(job.payload or b"{}")["message_id"])
        step = partial(process_message, message_id=message_id, vault=vault, now=utc_now())
        try:
            async with hands:
                status = await run_step(engine, step)
        except Exception as error:  # noqa: BLE001 - the queue would keep the text of whatever it is
            report_defect(error, request_id=str(message_id))
            raise JobFailed(type(error).__name__) from None
        log.info("message", message_id=str(message_id), status=status)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, queue.shutdown.set)
    try:
        await queue.run(
            batch_size=TAKE_AT_ONCE,
            max_concurrent_tasks=TAKE_AT_ONCE * 2,
            dequeue_timeout=LOOK_EVERY,
            heartbeat_timeout=LOST_AFTER,
        )
    finally:
        await pool.close()
        await engine.dispose()
