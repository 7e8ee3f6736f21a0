"""The sealer: a process, a login and a key of its own. It seals the visitors' book about once a second."""

import asyncio
import signal
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import asyncpg

from app.audit import sealing, sql
from app.audit.checkpoints import Signer, public_part
from app.audit.kept import KeptHead
from app.core.crypto import read_key_file
from app.core.defects import report_rarely
from app.core.logins import Login, connect
from app.core.logs import configure_logs, log
from app.core.marks import OtherKeys
from app.core.revision import REVISION, check_revision
from app.core.settings import Settings

KEY_FILE = "checkpoint.keys"
LEASE = timedelta(seconds=5)
"""A sealer that was silent for so long is replaced by one that waits."""
TAKEN_OVER = "SK409"


def open_signer(secrets_dir: Path, *, origin: str) -> Signer:
    """Read the sealer's key: the first of `checkpoint.keys`.

    :raises KeyFileError: when it is missing or malformed.
    """
    return Signer(name=origin, seed=next(iter(read_key_file(secrets_dir / KEY_FILE).values())))


async def seal_for_ever(settings: Settings, *, takes_new_key: bool = False) -> None:
    """Run until a signal asks to stop. A second sealer waits until the first is silent.

    A file without the key that signed last is refused, but where the key was lost and a new one is to be taken.

    What keeps it from starting is raised; what happens later, an outage of the database for one, is waited out.

    :raises LogCut: at the start, or when it meets a database that lacks what was sealed (a restore, another standby)
    """
    configure_logs()
    signer = open_signer(settings.secrets_dir, origin=settings.log_origin)
    await _check_start(settings, takes_new_key=takes_new_key)
    kept = KeptHead(settings.sealed_head)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    while not stopping.is_set():
        try:
            connection = await connect(settings, Login.SEALER)
            try:
                await _check_head(connection, kept, settings=settings)
                await _seal_until(stopping, connection, settings=settings, signer=signer, kept=kept)
            finally:
                await connection.close(timeout=5)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            report_rarely(error, request_id="sealer")
            await _pause(stopping, settings.seal_seconds)


async def _check_start(settings: Settings, *, takes_new_key: bool) -> None:
    connection = await connect(settings, Login.SEALER)
    try:
        await connection.execute("SELECT 'audit.begin_sealing'::regproc")
        check_revision(await connection.fetchval(REVISION))
        known = await sql.verifiers(connection)
    finally:
        await connection.close()
    at_hand = {public_part(verifier) for verifier in _verifiers(settings)}
    if known and public_part(known[-1]) not in at_hand and not takes_new_key:
        raise OtherKeys(KEY_FILE, way_out="sokhoe sealer --new-key")


async def _check_head(connection: sql.Connection, kept: KeptHead, *, settings: Settings) -> None:
    known = (*_verifiers(settings), *await sql.verifiers(connection))
    await kept.check(connection, verifiers=known, origin=settings.log_origin)


def _verifiers(settings: Settings) -> tuple[str, ...]:
    seeds = read_key_file(settings.secrets_dir / KEY_FILE).values()
    return tuple(Signer(name=settings.log_origin, seed=seed).verifier for seed in seeds)


async def _seal_until(
    stopping: asyncio.Event, connection: sql.Connection, *, settings: Settings, signer: Signer, kept: KeptHead
) -> None:
    epoch: int | None = None
    while not stopping.is_set():
        if epoch is None:
            epoch = await sql.begin_sealing(
                connection,
                verifier=signer.verifier,
                stop_after=timedelta(minutes=settings.seal_stop_minutes),
                lease=LEASE,
            )
        count = 0
        if epoch is not None:
            try:
                count = await sealing.seal(connection, epoch=epoch, signer=signer, kept=kept)
            except asyncpg.PostgresError as error:
                if error.sqlstate != TAKEN_OVER:
                    raise
                epoch = None
        if count:
            log.info("sealed", lines=count)
        if count < sealing.MOST_AT_ONCE:
            await _pause(stopping, settings.seal_seconds)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), timeout=seconds)
